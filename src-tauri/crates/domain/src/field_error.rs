//! What is wrong with one field of a request: an entry of a 422's `details.errors`.

use serde::{Deserialize, Serialize};

/// One field that was refused (wire.md §1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Where in the request, dotted with indices: `trigger_filter.match_any.0.op`.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The values that would have been accepted, when they are a short closed set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// The allowed value that is nearest to what was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
}

/// How much of a refused word is repeated in the message, in characters.
const MAX_ECHO_CHARS: usize = 60;
/// A word longer than this, in bytes, is compared with nothing: it is no typing mistake.
const MAX_GUESS_BYTES: usize = 64;

impl FieldError {
    /// An error without a closed set of allowed values.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            allowed: None,
            did_you_mean: None,
        }
    }

    /// An error about a word that is none of `allowed`; names the nearest one. `what` says what
    /// the word is, for example "severity".
    pub fn unknown_word<W: AsRef<str>>(
        path: impl Into<String>,
        what: &str,
        given: &str,
        allowed: &[W],
    ) -> Self {
        let echo: String = given.chars().take(MAX_ECHO_CHARS).collect();
        Self {
            path: path.into(),
            message: format!("unknown {what} {echo:?}"),
            allowed: Some(
                allowed
                    .iter()
                    .map(|word| word.as_ref().to_owned())
                    .collect(),
            ),
            did_you_mean: nearest(given, allowed),
        }
    }
}

/// The allowed word within a third of its length in edits, the nearest first. Two letters that
/// changed places count as one edit, because that is how people mistype.
pub(crate) fn nearest<W: AsRef<str>>(given: &str, allowed: &[W]) -> Option<String> {
    let given = given.trim().to_lowercase();
    if given.is_empty() || given.len() > MAX_GUESS_BYTES {
        return None;
    }
    allowed
        .iter()
        .map(AsRef::as_ref)
        .filter(|word| word.len() <= MAX_GUESS_BYTES)
        .map(|word| (strsim::osa_distance(&given, &word.to_lowercase()), word))
        .filter(|(edits, word)| *edits <= (word.chars().count() / 3).max(1))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_recognised_and_nonsense_is_not() {
        let allowed = ["min_severity", "source_names", "tags"];
        let guess =
            |given: &str| FieldError::unknown_word("f", "field", given, &allowed).did_you_mean;
        assert_eq!(guess("min_severty").as_deref(), Some("min_severity"));
        assert_eq!(guess("Source_Name").as_deref(), Some("source_names"));
        assert_eq!(guess("tag").as_deref(), Some("tags"));
        assert_eq!(guess("colour"), None);
        assert_eq!(guess(""), None);
        assert_eq!(guess(&"x".repeat(10_000)), None);
    }

    #[test]
    fn a_long_word_is_not_repeated_whole() {
        let error = FieldError::unknown_word("f", "field", &"x".repeat(10_000), &["tags"]);
        assert!(error.message.len() < 100);
    }
}
