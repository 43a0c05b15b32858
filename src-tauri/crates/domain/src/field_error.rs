//! What is wrong with one field of a request.

use serde::{Deserialize, Serialize};

/// One entry of a 422's `details.errors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where in the request, dotted with indices: `trigger_filter.match_any.0.op`.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The values that would have been accepted, when they are a short closed set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// The allowed value that is nearest to what was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
}

impl FieldError {
    /// An error without a closed set of allowed values.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), allowed: None, did_you_mean: None }
    }

    /// An error about a word that is none of `allowed`; names the nearest one.
    pub fn unknown_word<W: AsRef<str>>(path: impl Into<String>, what: &str, given: &str, allowed: &[W]) -> Self {
        let _ = (path.into(), what, given, allowed);
        unimplemented!()
    }
}
