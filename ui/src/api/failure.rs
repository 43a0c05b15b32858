//! Why a call failed, as a person can read it and a view can branch on it.

use calseta_contract::{ErrorBody, FieldError};
use serde_json::{Map, Value};

/// A call that did not succeed. Never carries a secret: only what the backend said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// The HTTP status; `None` when there was no answer at all.
    pub(crate) status: Option<u16>,
    /// The contract's code, or one of our own two: `UNREACHABLE`, `UNREADABLE`.
    pub(crate) code: String,
    /// A sentence that says what to do.
    pub(crate) message: String,
    /// The contract's details.
    pub(crate) details: Map<String, Value>,
    /// What was asked, for example `GET /v1/alerts`.
    pub(crate) request: String,
}

impl Failure {
    /// No answer came back.
    pub(crate) fn unreachable(request: &str, cause: &str) -> Self {
        Self {
            status: None,
            code: "UNREACHABLE".to_owned(),
            message: "The backend does not answer. Is Calseta still running?".to_owned(),
            details: Map::from_iter([("cause".to_owned(), Value::from(cause))]),
            request: request.to_owned(),
        }
    }

    /// An answer that does not have the shape of the contract.
    pub(crate) fn unreadable(request: &str, status: u16, cause: &str) -> Self {
        Self {
            status: Some(status),
            code: "UNREADABLE".to_owned(),
            message: format!("The backend's answer could not be read: {cause}."),
            details: Map::new(),
            request: request.to_owned(),
        }
    }

    /// From an answer that is no success.
    pub(crate) fn from_answer(request: &str, status: u16, body: &str) -> Self {
        match serde_json::from_str::<ErrorBody>(body) {
            Ok(ErrorBody { error }) => Self {
                status: Some(status),
                code: error.code,
                message: error.message,
                details: error.details,
                request: request.to_owned(),
            },
            Err(_) => Self::unreadable(request, status, &format!("status {status}")),
        }
    }

    /// Whether the object is not there (any more).
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }

    /// The fields that were refused, by path.
    pub(crate) fn fields(&self) -> Vec<FieldError> {
        let errors = self.details.get("errors").cloned().unwrap_or_default();
        serde_json::from_value(errors).unwrap_or_default()
    }

    /// What was said about one field or about anything inside it.
    pub(crate) fn field(&self, path: &str) -> Option<String> {
        let inside = format!("{path}.");
        let said: Vec<String> = self
            .fields()
            .into_iter()
            .filter(|field| field.path == path || field.path.starts_with(&inside))
            .map(|field| sentence(&field))
            .collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// Everything, for a bug report.
    pub(crate) fn copyable(&self) -> String {
        let status = self
            .status
            .map_or_else(|| "no answer".to_owned(), |s| s.to_string());
        let details = Value::Object(self.details.clone());
        format!(
            "{} → {status} {}\n{}\n{details}",
            self.request, self.code, self.message
        )
    }
}

/// What was said, as a sentence of its own: under a field it has no beginning to continue.
fn sentence(field: &FieldError) -> String {
    let said = as_sentence(&field.message);
    match (&field.did_you_mean, &field.allowed) {
        (Some(word), _) => format!("{said} Did you mean “{word}”?"),
        (None, Some(words)) if !said.contains(words.first().map_or("", |w| w)) => {
            format!("{said} Allowed: {}.", words.join(", "))
        }
        _ => said,
    }
}

fn as_sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let mut out: String = letters
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    out.push_str(letters.as_str());
    if !out.is_empty() && !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"error":{"code":"VALIDATION_ERROR","message":"Two fields.","details":{
        "errors":[{"path":"name","message":"must not be empty"},
        {"path":"trigger_filter.min_severity","message":"Unknown.","did_you_mean":"High"}]}}}"#;

    #[test]
    fn errors_are_found_by_the_path_of_their_field() {
        let failure = Failure::from_answer("POST /v1/agents", 422, BODY);
        assert_eq!(failure.field("name").as_deref(), Some("Must not be empty."));
        assert_eq!(
            failure.field("trigger_filter").as_deref(),
            Some("Unknown. Did you mean “High”?")
        );
        assert_eq!(failure.field("webhook_url"), None);
    }

    #[test]
    fn an_answer_of_another_shape_is_said_to_be_one() {
        let failure = Failure::from_answer("GET /v1/alerts", 502, "<html>");
        assert_eq!(
            (failure.status, failure.code.as_str()),
            (Some(502), "UNREADABLE")
        );
        assert!(failure.copyable().contains("GET /v1/alerts"));
    }
}
