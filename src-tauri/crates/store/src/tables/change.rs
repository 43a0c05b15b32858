//! `change` and `change_item`: what a person did to one alert or to many, as far as it can be taken
//! back. An item holds only the fields that differ, before and after: taking it back touches nothing
//! else, and only while the alert still has what the change gave it.

use calseta_domain::{
    AlertId, ChangeId, CloseClassification, Malice, NoteId, SuppressionId, Timestamp,
};
use rusqlite::Row;
use serde_json::{Map, Value, json};

use super::alert::{self, AlertRow};
use super::{Reads, blob, found, note, suppression, time, time_opt, triage, uuid, uuid_opt};
use crate::{StoreError, WriteTx};

/// A change that begins.
#[derive(Debug)]
pub struct NewChange<'a> {
    /// Its id.
    pub uuid: ChangeId,
    /// What is done: a bulk action's kind, or `update` for a single change.
    pub kind: &'a str,
    /// analyst, agent, `human_key`, mcp or system.
    pub actor_kind: &'a str,
    /// The actor's name.
    pub actor_name: &'a str,
    /// Now.
    pub at: Timestamp,
    /// Until when it can be taken back.
    pub undo_until: Timestamp,
}

/// A change as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: ChangeId,
    /// What was done.
    pub kind: String,
    /// analyst, agent, `human_key`, mcp or system.
    pub actor_kind: String,
    /// The actor's name.
    pub actor_name: String,
    /// When.
    pub at: Timestamp,
    /// Until when it can be taken back.
    pub undo_until: Timestamp,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
    /// The suppression that it made, if that is still there.
    pub suppression: Option<SuppressionId>,
}

/// What a change did to one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeItem {
    /// Its row: items are in the order in which they were recorded.
    pub id: i64,
    /// The alert.
    pub alert: AlertId,
    /// The fields that differ, as they were.
    pub before: Map<String, Value>,
    /// The same fields, as the change left them.
    pub after: Map<String, Value>,
    /// The note that it added.
    pub note: Option<NoteId>,
}

/// What became of an item that was to be taken back.
#[derive(Debug)]
pub enum Restored {
    /// The alert is as it was.
    Done {
        /// The alert a moment ago.
        before: Box<AlertRow>,
        /// The alert now.
        after: Box<AlertRow>,
    },
    /// The alert has changed again since, and was left alone.
    Changed,
    /// The alert is no more.
    Gone,
}

/// Begins a change; its row.
pub fn begin(tx: &WriteTx<'_>, change: &NewChange<'_>) -> Result<i64, StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO change(uuid, kind, actor_kind, actor_name, at, undo_until)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            blob(change.uuid.uuid()),
            change.kind,
            change.actor_kind,
            change.actor_name,
            change.at.millis(),
            change.undo_until.millis(),
        ))?;
    Ok(tx.conn.last_insert_rowid())
}

/// Notes which suppression (its row) a change made.
pub fn made_suppression(tx: &WriteTx<'_>, change: i64, suppression: i64) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE change SET suppression_id = ?2 WHERE id = ?1",
        (change, suppression),
    )?;
    Ok(())
}

/// Records what a change did to an alert, after it was done: the alert as it was, against what is
/// stored now. `false` when nothing differs and no note was added; then nothing is recorded.
pub fn record(
    tx: &WriteTx<'_>,
    change: i64,
    before: &AlertRow,
    note: Option<NoteId>,
) -> Result<bool, StoreError> {
    let Some(now) = alert::by_row(tx, before.id)? else {
        return Ok(false);
    };
    let (mut was, mut is) = (fields(before), fields(&now));
    was.retain(|name, value| is.get(name) != Some(value));
    is.retain(|name, _| was.contains_key(name));
    if was.is_empty() && note.is_none() {
        return Ok(false);
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO change_item(change_id, alert_uuid, before, after, note_uuid)
             VALUES(?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            change,
            blob(before.uuid.uuid()),
            Value::Object(was).to_string(),
            Value::Object(is).to_string(),
            note.map(|note| blob(note.uuid())),
        ))?;
    Ok(true)
}

