//! `note`: what people and agents write beside an alert. Never changed; removed only by taking back
//! the change that made one.

use calseta_domain::{NoteId, Timestamp};

use super::{Reads, blob, time, uuid};
use crate::{StoreError, WriteTx};

/// A note to store.
#[derive(Debug)]
pub struct NewNote<'a> {
    /// Its id.
    pub uuid: NoteId,
    /// The alert's row.
    pub alert: i64,
    /// Plain text.
    pub text: &'a str,
    /// The author's name now.
    pub author: &'a str,
    /// analyst, agent, `human_key`, mcp or system.
    pub author_kind: &'a str,
    /// Now.
    pub created_at: Timestamp,
}

/// A stored note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteRow {
    /// Its id.
    pub uuid: NoteId,
    /// Plain text.
    pub text: String,
    /// The author's name when it was written.
    pub author: String,
    /// analyst, agent, `human_key`, mcp or system.
    pub author_kind: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Adds a note.
pub fn insert(tx: &WriteTx<'_>, note: &NewNote<'_>) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO note(uuid, alert_id, text, author, author_kind, created_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            blob(note.uuid.uuid()),
            note.alert,
            note.text,
            note.author,
            note.author_kind,
            note.created_at.millis(),
        ))?;
    Ok(())
}

/// An alert's notes, oldest first.
pub fn of_alert(tx: &impl Reads, alert: i64) -> Result<Vec<NoteRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT uuid, text, author, author_kind, created_at FROM note
         WHERE alert_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([alert], |row| {
        Ok(NoteRow {
            uuid: uuid(row, 0)?,
            text: row.get(1)?,
            author: row.get(2)?,
            author_kind: row.get(3)?,
            created_at: time(row, 4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes a note; whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: NoteId) -> Result<bool, StoreError> {
    let mut statement = tx.conn.prepare_cached("DELETE FROM note WHERE uuid = ?1")?;
    Ok(statement.execute([blob(id.uuid())])? > 0)
}
