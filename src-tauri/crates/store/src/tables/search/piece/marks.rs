//! Tests of what people mark an alert with.

use calseta_domain::Timestamp;
use calseta_domain::query::{FlagWord, HasWord};
use rusqlite::types::Value as Sql;

use super::super::Sub;
use super::Piece;

/// The alert carries a mark.
pub(super) fn flag(word: FlagWord, now: Timestamp) -> Piece {
    match word {
        FlagWord::Unread => rows("unread", &Sub::new("1", Vec::new())),
        FlagWord::Flagged => rows("triage", &Sub::new("is_flagged = 1", Vec::new())),
        FlagWord::Suppressed => rows(
            "triage",
            &Sub::new("suppression_id IS NOT NULL", Vec::new()),
        ),
        FlagWord::Snoozed => {
            let until = vec![Sql::Integer(now.millis())];
            rows("triage", &Sub::new("snoozed_until > ?", until))
        }
        FlagWord::Replay => rows(
            "delivery",
            &Sub::new("trigger = 'replay' AND alert_id IS NOT NULL", Vec::new()),
        ),
        // Nothing makes demo alerts yet.
        FlagWord::Demo => Piece::never(),
    }
}

/// The alert has something.
pub(super) fn has(word: HasWord) -> Piece {
    match word {
        HasWord::Note => rows("note", &Sub::new("1", Vec::new())),
    }
}

/// A table has a row of the alert that passes.
fn rows(table: &str, passes: &Sub) -> Piece {
    let mut cond = Sub::new(
        format!("EXISTS (SELECT 1 FROM {table} WHERE alert_id = a.id AND "),
        Vec::new(),
    );
    cond.append(passes);
    cond.push(")", []);
    let mut driver = Sub::new(format!("SELECT alert_id FROM {table} WHERE "), Vec::new());
    driver.append(passes);
    Piece::driven(cond, driver)
}