/// One change.
pub fn by_uuid(tx: &impl Reads, id: ChangeId) -> Result<Option<ChangeRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT c.id, c.uuid, c.kind, c.actor_kind, c.actor_name, c.at, c.undo_until, c.undone_at,
           s.uuid
         FROM change c LEFT JOIN suppression s ON s.id = c.suppression_id WHERE c.uuid = ?1",
    )?;
    let row = statement.query_row([blob(id.uuid())], |row| {
        Ok(ChangeRow {
            id: row.get(0)?,
            uuid: uuid(row, 1)?,
            kind: row.get(2)?,
            actor_kind: row.get(3)?,
            actor_name: row.get(4)?,
            at: time(row, 5)?,
            undo_until: time(row, 6)?,
            undone_at: time_opt(row, 7)?,
            suppression: uuid_opt(row, 8)?,
        })
    });
    found(row)
}

/// Up to `limit` items of a change after an item (0 begins), the oldest first.
pub fn items(
    tx: &impl Reads,
    change: i64,
    after: i64,
    limit: u32,
) -> Result<Vec<ChangeItem>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT id, alert_uuid, before, after, note_uuid FROM change_item
         WHERE change_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let rows = statement.query_map((change, after, limit), item)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn item(row: &Row<'_>) -> rusqlite::Result<ChangeItem> {
    Ok(ChangeItem {
        id: row.get(0)?,
        alert: uuid(row, 1)?,
        before: super::json(row, 2)?,
        after: super::json(row, 3)?,
        note: uuid_opt(row, 4)?,
    })
}

/// Takes one item back, when the alert still has what the change gave it.
pub fn restore(
    tx: &WriteTx<'_>,
    item: &ChangeItem,
    now: Timestamp,
) -> Result<Restored, StoreError> {
    let Some(before) = alert::by_uuid(tx, item.alert)? else {
        return Ok(Restored::Gone);
    };
    let present = fields(&before);
    let is_as_left = |(name, value): (&String, &Value)| present.get(name) == Some(value);
    if !item.after.iter().all(is_as_left) {
        return Ok(Restored::Changed);
    }
    let mut row = before.clone();
    for (name, value) in &item.before {
        put(&mut row, name, value)?;
    }
    row.updated_at = now;
    alert::update(tx, &row)?;
    store_marks(tx, &before, &row)?;
    if let Some(note) = item.note {
        note::delete(tx, note)?;
    }
    let after = alert::by_row(tx, before.id)?.ok_or(StoreError::Corrupt("an alert"))?;
    Ok(Restored::Done {
        before: Box::new(before),
        after: Box::new(after),
    })
}

/// Stores the marks that differ.
fn store_marks(tx: &WriteTx<'_>, was: &AlertRow, is: &AlertRow) -> Result<(), StoreError> {
    if was.snoozed_until != is.snoozed_until {
        triage::snooze(tx, is.id, is.snoozed_until)?;
    }
    if was.is_unread != is.is_unread {
        triage::set_unread(tx, is.id, is.is_unread)?;
    }
    if was.is_flagged != is.is_flagged {
        triage::set_flagged(tx, is.id, is.is_flagged)?;
    }
    if was.suppressed_by != is.suppressed_by {
        // One that is gone by now hides nothing any more.
        let suppression = match is.suppressed_by {
            Some(id) => suppression::by_uuid(tx, id)?.map(|row| row.id),
            None => None,
        };
        triage::set_suppressed(tx, is.id, suppression)?;
    }
    Ok(())
}

/// Marks a change as taken back; `false` when it was already.
pub fn mark_undone(tx: &WriteTx<'_>, change: i64, now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx.conn.execute(
        "UPDATE change SET undone_at = ?2 WHERE id = ?1 AND undone_at IS NULL",
        (change, now.millis()),
    )?;
    Ok(changed > 0)
}

