//! `triage` and `unread`: the marks of an alert. Narrow rows, so that opening an alert writes a few
//! bytes and not its payload once more; an alert without marks has none.

use calseta_domain::{AlertId, Timestamp};

use super::{Reads, time, time_opt, uuid};
use crate::{StoreError, WriteTx};

/// A new alert, which nobody has read.
pub(super) fn added(tx: &WriteTx<'_>, alert: i64) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("INSERT INTO unread(alert_id) VALUES(?1)")?
        .execute([alert])?;
    Ok(())
}

/// Marks an alert as not read, or as read.
pub fn set_unread(tx: &WriteTx<'_>, alert: i64, is_unread: bool) -> Result<(), StoreError> {
    let sql = if is_unread {
        "INSERT INTO unread(alert_id) VALUES(?1) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM unread WHERE alert_id = ?1"
    };
    tx.conn.prepare_cached(sql)?.execute([alert])?;
    Ok(())
}

/// Notes that the analyst has just opened an alert; that reads it.
pub fn note_viewed(tx: &WriteTx<'_>, alert: i64, now: Timestamp) -> Result<(), StoreError> {
    set_unread(tx, alert, false)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO triage(alert_id, last_viewed_at) VALUES(?1, ?2)
             ON CONFLICT(alert_id) DO UPDATE SET last_viewed_at = excluded.last_viewed_at",
        )?
        .execute((alert, now.millis()))?;
    Ok(())
}

/// Flags an alert, or takes the flag away.
pub fn set_flagged(tx: &WriteTx<'_>, alert: i64, is_flagged: bool) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO triage(alert_id, is_flagged) VALUES(?1, ?2)
             ON CONFLICT(alert_id) DO UPDATE SET is_flagged = excluded.is_flagged",
        )?
        .execute((alert, is_flagged))?;
    Ok(())
}

/// Snoozes an alert until a time; `None` wakes it.
pub fn snooze(tx: &WriteTx<'_>, alert: i64, until: Option<Timestamp>) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO triage(alert_id, snoozed_until) VALUES(?1, ?2)
             ON CONFLICT(alert_id) DO UPDATE SET snoozed_until = excluded.snoozed_until",
        )?
        .execute((alert, until.map(Timestamp::millis)))?;
    Ok(())
}

/// Hides an alert by a suppression (its row), or shows it again.
pub(super) fn set_suppressed(
    tx: &WriteTx<'_>,
    alert: i64,
    suppression: Option<i64>,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO triage(alert_id, suppression_id) VALUES(?1, ?2)
             ON CONFLICT(alert_id) DO UPDATE SET suppression_id = excluded.suppression_id",
        )?
        .execute((alert, suppression))?;
    Ok(())
}

/// Wakes up to `limit` alerts whose time has come: which, and until when they slept. Searches count
/// them as awake from that time on by themselves: this is for whoever tells people.
pub fn end_snoozes(
    tx: &WriteTx<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<(AlertId, Timestamp)>, StoreError> {
    let rows = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT m.alert_id, a.uuid, m.snoozed_until FROM triage m
             CROSS JOIN alert a ON a.id = m.alert_id
             WHERE m.snoozed_until <= ?1 ORDER BY m.snoozed_until LIMIT ?2",
        )?;
        let rows = statement.query_map((now.millis(), limit), |row| {
            Ok((row.get::<_, i64>(0)?, (uuid(row, 1)?, time(row, 2)?)))
        })?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    for (alert, _) in &rows {
        snooze(tx, *alert, None)?;
    }
    Ok(rows.into_iter().map(|(_, ended)| ended).collect())
}

/// When the next snooze ends.
pub fn next_wake(tx: &impl Reads) -> Result<Option<Timestamp>, StoreError> {
    let next = tx
        .conn()
        .prepare_cached("SELECT min(snoozed_until) FROM triage WHERE snoozed_until IS NOT NULL")?
        .query_row([], |row| time_opt(row, 0))?;
    Ok(next)
}
