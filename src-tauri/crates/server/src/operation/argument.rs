//! What a route's function says by its arguments and its result.

use std::future::Future;

use axum::extract::State;
use axum::response::IntoResponse;
use calseta_domain::Scope;
use http::HeaderMap;
use serde_json::Value;

use super::{Parameter, Schemas};
use crate::answer::Failure;
use crate::caller::App;
use crate::limits::Class;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing.
    Nothing,
    /// Any key.
    AnyKey,
    /// A key with this scope.
    Scope(Scope),
    /// The window itself: no API key opens it.
    Analyst,
}

/// A body that a route takes.
#[derive(Debug, Clone)]
pub(crate) struct BodyFacts {
    /// A media type and the schema of what it carries.
    pub(crate) content: Vec<(&'static str, Value)>,
    pub(crate) is_required: bool,
    /// Whether a text is a body that the route can read. For JSON bodies.
    #[cfg(test)]
    pub(crate) reads: fn(&str) -> Result<(), String>,
}

/// What follows from a function's type.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) needs: Needs,
    pub(crate) class: Option<Class>,
    pub(crate) human_only: bool,
    pub(crate) query: Vec<Parameter>,
    pub(crate) body: Option<BodyFacts>,
    pub(crate) replies: Vec<ReplyFacts>,
}

/// What an answer carries.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// JSON of this schema.
    Json(Value),
    /// Something else, by media type; texts of no further shape.
    Text(&'static [&'static str]),
    /// JSON, or an event stream for who accepts one.
    JsonOrStream(Value),
}

/// A success that a route may answer with.
#[derive(Debug, Clone)]
pub(crate) struct ReplyFacts {
    pub(crate) status: u16,
    pub(crate) text: &'static str,
    pub(crate) content: Content,
}

/// An argument of a route's function.
pub(crate) trait Argument {
    /// Adds what follows from it.
    fn describe(facts: &mut Facts, schemas: &mut Schemas);
}

/// The result of a route's function.
pub(crate) trait Reply: IntoResponse {
    /// The answers that it stands for.
    fn describe(schemas: &mut Schemas) -> Vec<ReplyFacts>;
}

/// A route's function. `T` is the tuple of arguments, as axum's `Handler` has it.
pub(crate) trait Described<T> {
    /// What its type says.
    fn facts(schemas: &mut Schemas) -> Facts;
}

macro_rules! described {
    ($($argument:ident),*) => {
        impl<F, Fut, R, M, $($argument),*> Described<(M, $($argument,)*)> for F
        where
            F: FnOnce($($argument),*) -> Fut,
            Fut: Future<Output = Result<R, Failure>>,
            R: Reply,
            $($argument: Argument,)*
        {
            fn facts(schemas: &mut Schemas) -> Facts {
                let mut facts = Facts {
                    needs: Needs::Nothing,
                    class: None,
                    human_only: false,
                    query: Vec::new(),
                    body: None,
                    replies: R::describe(schemas),
                };
                $($argument::describe(&mut facts, schemas);)*
                facts
            }
        }
    };
}

described!(A);
described!(A, B);
described!(A, B, C);
described!(A, B, C, D);
described!(A, B, C, D, E);

impl Argument for State<App> {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}

/// Headers are declared beside the route: a map of them says no names.
impl Argument for HeaderMap {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}