/// Forgets changes that were made before a time, up to `limit` items and changes. Whether more are
/// left.
pub fn drop_old(tx: &WriteTx<'_>, before: Timestamp, limit: u32) -> Result<bool, StoreError> {
    let items = tx.conn.execute(
        "DELETE FROM change_item WHERE id IN (
           SELECT i.id FROM change c CROSS JOIN change_item i ON i.change_id = c.id
           WHERE c.at < ?1 LIMIT ?2)",
        (before.millis(), limit),
    )?;
    let changes = tx.conn.execute(
        "DELETE FROM change WHERE id IN (
           SELECT c.id FROM change c WHERE c.at < ?1
             AND NOT EXISTS (SELECT 1 FROM change_item i WHERE i.change_id = c.id) LIMIT ?2)",
        (before.millis(), limit),
    )?;
    let full = |count: usize| u32::try_from(count).is_ok_and(|count| count >= limit);
    Ok(full(items) || full(changes))
}

/// The fields of an alert that a change can set.
fn fields(row: &AlertRow) -> Map<String, Value> {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::millis);
    let all = [
        ("severity", json!(row.severity.as_str())),
        ("status", json!(row.status.as_str())),
        (
            "close_classification",
            json!(row.close_classification.map(CloseClassification::as_str)),
        ),
        ("acknowledged_at", json!(millis(row.acknowledged_at))),
        ("triaged_at", json!(millis(row.triaged_at))),
        ("closed_at", json!(millis(row.closed_at))),
        (
            "malice_override",
            json!(row.malice_override.map(Malice::as_str)),
        ),
        (
            "malice_override_by_agent",
            json!(row.malice_override_by_agent),
        ),
        ("malice_override_at", json!(millis(row.malice_override_at))),
        ("tags", json!(row.tags)),
        ("snoozed_until", json!(millis(row.snoozed_until))),
        ("is_unread", json!(row.is_unread)),
        ("is_flagged", json!(row.is_flagged)),
        (
            "suppressed_by",
            json!(row.suppressed_by.map(|id| id.to_string())),
        ),
    ];
    all.map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// Puts one of the [`fields`] back.
fn put(row: &mut AlertRow, name: &str, value: &Value) -> Result<(), StoreError> {
    match name {
        "severity" => row.severity = word(value)?.ok_or(UNREADABLE)?,
        "status" => row.status = word(value)?.ok_or(UNREADABLE)?,
        "close_classification" => row.close_classification = word(value)?,
        "acknowledged_at" => row.acknowledged_at = at(value)?,
        "triaged_at" => row.triaged_at = at(value)?,
        "closed_at" => row.closed_at = at(value)?,
        "malice_override" => row.malice_override = word(value)?,
        "malice_override_by_agent" => row.malice_override_by_agent = flag(value)?,
        "malice_override_at" => row.malice_override_at = at(value)?,
        "tags" => {
            row.tags = serde_json::from_value(value.clone()).map_err(|_| UNREADABLE)?;
        }
        "snoozed_until" => row.snoozed_until = at(value)?,
        "is_unread" => row.is_unread = flag(value)?,
        "is_flagged" => row.is_flagged = flag(value)?,
        "suppressed_by" => row.suppressed_by = word(value)?,
        _ => return Err(UNREADABLE),
    }
    Ok(())
}

const UNREADABLE: StoreError = StoreError::Corrupt("change_item");

fn word<T: std::str::FromStr>(value: &Value) -> Result<Option<T>, StoreError> {
    match value {
        Value::Null => Ok(None),
        Value::String(word) => word.parse().map(Some).map_err(|_| UNREADABLE),
        _ => Err(UNREADABLE),
    }
}

fn at(value: &Value) -> Result<Option<Timestamp>, StoreError> {
    match value {
        Value::Null => Ok(None),
        other => {
            let millis = other.as_i64().ok_or(UNREADABLE)?;
            Ok(Some(Timestamp::from_millis(millis)))
        }
    }
}

fn flag(value: &Value) -> Result<bool, StoreError> {
    value.as_bool().ok_or(UNREADABLE)
}
