//! The one table of the API: each route is declared once, with its function.
//!
//! What a declaration says is only what no type can: path, id, texts, an example. The scope, the
//! rate class, whether a human is needed, query parameters, the body's and the answer's types are
//! read from the function's own arguments and result ([`Described`]), so that they cannot differ
//! from what is checked. The router, `openapi.json`, the pages of `/docs` and the tests of the
//! scopes are views of this table. Read `argument` next, then `routes`.

mod argument;
mod noun;
mod parameter;
mod schemas;

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use calseta_domain::ErrorCode;
use http::Method;

pub(crate) use argument::{
    Argument, BodyFacts, Content, Described, Facts, Needs, Reply, ReplyFacts,
};
pub(crate) use noun::Noun;
pub(crate) use parameter::{
    DEFAULT_PAGE_SIZE, Kind, MAX_ITEM, MAX_PAGE, MAX_PAGE_SIZE, PAGE, Parameter, Parameters,
    list_parameters, path_parameter,
};
pub(crate) use schemas::Schemas;

use crate::caller::App;

/// A route with everything that is said about it.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Unique; generated clients name their functions after it.
    pub(crate) id: &'static str,
    pub(crate) noun: Noun,
    /// A few words, for a list.
    pub(crate) summary: &'static str,
    /// Sentences: what it does, what it never does.
    pub(crate) description: &'static str,
    /// A body that it accepts.
    pub(crate) example: Option<&'static str>,
    /// Headers that it reads.
    pub(crate) headers: &'static [Parameter],
    /// Codes besides those that follow from the arguments.
    pub(crate) fails: &'static [ErrorCode],
    pub(crate) facts: fn(&mut Schemas) -> Facts,
    pub(crate) mounted: MethodRouter<App>,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The header that makes a request happen once.
pub(crate) const IDEMPOTENCY_KEY: Parameter = Parameter::new(
    "Idempotency-Key",
    Kind::ShortText(255),
    "At most 255 characters. The same key with the same body answers again with the first \
           answer, marked `Idempotent-Replayed: true`; with another body it is a 409. Kept 7 days.",
);

impl Operation {
    fn new<H, T>(
        (method, filter): (Method, MethodFilter),
        path: &'static str,
        id: &'static str,
        function: H,
    ) -> Self
    where
        H: Handler<T, App> + Described<T>,
        T: 'static,
    {
        Self {
            method,
            path,
            id,
            noun: Noun::Alerts,
            summary: "",
            description: "",
            example: None,
            headers: &[],
            fails: &[],
            facts: H::facts,
            mounted: on(filter, function),
        }
    }

    /// What it is, in few words, and in sentences.
    pub(crate) fn says(mut self, summary: &'static str, description: &'static str) -> Self {
        self.summary = summary;
        self.description = description;
        self
    }

    /// A body that it accepts.
    pub(crate) fn example(mut self, body: &'static str) -> Self {
        self.example = Some(body);
        self
    }

    /// Headers that it reads.
    pub(crate) fn headers(mut self, headers: &'static [Parameter]) -> Self {
        self.headers = headers;
        self
    }

    /// How else it may fail.
    pub(crate) fn fails(mut self, codes: &'static [ErrorCode]) -> Self {
        self.fails = codes;
        self
    }

    /// Whether it asks the store: all of the API does, and the health.
    pub(crate) fn touches_store(&self) -> bool {
        self.path.starts_with("/v1/") || self.path == "/health"
    }

    /// The names in the braces of its path.
    pub(crate) fn path_names(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

macro_rules! methods {
    ($($name:ident => $method:ident),+ $(,)?) => {$(
        #[doc = concat!("Declares a ", stringify!($method), " route.")]
        pub(crate) fn $name<H, T>(path: &'static str, id: &'static str, function: H) -> Operation
        where
            H: Handler<T, App> + Described<T>,
            T: 'static,
        {
            Operation::new((Method::$method, MethodFilter::$method), path, id, function)
        }
    )+};
}

methods!(get => GET, post => POST, put => PUT, patch => PATCH, delete => DELETE);

/// Puts operations under their noun.
pub(crate) fn about<const N: usize>(noun: Noun, operations: [Operation; N]) -> Vec<Operation> {
    let under = |operation| Operation { noun, ..operation };
    operations.into_iter().map(under).collect()
}
