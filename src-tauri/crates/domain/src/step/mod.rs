//! Declarative HTTP steps: what a provider (and later a workflow) asks, and what the answer means.
//!
//! `config` reads and validates, `render` makes the request, `fields` and `verdict` read the
//! answer. Sending is the engine's, through the egress client; nothing here knows a provider.

mod config;
mod fields;
mod render;
mod verdict;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{IndicatorType, words};

pub use config::{MAX_STEPS, MAX_TIMEOUT_SECONDS};
pub use fields::{ExtractionRule, ValueType, extract_fields};
pub use render::{RenderedRequest, render};
pub use verdict::VerdictRules;

/// How much of an answer that is no JSON is kept, in characters.
pub const MAX_RAW_TEXT_CHARS: usize = 2_000;

words! {
    /// The HTTP method of a step.
    Method, "method" {
        Get => "GET",
        Post => "POST",
        Put => "PUT",
        Patch => "PATCH",
        Delete => "DELETE",
        Head => "HEAD",
    }
}

/// One request with what its status codes mean. Texts are templates.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Letters, digits, `_` and `-`; unique in its config; later steps read the answer by it.
    pub name: String,
    /// GET when not given.
    pub method: Method,
    /// A URL template.
    pub url: String,
    /// Header templates in the order given.
    pub headers: Vec<(String, String)>,
    /// Query parameter templates, appended to the URL in the order given.
    pub query_params: Vec<(String, String)>,
    /// Wins over `form_body`. An empty object counts as absent.
    pub json_body: Option<Value>,
    /// Form field templates; an empty object counts as absent.
    pub form_body: Option<Vec<(String, String)>>,
    /// The request's total deadline, 1 to [`MAX_TIMEOUT_SECONDS`].
    pub timeout_seconds: u32,
    /// Statuses that are a success; `[200]` when not given.
    pub expected_status: Vec<u16>,
    /// Statuses that say that the provider does not know the indicator.
    pub not_found_status: Vec<u16>,
    /// Whether the run goes on when this step fails.
    pub optional: bool,
}

/// What a step's status code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusMeaning {
    /// Go on with the answer.
    Expected,
    /// The provider does not know the indicator: stop, a success without findings.
    NotFound,
    /// Neither: fatal, unless the step is optional.
    Unexpected,
}

/// A provider's steps, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpConfig {
    /// 1 to [`MAX_STEPS`].
    pub steps: Vec<Step>,
    /// Replaces the first step's URL for these types.
    pub url_templates_by_type: BTreeMap<IndicatorType, String>,
}

impl Step {
    /// What a status means. A listed "not found" of an optional step is only an absence (a user
    /// without a manager), never the whole indicator's, so it counts as unexpected there.
    pub fn judge(&self, status: u16) -> StatusMeaning {
        if self.expected_status.contains(&status) {
            StatusMeaning::Expected
        } else if self.not_found_status.contains(&status) && !self.optional {
            StatusMeaning::NotFound
        } else {
            StatusMeaning::Unexpected
        }
    }
}

impl HttpConfig {
    /// The steps for an indicator of this type: the first one's URL may be another.
    pub fn steps_for(&self, kind: IndicatorType) -> Vec<Cow<'_, Step>> {
        let mut steps: Vec<_> = self.steps.iter().map(Cow::Borrowed).collect();
        if let (Some(first), Some(url)) = (steps.first_mut(), self.url_templates_by_type.get(&kind))
        {
            first.to_mut().url.clone_from(url);
        }
        steps
    }

    /// The raw response that extraction and verdict rules read: the only step's body, or an
    /// object of bodies by step name.
    pub fn raw_response(&self, mut responses: Map<String, Value>) -> Value {
        match self.steps.as_slice() {
            [only] => responses.shift_remove(&only.name).unwrap_or(Value::Null),
            _ => Value::Object(responses),
        }
    }
}

/// An answer's body as the rules see it: its JSON, else `{"_raw_text": …}` with the first
/// [`MAX_RAW_TEXT_CHARS`] characters. JSON that is too deep counts as text.
pub fn response_value(body: &[u8]) -> Value {
    crate::json::parse(body).unwrap_or_else(|_| {
        // Only as many bytes as can matter are decoded.
        let head = &body[..body.len().min(4 * MAX_RAW_TEXT_CHARS)];
        let text: String = String::from_utf8_lossy(head)
            .chars()
            .take(MAX_RAW_TEXT_CHARS)
            .collect();
        serde_json::json!({ "_raw_text": text })
    })
}

#[cfg(test)]
mod tests;
