//! Whether a claim quotes a value letter by letter.

use serde_json::Value;

/// The shortest text without a digit that counts as quoted, in characters: shorter ones stand in
/// any sentence.
const MIN_WORD_CHARS: usize = 3;

/// Whether a number or text stands in the claim as a word of its own: `97` does in "score 97.", not
/// in "1.97", "97/100" or "node-97". Truth values and lists are never taken as quoted.
pub(super) fn stands_in(claim: &str, value: &Value) -> bool {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return false,
    };
    let is_telling = text.chars().any(char::is_numeric) || text.chars().count() >= MIN_WORD_CHARS;
    if !is_telling || !text.chars().any(char::is_alphanumeric) {
        return false;
    }
    claim.match_indices(&text).any(|(at, found)| {
        let before = claim[..at].chars().rev();
        let after = claim[at + found.len()..].chars();
        !goes_on(before) && !goes_on(after)
    })
}

/// Whether a word goes on: with a letter or digit, or with one behind a sign that joins.
fn goes_on(mut letters: impl Iterator<Item = char>) -> bool {
    match letters.next() {
        Some(c) if c.is_alphanumeric() || c == '_' => true,
        Some('.' | ',' | ':' | '/' | '\\' | '-' | '+' | '@' | '%' | '\'') => {
            letters.next().is_some_and(char::is_alphanumeric)
        }
        _ => false,
    }
}
