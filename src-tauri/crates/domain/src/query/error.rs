//! What is wrong with a query, and where.

use serde::{Deserialize, Serialize};

use crate::field_error::nearest;

/// A stretch of the query's text, in bytes and in characters; the end is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// The first byte, counted from 0 in UTF-8.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// The first character, counted from 0 in Unicode code points.
    pub start_char: usize,
    /// The character after the last.
    pub end_char: usize,
}

impl Span {
    /// The span of two byte offsets, which must lie on character boundaries of the text.
    pub(super) fn of(text: &str, start: usize, end: usize) -> Self {
        let chars = |until: usize| text.get(..until).unwrap_or(text).chars().count();
        Self {
            start,
            end,
            start_char: chars(start),
            end_char: chars(end),
        }
    }
}

/// A query that was not understood. Its text says what would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{message} (at character {})", span.start_char + 1)]
pub struct QueryError {
    /// What is wrong and what to write instead.
    pub message: String,
    /// The part of the query that is wrong.
    #[serde(flatten)]
    pub span: Span,
    /// What the part should probably be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
}

/// An error whose place is known in bytes only; the parser adds the characters when it gives up.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) did_you_mean: Option<String>,
}

impl Fault {
    pub(super) fn new(start: usize, end: usize, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            start,
            end,
            did_you_mean: None,
        }
    }

    pub(super) fn suggest(mut self, instead: impl Into<String>) -> Self {
        self.did_you_mean = Some(instead.into());
        self
    }

    /// A word that is none of a closed set.
    pub(super) fn unknown(
        (start, end): (usize, usize),
        what: &str,
        given: &str,
        allowed: &[&str],
    ) -> Self {
        let echo = echo(given);
        let message = format!("unknown {what} {echo:?}; there are {}", allowed.join(", "));
        Self {
            did_you_mean: nearest(given, allowed),
            ..Self::new(start, end, message)
        }
    }

    pub(super) fn at(self, text: &str) -> QueryError {
        QueryError {
            span: Span::of(text, self.start, self.end),
            message: self.message,
            did_you_mean: self.did_you_mean,
        }
    }
}

/// How much of a refused text is repeated, in characters.
const MAX_ECHO_CHARS: usize = 60;

pub(super) fn echo(given: &str) -> String {
    given.chars().take(MAX_ECHO_CHARS).collect()
}
