//! `reject`: bodies that were refused, so that they can be looked at and replayed.

use calseta_domain::{RejectId, Timestamp};
use rusqlite::Row;

use super::condition::Slice;
use super::{Reads, blob, found, time, uuid};
use crate::{StoreError, WriteTx};

/// Rejects kept a source; the oldest are dropped.
pub const KEPT_ROWS: u64 = 1_000;
/// Payload bytes kept a source; the oldest are dropped.
pub const KEPT_BYTES: u64 = 64 * 1024 * 1024;

/// A refused body, without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: RejectId,
    /// The source's row.
    pub source: i64,
    /// When it was refused.
    pub at: Timestamp,
    /// The error's code, for example `INVALID_PAYLOAD`.
    pub code: String,
    /// Why, in a sentence.
    pub reason: String,
    /// The sender's key, its first characters.
    pub key_prefix: Option<String>,
    /// The body's length.
    pub bytes: u64,
}

/// A body to keep.
#[derive(Debug)]
pub struct NewReject<'a> {
    /// Its id.
    pub uuid: RejectId,
    /// The source's row.
    pub source: i64,
    /// Now.
    pub at: Timestamp,
    /// The error's code.
    pub code: &'a str,
    /// Why, in a sentence.
    pub reason: &'a str,
    /// The sender's key, its first characters.
    pub key_prefix: Option<&'a str>,
    /// The body as it came.
    pub payload: &'a [u8],
}

const COLUMNS: &str = "id, uuid, source_id, at, code, reason, key_prefix, bytes";

fn map(row: &Row<'_>) -> rusqlite::Result<RejectRow> {
    Ok(RejectRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        source: row.get(2)?,
        at: time(row, 3)?,
        code: row.get(4)?,
        reason: row.get(5)?,
        key_prefix: row.get(6)?,
        bytes: row.get(7)?,
    })
}

/// Keeps a refused body and drops its source's oldest beyond [`KEPT_ROWS`] and [`KEPT_BYTES`].
pub fn insert(tx: &WriteTx<'_>, reject: &NewReject<'_>) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO reject(uuid, source_id, at, code, reason, key_prefix, bytes, payload)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(rusqlite::params![
            blob(reject.uuid.uuid()),
            reject.source,
            reject.at.millis(),
            reject.code,
            reject.reason,
            reject.key_prefix,
            reject.payload.len(),
            reject.payload,
        ])?;
    // The index holds what is summed; at most KEPT_ROWS and one are walked.
    tx.conn
        .prepare_cached(
            "DELETE FROM reject WHERE id IN (SELECT id FROM (
               SELECT id, row_number() OVER newest AS place, sum(bytes) OVER newest AS total
               FROM reject WHERE source_id = ?1
               WINDOW newest AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING))
             WHERE place > ?2 OR total > ?3)",
        )?
        .execute((reject.source, KEPT_ROWS, KEPT_BYTES))?;
    Ok(())
}

/// A page of a source's rejects, newest first, and how many there are.
pub fn page(
    tx: &impl Reads,
    source: i64,
    slice: Slice,
) -> Result<(Vec<RejectRow>, u64), StoreError> {
    let total = tx
        .conn()
        .prepare_cached("SELECT count(*) FROM reject WHERE source_id = ?1")?
        .query_row([source], |row| row.get(0))?;
    let sql = format!(
        "SELECT {COLUMNS} FROM reject WHERE source_id = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map((source, slice.limit, slice.offset), map)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}

/// One reject.
pub fn by_uuid(tx: &impl Reads, id: RejectId) -> Result<Option<RejectRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM reject WHERE uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// The first `limit` bytes of a refused body; all of it with `u64::MAX`.
pub fn payload(tx: &impl Reads, id: i64, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let row = tx
        .conn()
        .prepare_cached("SELECT substr(payload, 1, ?2) FROM reject WHERE id = ?1")?
        .query_row((id, limit), |row| row.get(0));
    found(row)
}

/// Removes a reject, for example one that was replayed; whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: RejectId) -> Result<bool, StoreError> {
    Ok(tx
        .conn
        .execute("DELETE FROM reject WHERE uuid = ?1", [blob(id.uuid())])?
        > 0)
}
