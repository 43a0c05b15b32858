//! `boot`: one row a process start, and the rescue of what an earlier process left in hand.

use calseta_domain::Timestamp;
use rusqlite::Connection;

use crate::{StoreError, WriteTx};

/// Ends of the process with the same job in hand that put it into quarantine: it may be what ends it.
pub const QUARANTINE_CRASHES: u32 = 3;
/// The same for a delivery, which is only slowed down before: that a peer was slow when somebody
/// ended the process is no reason to give a message up.
pub const GIVE_UP_CRASHES: u32 = 20;

/// Notes this start and resets orphans: the data directory's lock is exclusive, so whatever is in
/// hand with an older boot number has nobody working on it. An attempt cut off is `unknown`: the
/// agent may have had it, so it is sent again with the same id. A probe cut off has not failed.
pub(crate) fn begin(conn: &Connection, now: Timestamp) -> rusqlite::Result<i64> {
    let at = now.millis();
    let tx = conn.unchecked_transaction()?;
    tx.execute("INSERT INTO boot(started_at) VALUES(?1)", [at])?;
    let epoch = tx.last_insert_rowid();
    tx.execute(
        "UPDATE job SET crashes=crashes+1, boot=NULL, lease_until=NULL,
           state=iif(crashes+1 >= ?2, 'dead', 'ready'),
           quarantined_at=iif(crashes+1 >= ?2, ?1, NULL),
           last_error='the process ended while this was under way'
         WHERE state='running'",
        (at, QUARANTINE_CRASHES),
    )?;
    tx.execute(
        "UPDATE breaker SET next_probe_at=?1
         WHERE agent_id IN (SELECT id FROM agent WHERE health='half_open')",
        [at],
    )?;
    tx.execute(
        "UPDATE agent SET health='open' WHERE health='half_open'",
        [],
    )?;
    release_attempts(
        &tx,
        "1",
        at,
        "the process ended while this attempt was under way",
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

/// Takes deliveries back that are in flight and fit `which`, and closes their attempts. From the
/// sixth end in a row on each waits longer, up to an hour, so that the others go before it. A test is
/// sent once.
pub(super) fn release_attempts(
    conn: &Connection,
    which: &str,
    at: i64,
    error: &str,
) -> rusqlite::Result<usize> {
    conn.prepare_cached(&format!(
        "UPDATE delivery_attempt SET ended_at=?1, outcome='unknown', error=?2
         WHERE ended_at IS NULL
           AND delivery_id IN (SELECT id FROM delivery WHERE state='in_flight' AND {which})"
    ))?
    .execute((at, error))?;
    conn.prepare_cached(&format!(
        "UPDATE delivery SET crashes=crashes+1, boot=NULL, lease_until=NULL,
           dead_reason=iif(crashes+1 >= ?2 OR trigger='test', ?3, NULL),
           (state, next_at)=(SELECT
               CASE WHEN crashes+1 >= ?2 OR trigger='test' THEN 'dead'
                 WHEN g.health='closed' THEN 'due' ELSE 'parked' END,
               CASE WHEN crashes+1 >= ?2 OR trigger='test' OR g.health != 'closed' THEN NULL
                 WHEN crashes < 5 THEN ?1
                 ELSE ?1 + min(3600000, 5000 << min(crashes - 5, 10)) END
             FROM agent g WHERE g.id=delivery.agent_id)
         WHERE state='in_flight' AND {which}"
    ))?
    .execute((at, GIVE_UP_CRASHES, error))
}

/// Notes a clean exit.
pub(crate) fn end(tx: &WriteTx<'_>, boot: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE boot SET clean_exit_at=?2 WHERE epoch=?1",
        (boot, now.millis()),
    )?;
    Ok(())
}
