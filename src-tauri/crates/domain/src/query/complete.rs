//! What can be written where the cursor is: field names, and the words of closed fields. Values
//! with counts (sources, tags, rules) are the store's to add.

use serde::{Deserialize, Serialize};

use super::words::closed_words;
use super::{Field, MAX_QUERY_BYTES, Span};

/// What can replace the part of a query around the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Completion {
    /// The part that a candidate replaces.
    #[serde(flatten)]
    pub span: Span,
    /// The field whose value is being written; absent where a term begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Field>,
    /// What stands between the beginning of the part and the cursor, without an opening quote.
    pub prefix: String,
    /// What may stand there, the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// One thing that may stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Candidate {
    /// What to write: `status:`, `open`.
    pub text: String,
    /// What it means, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How many alerts have it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Where things are around the cursor, in bytes.
struct Place {
    /// Where the term begins, after `-` and `(`.
    term: usize,
    /// Where the value begins: after the first colon outside quotes, or after a comma.
    value: Option<usize>,
    /// The first colon outside quotes.
    colon: usize,
    is_quoted: bool,
}

/// What can be written at a cursor, counted in characters from the beginning of the query. A
/// cursor beyond the end is at the end.
pub fn complete(text: &str, cursor: usize) -> Completion {
    let bound = (0..=MAX_QUERY_BYTES.min(text.len())).rev();
    let text = &text[..bound
        .into_iter()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)];
    let at = text
        .char_indices()
        .nth(cursor)
        .map_or(text.len(), |(at, _)| at);
    let place = place(&text[..at]);
    let end = end_of_part(text, at, place.is_quoted);
    let field = place
        .value
        .and_then(|_| Field::named(&text[place.term..place.colon]));
    let start = match (place.value, field) {
        // Its candidates bring their operator.
        (Some(_), Some(Field::Age)) => place.colon + 1,
        (Some(value), _) => value,
        (None, _) => place.term,
    };
    let written = &text[start..at];
    let prefix = written.trim_start_matches('"').to_owned();
    let candidates = match (place.value, field) {
        (None, _) => fields(&prefix),
        (Some(_), Some(field)) => words(field, &prefix),
        (Some(_), None) => Vec::new(),
    };
    Completion {
        span: Span::of(text, start, end),
        field,
        prefix,
        candidates,
    }
}

/// Reads what stands before the cursor.
fn place(before: &str) -> Place {
    let mut place = Place {
        term: 0,
        value: None,
        colon: 0,
        is_quoted: false,
    };
    for (at, c) in before.char_indices() {
        let next = at + c.len_utf8();
        if place.is_quoted {
            place.is_quoted = c != '"';
        } else if c == '"' {
            place.is_quoted = true;
        } else if c.is_whitespace() || (matches!(c, '-' | '(') && at == place.term) {
            place.term = next;
            place.value = None;
        } else if c == ':' && place.value.is_none() {
            place.colon = at;
            place.value = Some(next);
        } else if let Some(value) = place.value.as_mut()
            && (c == ',' || (at == *value && matches!(c, '<' | '>' | '=')))
        {
            *value = next;
        }
    }
    place
}

/// The end of the word that the cursor is in.
fn end_of_part(text: &str, at: usize, is_quoted: bool) -> usize {
    let ends = |c: char| {
        if is_quoted {
            c == '"'
        } else {
            c.is_whitespace() || matches!(c, ',' | ')' | '(' | ':')
        }
    };
    let rest = &text[at..];
    match rest.char_indices().find(|(_, c)| ends(*c)) {
        // The quote or the colon is written again by the candidate.
        Some((n, '"' | ':')) => at + n + 1,
        Some((n, _)) => at + n,
        None => text.len(),
    }
}

fn fields(prefix: &str) -> Vec<Candidate> {
    let begins = |word: &str| {
        word.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let mut found: Vec<Field> = Vec::new();
    let named = Field::ALL.iter().filter(|field| begins(field.as_str()));
    found.extend(named);
    if let Some(alias) = Field::named(prefix)
        && !found.contains(&alias)
    {
        found.push(alias);
    }
    let candidate = |field: Field| Candidate {
        text: match field {
            Field::Raw => "raw.".to_owned(),
            other => format!("{other}:"),
        },
        about: Some(field.text().to_owned()),
        count: None,
    };
    found.into_iter().map(candidate).collect()
}

fn words(field: Field, prefix: &str) -> Vec<Candidate> {
    // `sort:-sev` keeps its sign.
    let (sign, bare) = match prefix.strip_prefix('-') {
        Some(bare) if field == Field::Sort => ("-", bare),
        _ => ("", prefix),
    };
    let lower = bare.to_ascii_lowercase();
    let begins = |word: &&str| word.starts_with(&lower);
    let candidate = |word: &str| Candidate {
        text: format!("{sign}{word}"),
        about: None,
        count: None,
    };
    closed_words(field)
        .into_iter()
        .filter(begins)
        .map(candidate)
        .collect()
}
