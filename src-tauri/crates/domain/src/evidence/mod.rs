//! Whether the data that a finding cites say what the finding says they say.
//!
//! An agent writes "VirusTotal 47/94" and names where that stands; we look there and compare. The
//! answer rests on the stored datum and the cited value alone. Prose is never interpreted: a claim
//! without a value to compare is `not_verifiable`, unless it quotes the stored value letter by
//! letter. Read `compare` for what "the same value" is, and docs/findings.md for what authors are told.

mod compare;
mod place;
mod quote;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::words;
use compare::Outcome;
use place::Place;

/// The longest stored value that a check repeats, in characters of its JSON.
pub const MAX_STORED_CHARS: usize = 2_000;
/// How much of a value or path is repeated in a sentence, in characters.
const MAX_ECHO_CHARS: usize = 120;

words! {
    /// What a cited datum turned out to hold.
    CitationState, "state of a citation" {
        // What the author says.
        Matches => "matches",
        // Something else.
        Differs => "differs",
        // It is not there.
        NotFound => "not_found",
        // Nothing is named that could be compared.
        NotVerifiable => "not_verifiable",
    }
}

words! {
    /// What kind of object a citation points into.
    CitedKind, "cited object" {
        // As the API shows it, with `enrichment_results`.
        Indicator => "indicator",
        // As the API shows it, with `content`.
        Document => "document",
        // As the API shows it.
        Alert => "alert",
        // The sender's JSON.
        RawPayload => "raw_payload",
    }
}

/// One claim and where its datum stands.
#[derive(Debug, Clone, Copy)]
pub struct Citation<'a> {
    /// The claim, in the author's words.
    pub claim: &'a str,
    /// What is pointed into; `None` when the author names nothing.
    pub kind: Option<CitedKind>,
    /// Into the raw payload: a JSON pointer (RFC 6901), or a dot path when it does not begin with
    /// a slash, which no pointer can.
    pub pointer: Option<&'a str>,
    /// A dot path (see [`crate::path`]) into the object, or into what the pointer names. Into an
    /// indicator also `<provider>.<field>`, which is looked for in what the provider's answer gave
    /// and then in the answer itself (`virustotal.malice`); providers are named in any case.
    pub path: Option<&'a str>,
    /// What the author says the datum is.
    pub expected: Option<&'a Value>,
}

/// What became of a citation.
#[derive(Debug, Clone, PartialEq)]
pub struct CitationCheck {
    /// How the datum compares.
    pub state: CitationState,
    /// What is stored there; `None` when nothing is, when it was not looked up, or when its JSON
    /// is longer than [`MAX_STORED_CHARS`].
    pub stored: Option<Value>,
    /// What was compared, in words. Holds a part of the citation: as hostile as its author.
    pub text: String,
}

/// Compares a citation with the object it names, `None` when that does not exist or is none of the
/// alert's. Equal input gives equal output.
pub fn check(citation: &Citation<'_>, object: Option<&Value>) -> CitationCheck {
    let without = |state, text: String| CitationCheck {
        state,
        stored: None,
        text,
    };
    let Some(kind) = citation.kind else {
        let text = "The citation names nothing that could be looked up.";
        return without(CitationState::NotVerifiable, text.to_owned());
    };
    let Some(object) = object else {
        return without(CitationState::NotFound, absent(kind).to_owned());
    };
    let place = match place::find(kind, object, citation.pointer, citation.path) {
        Ok(place) => place,
        Err(text) => return without(CitationState::NotFound, text),
    };
    let (state, text) = match citation.expected {
        Some(expected) => against(kind, &place, expected),
        None => quoted(citation.claim, &place),
    };
    CitationCheck {
        state,
        stored: short_enough(place.value).cloned(),
        text,
    }
}

const fn absent(kind: CitedKind) -> &'static str {
    match kind {
        CitedKind::Indicator => "This alert has no such indicator.",
        CitedKind::Document => "There is no such document.",
        CitedKind::Alert => "There is no such alert.",
        CitedKind::RawPayload => "There is no raw payload.",
    }
}

fn against(kind: CitedKind, place: &Place<'_>, expected: &Value) -> (CitationState, String) {
    let (at, stored, cited) = (place.name.as_str(), echo(place.value), echo(expected));
    let is_text = kind == CitedKind::Document;
    match compare::values(expected, place.value, place.siblings, is_text) {
        Outcome::Same => (
            CitationState::Matches,
            if is_text && place.value.is_string() && expected.is_string() {
                format!("The cited words stand in {at}.")
            } else {
                format!("{at} is {stored}, as cited.")
            },
        ),
        Outcome::SameCount => (
            CitationState::Matches,
            format!("{at} is {stored}; of {cited} only the first number is stored and compared."),
        ),
        Outcome::Different if is_text && place.value.is_string() => (
            CitationState::Differs,
            format!("The cited words do not stand in {at}."),
        ),
        Outcome::Different => (
            CitationState::Differs,
            format!("{cited} is cited; {at} is {stored}."),
        ),
        Outcome::DifferentOf(total) => (
            CitationState::Differs,
            format!("{cited} is cited; {at} is {stored}/{total}."),
        ),
        Outcome::Unclear(why) => (CitationState::NotVerifiable, format!("{at} {why}.")),
    }
}

fn quoted(claim: &str, place: &Place<'_>) -> (CitationState, String) {
    let (at, stored) = (place.name.as_str(), echo(place.value));
    if quote::stands_in(claim, place.value) {
        (
            CitationState::Matches,
            format!("{at} is {stored}, as the claim quotes it."),
        )
    } else {
        (
            CitationState::NotVerifiable,
            format!("No expected value is given to compare with; {at} is {stored}."),
        )
    }
}

/// The value, unless its JSON is too long to be repeated.
fn short_enough(value: &Value) -> Option<&Value> {
    let is_long_text = value
        .as_str()
        .is_some_and(|text| text.len() > MAX_STORED_CHARS * char::MAX.len_utf8());
    if is_long_text {
        return None;
    }
    let mut room = Room(MAX_STORED_CHARS * char::MAX.len_utf8());
    serde_json::to_writer(&mut room, value).ok()?;
    (value.to_string().chars().count() <= MAX_STORED_CHARS).then_some(value)
}

/// Takes so many bytes and refuses more: a value is not written out whole to learn that it is long.
struct Room(usize);

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(std::io::ErrorKind::WriteZero)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A value as a sentence repeats it.
fn echo(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::String(text) => format!("“{}”", cut(text)),
        Value::Bool(_) | Value::Number(_) => cut(&value.to_string()),
        Value::Array(items) => match items.len() {
            1 => "a list of one value".to_owned(),
            n => format!("a list of {n} values"),
        },
        Value::Object(_) => "a group of values".to_owned(),
    }
}

/// A text on one line, cut to [`MAX_ECHO_CHARS`].
fn cut(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut letters = text.chars();
    let mut out: String = letters.by_ref().take(MAX_ECHO_CHARS).map(visible).collect();
    if letters.next().is_some() {
        out.push('…');
    }
    out
}
