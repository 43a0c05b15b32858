//! Tests of what the sender wrote.

use calseta_domain::query::{Comparison, RawTest, TextMatch};
use rusqlite::types::Value as Sql;

use super::super::{Sub, texts};
use super::{Piece, text};
use crate::functions::{RawMatch, fold};

/// A value in the payload. Parsing is dear: the condition is a subquery, which SQLite asks last.
pub(super) fn at(path: &str, test: &RawTest) -> Piece {
    let one = |wanted: &TextMatch| match wanted {
        TextMatch::Equal(whole) => RawMatch::Equal(fold(whole)),
        TextMatch::Contains(part) => RawMatch::Contains(fold(part)),
        TextMatch::Like(pattern) if pattern.is_anything() => RawMatch::Any,
        TextMatch::Like(pattern) => RawMatch::Like(texts::folded(pattern)),
    };
    let tests = match test {
        RawTest::Text(any) => any.iter().map(one).collect(),
        RawTest::Number(wanted) => vec![number_range(wanted)],
    };
    let tests = serde_json::to_string(&tests).unwrap_or_else(|_| "[]".to_owned());
    let mut piece = Piece::new(Sub::new(
        "(SELECT raw_matches(a.raw_payload, ?, ?))",
        vec![text(path), Sql::Text(tests)],
    ));
    piece.is_dear = true;
    // A whole text has its words in the payload's column of the word index.
    if let RawTest::Text(any) = test {
        let phrase = |wanted: &TextMatch| match wanted {
            TextMatch::Equal(whole) => texts::phrase(whole).map(|p| format!("(raw : {p})")),
            TextMatch::Contains(_) | TextMatch::Like(_) => None,
        };
        let all: Option<Vec<String>> = any.iter().map(phrase).collect();
        piece.driver = all.map(|all| {
            Sub::new(
                "SELECT rowid FROM search_words WHERE search_words MATCH ?",
                vec![Sql::Text(all.join(" OR "))],
            )
        });
    }
    piece
}

fn number_range(wanted: &Comparison<f64>) -> RawMatch {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let (from, to) = match wanted {
        Comparison::AtLeast(n) => (Included(*n), Unbounded),
        Comparison::Above(n) => (Excluded(*n), Unbounded),
        Comparison::AtMost(n) => (Unbounded, Included(*n)),
        Comparison::Below(n) => (Unbounded, Excluded(*n)),
        // A number without an operator is a text: the grammar makes none of these.
        Comparison::OneOf(any) => {
            let least = any.iter().copied().fold(f64::INFINITY, f64::min);
            let most = any.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (Included(least), Included(most))
        }
    };
    RawMatch::Number { from, to }
}
