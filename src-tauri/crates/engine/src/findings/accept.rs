//! What a finding's request must be to be stored: bounds, closed sets, v1.1.0's names.

use calseta_contract::finding::{Citation, ConfidenceInput, FindingRequest};
use calseta_domain::{CloseClassification, DeliveryId, FieldError, FindingId};
use serde_json::{Map, Value, json};

use crate::Problem;

/// The longest summary.
const SUMMARY_MAX: usize = 50_000;
/// The largest `details`, as JSON.
const DETAILS_MAX_BYTES: usize = 64 * 1024;
/// The most entries of any list in a finding.
const LIST_MAX: usize = 100;
/// The longest text in any list.
const TEXT_MAX: usize = 5_000;
/// The longest path or pointer of a citation.
const PATH_MAX_BYTES: usize = 1_024;
/// The largest value that a citation expects, as JSON.
const EXPECTED_MAX_BYTES: usize = 16 * 1024;
/// From here a confidence is high.
const HIGH: f64 = 0.8;
/// From here it is medium.
const MEDIUM: f64 = 0.5;
/// The verdicts.
const VERDICTS: &[&str] = &["malicious", "suspicious", "benign", "inconclusive"];
/// v1.1.0's confidence.
const LEVELS: &[&str] = &["low", "medium", "high"];

/// A finding that can be stored.
pub(super) struct Accepted {
    pub(super) summary: String,
    pub(super) confidence: Option<f64>,
    pub(super) level: Option<String>,
    pub(super) verdict: Option<String>,
    pub(super) content: Map<String, Value>,
    pub(super) delivery: Option<DeliveryId>,
    pub(super) supersedes: Option<FindingId>,
}

fn level(confidence: f64) -> &'static str {
    if confidence >= HIGH {
        "high"
    } else if confidence >= MEDIUM {
        "medium"
    } else {
        "low"
    }
}

fn confidence(
    errors: &mut Vec<FieldError>,
    input: Option<&ConfidenceInput>,
) -> (Option<f64>, Option<String>) {
    match input {
        None => (None, None),
        Some(&ConfidenceInput::Number(number)) if (0.0..=1.0).contains(&number) => {
            (Some(number), Some(level(number).to_owned()))
        }
        Some(ConfidenceInput::Number(_)) => {
            errors.push(FieldError::new(
                "confidence",
                "must be a number from 0 to 1",
            ));
            (None, None)
        }
        Some(ConfidenceInput::Word(word)) => {
            if !LEVELS.contains(&word.as_str()) {
                errors.push(FieldError::unknown_word(
                    "confidence",
                    "confidence",
                    word,
                    LEVELS,
                ));
            }
            (None, Some(word.clone()))
        }
    }
}

fn texts(errors: &mut Vec<FieldError>, path: &str, list: &[String]) {
    if list.len() > LIST_MAX {
        errors.push(FieldError::new(path, format!("at most {LIST_MAX} entries")));
    }
    for (n, text) in list.iter().enumerate() {
        if text.chars().count() > TEXT_MAX {
            let message = format!("at most {TEXT_MAX} characters");
            errors.push(FieldError::new(format!("{path}.{n}"), message));
        }
    }
}

/// Puts a field into the stored content, by its name on the wire.
fn keep<T: serde::Serialize>(content: &mut Map<String, Value>, name: &str, value: Option<&T>) {
    if let Some(value) = value {
        content.insert(name.to_owned(), json!(value));
    }
}

/// Checks a request; all that is wrong with it, or what is stored.
pub(super) fn accept(request: FindingRequest) -> Result<Accepted, Problem> {
    let mut errors = Vec::new();
    let (confidence, level) = confidence(&mut errors, request.confidence.as_ref());
    words(&mut errors, &request);
    bounds(&mut errors, &request);
    if !errors.is_empty() {
        return Err(Problem::fields(&errors));
    }
    Ok(Accepted {
        content: content(&request),
        summary: request.summary,
        confidence,
        level,
        verdict: request.verdict,
        delivery: request.delivery_uuid,
        supersedes: request.supersedes,
    })
}

