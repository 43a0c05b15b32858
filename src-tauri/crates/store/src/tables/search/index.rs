//! Keeping the word and fragment indexes.
//!
//! Which alerts' words have changed is noted in `search_pending` in the transaction that changes
//! them; so nothing is forgotten whenever the process ends, and ingest does not wait for the
//! tokenizer. [`index_pending`] reads such an alert again and replaces its rows.

use serde_json::Value;

use crate::functions::fold;
use crate::tables::{Reads, found};
use crate::{StoreError, Wake, WriteTx};

/// Text indexed in one call, in bytes: a few milliseconds of work for the writer, which ingest may
/// have to wait for.
const TEXT_BYTES: usize = 64 * 1024;
/// Text of one payload that is indexed, in bytes. More than this is no alert but a file.
const PAYLOAD_TEXT_BYTES: usize = 1024 * 1024;
/// Indicators whose fragments are indexed in one call.
const INDICATORS: u32 = 500;
/// Between texts of one column, so that no phrase is found across them: a word that nobody writes.
const BETWEEN: &str = " \u{E000} ";

/// Indexes up to `limit` alerts whose words have changed, and indicators that are new. Whether more
/// of either is left.
pub fn index_pending(tx: &WriteTx<'_>, limit: u32) -> Result<bool, StoreError> {
    let pending = {
        let mut statement = tx
            .conn
            .prepare_cached("SELECT alert_id FROM search_pending ORDER BY alert_id LIMIT ?1")?;
        let rows = statement.query_map([limit], |row| row.get::<_, i64>(0))?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    tx.forget_reworded();
    let mut bytes = 0;
    for alert in pending {
        if bytes >= TEXT_BYTES {
            break;
        }
        bytes += index_alert(tx, alert)?;
    }
    let more_values = index_values(tx)?;
    let more_alerts: bool = tx
        .conn
        .prepare_cached("SELECT EXISTS(SELECT 1 FROM search_pending)")?
        .query_row([], |row| row.get(0))?;
    Ok(more_alerts || more_values)
}

/// Notes that an alert's words have changed: they are indexed after the commit.
pub(in super::super) fn note_reworded(tx: &WriteTx<'_>, alert: i64) -> Result<(), StoreError> {
    if !tx.is_newly_reworded(alert) {
        return Ok(());
    }
    tx.conn
        .prepare_cached("INSERT INTO search_pending(alert_id) VALUES(?1) ON CONFLICT DO NOTHING")?
        .execute([alert])?;
    tx.wake(Wake::Index);
    Ok(())
}

/// Alerts whose words are not indexed yet.
pub fn pending(tx: &impl Reads) -> Result<u64, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached("SELECT count(*) FROM search_pending")?
        .query_row([], |row| row.get(0))?)
}

/// Replaces an alert's rows in the indexes; how much text it was.
fn index_alert(tx: &WriteTx<'_>, alert: i64) -> Result<usize, StoreError> {
    tx.conn
        .prepare_cached("DELETE FROM search_words WHERE rowid = ?1")?
        .execute([alert])?;
    tx.conn
        .prepare_cached("DELETE FROM search_titles WHERE rowid = ?1")?
        .execute([alert])?;
    tx.conn
        .prepare_cached("DELETE FROM search_pending WHERE alert_id = ?1")?
        .execute([alert])?;
    let row = tx
        .conn
        .prepare_cached("SELECT title, description, raw_payload FROM alert WHERE id = ?1")?
        .query_row([alert], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, String>(2)?,
            ))
        });
    // One that was deleted has no words any more.
    let Some((title, description, payload)) = found(row)? else {
        return Ok(0);
    };
    let title = fold(&title);
    let description = fold(&description.unwrap_or_default());
    let indicators = texts(
        tx,
        "SELECT i.value FROM alert_indicator l JOIN indicator i ON i.id = l.indicator_id
         WHERE l.alert_id = ?1",
        alert,
    )?;
    let findings = texts(tx, "SELECT summary FROM finding WHERE alert_id = ?1", alert)?;
    let raw = payload_text(&payload);
    let bytes = title.len() + description.len() + indicators.len() + findings.len() + raw.len();
    tx.conn
        .prepare_cached("INSERT INTO search_titles(rowid, title) VALUES(?1, ?2)")?
        .execute((alert, &title))?;
    tx.conn
        .prepare_cached(
            "INSERT INTO search_words(rowid, title, description, indicators, findings, raw)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((alert, title, description, indicators, findings, raw))?;
    Ok(bytes)
}

/// All texts that a statement gives for an alert, folded.
fn texts(tx: &WriteTx<'_>, sql: &str, alert: i64) -> Result<String, StoreError> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let rows = statement.query_map([alert], |row| row.get::<_, String>(0))?;
    let all = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(fold(&all.join(BETWEEN)))
}

/// The values of a payload as one text: strings, numbers and booleans, not the names of its keys.
fn payload_text(payload: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(payload) else {
        return String::new();
    };
    let mut text = String::with_capacity(payload.len());
    // The depth of a stored payload is bounded, and a stack of our own bounds nothing else.
    let mut left = vec![&value];
    while let Some(next) = left.pop() {
        if text.len() >= PAYLOAD_TEXT_BYTES {
            break;
        }
        match next {
            Value::Null => {}
            Value::Array(items) => left.extend(items.iter().rev()),
            Value::Object(map) => left.extend(map.values().rev()),
            Value::String(one) => put(&mut text, &fold(one)),
            Value::Bool(_) | Value::Number(_) => put(&mut text, &fold(&next.to_string())),
        }
    }
    text
}

fn put(text: &mut String, one: &str) {
    if !text.is_empty() {
        text.push_str(BETWEEN);
    }
    text.push_str(one);
}

/// Indexes the fragments of indicators that are new. Whether more are left.
fn index_values(tx: &WriteTx<'_>) -> Result<bool, StoreError> {
    let rows = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT id, value FROM indicator
             WHERE id > (SELECT indicators_until FROM search_state) ORDER BY id LIMIT ?1",
        )?;
        let rows = statement.query_map([INDICATORS], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    let Some((last, _)) = rows.last() else {
        return Ok(false);
    };
    let (last, full) = (*last, rows.len() == INDICATORS as usize);
    for (id, value) in rows {
        tx.conn
            .prepare_cached("INSERT INTO search_values(rowid, value) VALUES(?1, ?2)")?
            .execute((id, fold(&value)))?;
    }
    tx.conn
        .prepare_cached("UPDATE search_state SET indicators_until = ?1")?
        .execute([last])?;
    Ok(full)
}
