//! `idempotency`: the first answer to a keyed request, given again to its repetitions.

use calseta_domain::Timestamp;

use super::{Reads, found};
use crate::{StoreError, WriteTx};

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAnswer {
    /// SHA-256 of method, path and body.
    pub request_sha256: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub response: String,
}

/// The first answer to this API key's request key; older than `oldest` does not count.
pub fn get(
    tx: &impl Reads,
    api_key: i64,
    key: &str,
    oldest: Timestamp,
) -> Result<Option<FirstAnswer>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT request_sha256, status, response FROM idempotency
             WHERE api_key_id=?1 AND key=?2 AND created_at>?3",
        )?
        .query_row((api_key, key, oldest.millis()), |row| {
            Ok(FirstAnswer {
                request_sha256: row.get(0)?,
                status: row.get(1)?,
                response: row.get(2)?,
            })
        });
    found(row)
}

/// Stores the first answer, in the transaction of its effect.
pub fn put(
    tx: &WriteTx<'_>,
    (api_key, key): (i64, &str),
    answer: &FirstAnswer,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO idempotency(api_key_id, key, request_sha256, status, response, created_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT(api_key_id, key) DO UPDATE SET request_sha256=excluded.request_sha256,
               status=excluded.status, response=excluded.response, created_at=excluded.created_at",
        )?
        .execute(rusqlite::params![
            api_key,
            key,
            answer.request_sha256,
            answer.status,
            answer.response,
            now.millis(),
        ])?;
    Ok(())
}

/// Forgets first answers older than `oldest`; how many.
pub fn purge(tx: &WriteTx<'_>, oldest: Timestamp) -> Result<usize, StoreError> {
    Ok(tx.conn.execute(
        "DELETE FROM idempotency WHERE created_at <= ?1",
        [oldest.millis()],
    )?)
}
