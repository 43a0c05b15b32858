//! Conditions on texts, always ignoring case, and what the fragment index is asked for.

use calseta_domain::query::{FreeText, Pattern, TextMatch};
use rusqlite::types::Value as Sql;

use super::Sub;
use crate::functions::fold;

/// Characters of the shortest fragment that the fragment indexes know.
const FRAGMENT_CHARS: usize = 3;

/// That a text is one of these; `text` is an expression that gives it.
pub(super) fn any(text: &str, matches: &[TextMatch]) -> Sub {
    let folded = format!("fold({text})");
    any_folded(&folded, matches)
}

/// [`any`] of a text that is stored folded.
pub(super) fn any_folded(text: &str, matches: &[TextMatch]) -> Sub {
    let one = |wanted: &TextMatch| match wanted {
        TextMatch::Equal(whole) => Sub::new(format!("{text} = ?"), vec![Sql::Text(fold(whole))]),
        TextMatch::Contains(part) => {
            Sub::new(format!("instr({text}, ?) > 0"), vec![Sql::Text(fold(part))])
        }
        TextMatch::Like(pattern) => like(text, &folded(pattern)),
    };
    let parts: Vec<Sub> = matches.iter().map(one).collect();
    let mut sub = Sub::join(&parts, " OR ");
    sub.sql = format!("({})", sub.sql);
    sub
}

/// The pieces of a pattern, folded.
pub(super) fn folded(pattern: &Pattern) -> Vec<String> {
    pattern.pieces().iter().map(|piece| fold(piece)).collect()
}

/// That a text is these pieces with anything between. SQLite's LIKE ignores the case of ASCII.
pub(super) fn like(text: &str, pieces: &[String]) -> Sub {
    let escape = |piece: &String| {
        let mut escaped = String::with_capacity(piece.len());
        for letter in piece.chars() {
            if matches!(letter, '%' | '_' | '\\') {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
        escaped
    };
    let pattern: Vec<String> = pieces.iter().map(escape).collect();
    Sub::new(
        format!("{text} LIKE ? ESCAPE '\\'"),
        vec![Sql::Text(pattern.join("%"))],
    )
}

/// What the fragment index is asked for: a superset of what passes. `None` when some match has no
/// fragment that is long enough.
pub(super) fn fragments(matches: &[TextMatch]) -> Option<String> {
    let one = |wanted: &TextMatch| match wanted {
        TextMatch::Equal(text) | TextMatch::Contains(text) => pieces_query(&[fold(text)]),
        TextMatch::Like(pattern) => pieces_query(&folded(pattern)),
    };
    let all: Option<Vec<String>> = matches.iter().map(one).collect();
    Some(all?.join(" OR "))
}

/// What the fragment index is asked for to find texts that have all of these pieces.
pub(super) fn pieces_query(pieces: &[String]) -> Option<String> {
    let long = |piece: &&String| piece.chars().count() >= FRAGMENT_CHARS;
    let quoted: Vec<String> = pieces.iter().filter(long).map(|p| quoted(p)).collect();
    (!quoted.is_empty()).then(|| format!("({})", quoted.join(" AND ")))
}

/// A phrase of the index's query language; nothing in it is syntax.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// What the word index is asked for; `None` when the text has no word.
pub(super) fn words(text: &FreeText) -> Option<String> {
    let prefix = if text.is_prefix { " *" } else { "" };
    Some(format!("({}{prefix})", phrase(&text.text)?))
}

/// The words of a text as a phrase; `None` when it has none.
pub(super) fn phrase(text: &str) -> Option<String> {
    // The tokenizer leaves out everything else; a phrase of nothing would be no condition at all.
    let folded = fold(text);
    folded
        .chars()
        .any(char::is_alphanumeric)
        .then(|| quoted(&folded))
}
