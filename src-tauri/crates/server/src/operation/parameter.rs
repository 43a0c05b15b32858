//! Parameters of a path, a query or a header, declared once: they are read, documented and checked
//! for misspellings from the same list.

use serde_json::{Value, json};

/// What a parameter may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A text of at most so many characters.
    ShortText(u32),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, with commas between them.
    Words(&'static [&'static str]),
    /// Texts with commas between them.
    Texts,
    /// A text; the parameter may be repeated.
    Repeated,
    /// A uuid.
    Uuid,
    /// An RFC 3339 time.
    Time,
    /// true or false.
    Bool,
    /// A whole number within bounds.
    Number {
        /// Without the parameter; `None` when it then has no effect.
        default: Option<u64>,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it does, in a sentence.
    pub(crate) text: &'static str,
    /// Whether a request without it is refused.
    pub(crate) is_required: bool,
}

impl Parameter {
    pub(crate) const fn new(name: &'static str, kind: Kind, text: &'static str) -> Self {
        Self {
            name,
            kind,
            text,
            is_required: false,
        }
    }

    /// The same, without which a request is refused.
    pub(crate) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }
}

/// The query parameters of a route.
pub(crate) trait Parameters {
    /// In groups, so that routes can share them.
    const GROUPS: &'static [&'static [Parameter]];
}

/// Names the query parameters of a route.
macro_rules! list_parameters {
    ($($(#[$meta:meta])* $name:ident => [$($group:expr),* $(,)?];)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) struct $name;
        impl $crate::operation::Parameters for $name {
            const GROUPS: &'static [&'static [$crate::operation::Parameter]] = &[$($group),*];
        }
    )+};
}
pub(crate) use list_parameters;

/// Rows a page when nothing is said.
pub(crate) const DEFAULT_PAGE_SIZE: u64 = 50;
/// Rows a page at the most.
pub(crate) const MAX_PAGE_SIZE: u64 = 500;
/// The last page that can be named.
pub(crate) const MAX_PAGE: u64 = 1 << 32;

/// `page` and `page_size`.
pub(crate) const PAGE: &[Parameter] = &[
    Parameter::new(
        "page",
        Kind::Number {
            default: Some(1),
            min: 1,
            max: MAX_PAGE,
        },
        "The page, from 1.",
    ),
    Parameter::new(
        "page_size",
        Kind::Number {
            default: Some(DEFAULT_PAGE_SIZE),
            min: 1,
            max: MAX_PAGE_SIZE,
        },
        "Rows a page.",
    ),
];

/// The last item of a checklist that can be named.
pub(crate) const MAX_ITEM: u64 = 999;

/// What stands in the braces of a path.
pub(crate) fn path_parameter(name: &'static str) -> Parameter {
    match name {
        "uuid" => Parameter::new(name, Kind::Uuid, "The id."),
        "change_uuid" => Parameter::new(name, Kind::Uuid, "The change, from `meta.change_uuid`."),
        "document_uuid" => {
            Parameter::new(name, Kind::Uuid, "A document that applies to the alert.")
        }
        "n" => Parameter::new(
            name,
            Kind::Number {
                default: None,
                min: 0,
                max: MAX_ITEM,
            },
            "The item's place among the document's task list items, from 0.",
        ),
        "reject" => Parameter::new(name, Kind::Uuid, "The rejected payload."),
        "version" => Parameter::new(
            name,
            Kind::Number {
                default: None,
                min: 1,
                max: MAX_PAGE,
            },
            "The version, from 1.",
        ),
        "source" => Parameter::new(name, Kind::Text, "A known source, for example `generic`."),
        "page" => Parameter::new(name, Kind::Text, "A page of the documentation."),
        other => {
            unreachable!("no route of the table has a path with {{{other}}}: a test reads all")
        }
    }
}

impl Kind {
    /// Its schema.
    pub(crate) fn schema(self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::ShortText(max) => json!({"type": "string", "minLength": 1, "maxLength": max}),
            Self::Word(words) => json!({"type": "string", "enum": words}),
            Self::Words(words) => {
                json!({"type": "array", "items": {"type": "string", "enum": words}})
            }
            Self::Texts | Self::Repeated => json!({"type": "array", "items": {"type": "string"}}),
            Self::Uuid => json!({"type": "string", "format": "uuid"}),
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Number { default, min, max } => {
                let mut schema =
                    json!({"type": "integer", "format": "int64", "minimum": min, "maximum": max});
                if let Some(default) = default {
                    schema["default"] = json!(default);
                }
                schema
            }
        }
    }

    /// Whether several values are written with commas between them.
    pub(crate) const fn has_commas(self) -> bool {
        matches!(self, Self::Words(_) | Self::Texts)
    }
}
