//! `boot`: one row a process start, and the rescue of what an earlier process left in hand.

use calseta_domain::Timestamp;
use rusqlite::Connection;

use crate::{StoreError, WriteTx};

/// Notes this start and resets orphans: the data directory's lock is exclusive, so whatever is in
/// hand with an older boot number has nobody working on it. An attempt cut off is `unknown`: the
/// agent may have had it, so it is sent again with the same id.
pub(crate) fn begin(conn: &Connection, now: Timestamp) -> rusqlite::Result<i64> {
    let at = now.millis();
    let tx = conn.unchecked_transaction()?;
    tx.execute("INSERT INTO boot(started_at) VALUES(?1)", [at])?;
    let epoch = tx.last_insert_rowid();
    tx.execute(
        "UPDATE job SET state='ready', crashes=crashes+1, lease_token=NULL, boot=NULL
         WHERE state='running'",
        [],
    )?;
    tx.execute(
        "UPDATE delivery_attempt SET ended_at=?1, outcome='unknown',
           error='the process ended while this attempt was under way'
         WHERE ended_at IS NULL
           AND delivery_id IN (SELECT id FROM delivery WHERE state='in_flight')",
        [at],
    )?;
    tx.execute(
        "UPDATE delivery SET state='due', next_at=?1, crashes=crashes+1, lease_token=NULL, boot=NULL
         WHERE state='in_flight'",
        [at],
    )?;
    tx.commit()?;
    Ok(epoch)
}

/// Writes this start's row as it is.
pub(crate) fn touch(tx: &WriteTx<'_>, boot: i64) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE boot SET started_at = started_at WHERE epoch = ?1",
        [boot],
    )?;
    Ok(())
}

/// Notes a clean exit.
pub(crate) fn end(tx: &WriteTx<'_>, boot: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE boot SET clean_exit_at=?2 WHERE epoch=?1",
        (boot, now.millis()),
    )?;
    Ok(())
}
