//! `checklist_mark`: which items of a document's checklist are done for an alert. Items that nobody
//! touched have no row.

use calseta_domain::{DocumentId, Timestamp};

use super::{Reads, time, uuid};
use crate::{StoreError, WriteTx};

/// An item to tick or to untick.
#[derive(Debug)]
pub struct NewMark<'a> {
    /// The alert's row.
    pub alert: i64,
    /// The document's row.
    pub document: i64,
    /// The item's place in the document, from 0.
    pub item: u32,
    /// Whether it is done.
    pub is_done: bool,
    /// Who says so.
    pub author: &'a str,
    /// Now.
    pub at: Timestamp,
}

/// An item as it stands for an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkRow {
    /// The document.
    pub document: DocumentId,
    /// The item's place in the document, from 0.
    pub item: u32,
    /// Whether it is done.
    pub is_done: bool,
    /// Who said so last.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

/// Ticks or unticks an item. Whether that is new: saying it again changes neither author nor time.
pub fn mark(tx: &WriteTx<'_>, mark: &NewMark<'_>) -> Result<bool, StoreError> {
    let changed = tx
        .conn
        .prepare_cached(
            "INSERT INTO checklist_mark(alert_id, document_id, item, is_done, author, at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT(alert_id, document_id, item) DO UPDATE SET is_done = excluded.is_done,
               author = excluded.author, at = excluded.at WHERE is_done != excluded.is_done",
        )?
        .execute((
            mark.alert,
            mark.document,
            mark.item,
            mark.is_done,
            mark.author,
            mark.at.millis(),
        ))?;
    Ok(changed > 0)
}

/// The marks of an alert, by document and item.
pub fn of_alert(tx: &impl Reads, alert: i64) -> Result<Vec<MarkRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT d.uuid, m.item, m.is_done, m.author, m.at FROM checklist_mark m
         JOIN context_document d ON d.id = m.document_id
         WHERE m.alert_id = ?1 ORDER BY m.document_id, m.item",
    )?;
    let rows = statement.query_map([alert], |row| {
        Ok(MarkRow {
            document: uuid(row, 0)?,
            item: row.get(1)?,
            is_done: row.get(2)?,
            author: row.get(3)?,
            at: time(row, 4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