/// Members of closed sets.
fn words(errors: &mut Vec<FieldError>, request: &FindingRequest) {
    if let Some(verdict) = &request.verdict
        && !VERDICTS.contains(&&**verdict)
    {
        errors.push(FieldError::unknown_word(
            "verdict", "verdict", verdict, VERDICTS,
        ));
    }
    if let Some(word) = &request.proposed_classification
        && word.parse::<CloseClassification>().is_err()
    {
        let (path, words) = ("proposed_classification", CloseClassification::WORDS);
        errors.push(FieldError::unknown_word(
            path,
            "classification",
            word,
            words,
        ));
    }
}

/// Lengths and sizes.
fn bounds(errors: &mut Vec<FieldError>, request: &FindingRequest) {
    let length = request.summary.trim().chars().count();
    if length == 0 || length > SUMMARY_MAX {
        errors.push(FieldError::new(
            "summary",
            "must have 1 to 50000 characters",
        ));
    }
    texts(errors, "recommended_actions", &actions(request));
    texts(
        errors,
        "not_checked",
        request.not_checked.as_deref().unwrap_or_default(),
    );
    if details(request).is_some_and(|d| json!(d).to_string().len() > DETAILS_MAX_BYTES) {
        errors.push(FieldError::new("details", "must be at most 64 KB as JSON"));
    }
    citations(errors, request.citations.as_deref().unwrap_or_default());
    for (path, n) in [
        ("citations", request.citations.as_ref().map_or(0, Vec::len)),
        (
            "proposed_actions",
            request.proposed_actions.as_ref().map_or(0, Vec::len),
        ),
    ] {
        if n > LIST_MAX {
            errors.push(FieldError::new(path, format!("at most {LIST_MAX} entries")));
        }
    }
}

/// Citations are compared whenever findings are read, so each is short.
fn citations(errors: &mut Vec<FieldError>, citations: &[Citation]) {
    for (n, citation) in citations.iter().enumerate() {
        let mut refuse = |field: &str, message: String| {
            errors.push(FieldError::new(format!("citations.{n}.{field}"), message));
        };
        if citation.claim.chars().count() > TEXT_MAX {
            refuse("claim", format!("at most {TEXT_MAX} characters"));
        }
        let reference = citation.reference.as_ref();
        let paths = [
            ("ref.path", reference.and_then(|to| to.path.as_ref())),
            (
                "ref.raw_pointer",
                reference.and_then(|to| to.raw_pointer.as_ref()),
            ),
        ];
        for (field, path) in paths {
            if path.is_some_and(|path| path.len() > PATH_MAX_BYTES) {
                refuse(field, format!("at most {PATH_MAX_BYTES} bytes"));
            }
        }
        let expected = citation.expected.as_ref();
        if expected.is_some_and(|value| value.to_string().len() > EXPECTED_MAX_BYTES) {
            refuse(
                "expected",
                format!("at most {EXPECTED_MAX_BYTES} bytes as JSON"),
            );
        }
    }
}

/// Ours, else v1.1.0's single one.
fn actions(request: &FindingRequest) -> Vec<String> {
    let single = || {
        request
            .recommended_action
            .clone()
            .map(|action| vec![action])
    };
    request
        .recommended_actions
        .clone()
        .or_else(single)
        .unwrap_or_default()
}

/// Ours, else v1.1.0's.
fn details(request: &FindingRequest) -> Option<&Map<String, Value>> {
    request.details.as_ref().or(request.evidence.as_ref())
}

fn content(request: &FindingRequest) -> Map<String, Value> {
    let mut content = Map::new();
    keep(&mut content, "recommended_actions", Some(&actions(request)));
    keep(&mut content, "details", details(request));
    keep(
        &mut content,
        "proposed_classification",
        request.proposed_classification.as_ref(),
    );
    keep(&mut content, "citations", request.citations.as_ref());
    keep(&mut content, "not_checked", request.not_checked.as_ref());
    keep(
        &mut content,
        "proposed_actions",
        request.proposed_actions.as_ref(),
    );
    keep(&mut content, "usage", request.usage.as_ref());
    keep(&mut content, "supersedes", request.supersedes.as_ref());
    keep(
        &mut content,
        "claimed_agent_name",
        request.agent_name.as_ref(),
    );
    content
}
