//! What is kept for how long: counts of what is too old, removal in small pieces, purging one alert,
//! and deleting all of them. `retention` remembers how far that has come.

use calseta_domain::{AlertId, Timestamp};
use rusqlite::OptionalExtension as _;

use super::{Reads, alert, blob, uuid};
use crate::{StoreError, Wake, WriteTx};

/// What is too old, and before when; `None` keeps everything of that kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cutoffs {
    /// Alerts that were closed before.
    pub closed_alerts: Option<Timestamp>,
    /// Alerts that are not closed and were not touched since.
    pub open_alerts: Option<Timestamp>,
    /// Deliveries that are over and were made before.
    pub deliveries: Option<Timestamp>,
    /// Events that happened before lose their details.
    pub event_details: Option<Timestamp>,
    /// Refused payloads that came before.
    pub rejects: Option<Timestamp>,
}

/// How many of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Closed alerts, with all that is theirs.
    pub closed_alerts: u64,
    /// Other alerts, with all that is theirs.
    pub open_alerts: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Events that lose their details.
    pub event_details: u64,
    /// Refused payloads.
    pub rejects: u64,
}

impl Counts {
    /// All of them together.
    pub fn total(&self) -> u64 {
        self.closed_alerts + self.open_alerts + self.deliveries + self.event_details + self.rejects
    }

    /// The sum with another.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            closed_alerts: self.closed_alerts + other.closed_alerts,
            open_alerts: self.open_alerts + other.open_alerts,
            deliveries: self.deliveries + other.deliveries,
            event_details: self.event_details + other.event_details,
            rejects: self.rejects + other.rejects,
        }
    }
}

/// How far removal has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// While all alerts are being deleted: the newest row that goes, and when that was asked for.
    pub delete_until: Option<(i64, Timestamp)>,
    /// How many are gone.
    pub deleted: u64,
    /// Who asked for it, as JSON.
    pub deleted_by: Option<String>,
    /// When retention ran last.
    pub ran_at: Option<Timestamp>,
    /// What it removed, as JSON.
    pub removed: Option<String>,
}

/// How far removal has come.
pub fn progress(tx: &impl Reads) -> Result<Progress, StoreError> {
    Ok(tx.conn().query_row(
        "SELECT delete_until, deleted, deleted_by, ran_at, removed, delete_asked_at
         FROM retention WHERE id = 1",
        [],
        |row| {
            let asked: Option<i64> = row.get(5)?;
            Ok(Progress {
                delete_until: row
                    .get::<_, Option<i64>>(0)?
                    .zip(asked.map(Timestamp::from_millis)),
                deleted: row.get(1)?,
                deleted_by: row.get(2)?,
                ran_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
                removed: row.get(4)?,
            })
        },
    )?)
}

/// Notes that retention ran.
pub fn note_run(tx: &WriteTx<'_>, at: Timestamp, removed: &str) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE retention SET ran_at = ?1, removed = ?2 WHERE id = 1",
        (at.millis(), removed),
    )?;
    Ok(())
}

/// Counts what is too old. Walks no more than what it counts.
pub fn count(tx: &impl Reads, cutoffs: &Cutoffs) -> Result<Counts, StoreError> {
    let number = |sql: &str, cutoff: Option<Timestamp>| -> Result<u64, StoreError> {
        let Some(cutoff) = cutoff else { return Ok(0) };
        let mut statement = tx.conn().prepare_cached(sql)?;
        Ok(statement.query_row([cutoff.millis()], |row| row.get(0))?)
    };
    Ok(Counts {
        closed_alerts: number(
            "SELECT count(*) FROM alert WHERE closed_at < ?1",
            cutoffs.closed_alerts,
        )?,
        open_alerts: number(
            "SELECT count(*) FROM alert WHERE updated_at < ?1 AND closed_at IS NULL",
            cutoffs.open_alerts,
        )?,
        deliveries: number(
            "SELECT count(*) FROM delivery WHERE created_at < ?1
               AND state IN ('delivered', 'dead', 'cancelled')",
            cutoffs.deliveries,
        )?,
        event_details: match details_range(tx, cutoffs.event_details)? {
            None => 0,
            Some((after, until)) => tx
                .conn()
                .prepare_cached(
                    "SELECT count(*) FROM event WHERE seq > ?1 AND seq <= ?2 AND detail IS NOT NULL",
                )?
                .query_row((after, until), |row| row.get(0))?,
        },
        rejects: number("SELECT count(*) FROM reject WHERE at < ?1", cutoffs.rejects)?,
    })
}

/// The events that have details and are too old: after the one, up to the other.
fn details_range(
    tx: &impl Reads,
    cutoff: Option<Timestamp>,
) -> Result<Option<(i64, i64)>, StoreError> {
    let Some(cutoff) = cutoff else {
        return Ok(None);
    };
    let until = tx
        .conn()
        .prepare_cached("SELECT seq FROM event WHERE at < ?1 ORDER BY at DESC, seq DESC LIMIT 1")?
        .query_row([cutoff.millis()], |row| row.get(0))
        .optional()?;
    let after: i64 = tx.conn().query_row(
        "SELECT details_until FROM retention WHERE id = 1",
        [],
        |row| row.get(0),
    )?;
    Ok(until
        .filter(|until| *until > after)
        .map(|until| (after, until)))
}

/// Removes at most `limit` things that are too old, of one kind; how many of which.
pub fn remove_some(tx: &WriteTx<'_>, cutoffs: &Cutoffs, limit: u32) -> Result<Counts, StoreError> {
    let mut removed = Counts::default();
    if let Some(cutoff) = cutoffs.closed_alerts {
        let sql = "SELECT id FROM alert WHERE closed_at < ?1 ORDER BY closed_at LIMIT ?2";
        removed.closed_alerts = remove_alerts(tx, &rows(tx, sql, cutoff, limit)?)?;
    }
    if removed.total() == 0
        && let Some(cutoff) = cutoffs.open_alerts
    {
        let sql = "SELECT id FROM alert WHERE updated_at < ?1 AND closed_at IS NULL
                   ORDER BY updated_at LIMIT ?2";
        removed.open_alerts = remove_alerts(tx, &rows(tx, sql, cutoff, limit)?)?;
    }
    if removed.total() == 0
        && let Some(cutoff) = cutoffs.deliveries
    {
        let sql = "SELECT id FROM delivery WHERE created_at < ?1
                   AND state IN ('delivered', 'dead', 'cancelled') ORDER BY created_at LIMIT ?2";
        removed.deliveries = remove_deliveries(tx, &rows(tx, sql, cutoff, limit)?)?;
    }
    if removed.total() == 0
        && let Some((after, until)) = details_range(tx, cutoffs.event_details)?
    {
        removed.event_details = drop_details(tx, after, until, limit)?;
    }
    if removed.total() == 0
        && let Some(cutoff) = cutoffs.rejects
    {
        let sql = "SELECT id FROM reject WHERE at < ?1 LIMIT ?2";
        for id in rows(tx, sql, cutoff, limit)? {
            removed.rejects += tx.conn.execute("DELETE FROM reject WHERE id = ?1", [id])? as u64;
        }
    }
    Ok(removed)
}

fn rows(
    tx: &WriteTx<'_>,
    sql: &str,
    cutoff: Timestamp,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let rows = statement.query_map((cutoff.millis(), limit), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops the details of the next events; how many had some. Goes on when a whole piece had none.
fn drop_details(
    tx: &WriteTx<'_>,
    mut after: i64,
    until: i64,
    limit: u32,
) -> Result<u64, StoreError> {
    let mut dropped = 0;
    while dropped == 0 && after < until {
        let upto = until.min(after.saturating_add(limit.into()));
        dropped = tx.conn.execute(
            "UPDATE event SET detail = NULL WHERE seq > ?1 AND seq <= ?2 AND detail IS NOT NULL",
            (after, upto),
        )? as u64;
        after = upto;
    }
    tx.conn.execute(
        "UPDATE retention SET details_until = ?1 WHERE id = 1",
        [after],
    )?;
    Ok(dropped)
}

/// Removes alerts with all that is theirs but their events.
fn remove_alerts(tx: &WriteTx<'_>, ids: &[i64]) -> Result<u64, StoreError> {
    let mut removed = 0;
    for id in ids {
        remove_deliveries(tx, &deliveries_of(tx, *id)?)?;
        removed += u64::from(alert::delete(tx, *id)?);
    }
    Ok(removed)
}

fn deliveries_of(tx: &WriteTx<'_>, alert: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx
        .conn
        .prepare_cached("SELECT id FROM delivery WHERE alert_id = ?1")?;
    let rows = statement.query_map([alert], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes deliveries with their attempts, and bodies that no other one has.
fn remove_deliveries(tx: &WriteTx<'_>, ids: &[i64]) -> Result<u64, StoreError> {
    let mut removed = 0;
    for id in ids {
        let body: Option<i64> = tx
            .conn
            .prepare_cached("DELETE FROM delivery WHERE id = ?1 RETURNING payload_id")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let Some(body) = body else { continue };
        removed += 1;
        tx.conn
            .prepare_cached(
                "DELETE FROM delivery_payload WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM delivery WHERE payload_id = ?1)",
            )?
            .execute([body])?;
    }
    Ok(removed)
}

/// What was removed with a purged alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Findings.
    pub findings: u64,
    /// Notes.
    pub notes: u64,
    /// Deliveries, with what was sent and what was answered.
    pub deliveries: u64,
    /// Indicators that no other alert has, with what providers said of them.
    pub indicators: u64,
    /// Events that lost their details.
    pub event_details: u64,
    /// Answers that would have been repeated.
    pub answers: u64,
}

/// Removes an alert and everything that was written because of it; what stays of its events is that
/// they happened. Deleted content is overwritten in the file.
pub fn purge(tx: &WriteTx<'_>, id: i64, alert: AlertId) -> Result<Purged, StoreError> {
    tx.conn.execute_batch("PRAGMA secure_delete=ON")?;
    let purged = purge_all(tx, id, alert);
    tx.conn.execute_batch("PRAGMA secure_delete=FAST")?;
    purged
}

fn purge_all(tx: &WriteTx<'_>, id: i64, alert: AlertId) -> Result<Purged, StoreError> {
    let count = |sql: &str| tx.conn.query_row(sql, [id], |row| row.get::<_, u64>(0));
    let mut purged = Purged {
        findings: count("SELECT count(*) FROM finding WHERE alert_id = ?1")?,
        notes: count("SELECT count(*) FROM note WHERE alert_id = ?1")?,
        ..Purged::default()
    };
    let mut named = vec![alert.uuid().to_string()];
    {
        let mut statement = tx
            .conn
            .prepare("SELECT uuid FROM finding WHERE alert_id = ?1")?;
        for finding in statement.query_map([id], |row| uuid::<uuid::Uuid>(row, 0))? {
            named.push(finding?.to_string());
        }
    }
    let indicators: Vec<i64> = {
        let mut statement = tx
            .conn
            .prepare("SELECT indicator_id FROM alert_indicator WHERE alert_id = ?1")?;
        let rows = statement.query_map([id], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    purged.deliveries = remove_deliveries(tx, &deliveries_of(tx, id)?)?;
    alert::delete(tx, id)?;
    for indicator in indicators {
        purged.indicators += u64::from(forget_indicator(tx, indicator)?);
    }
    let alert = blob(alert.uuid());
    tx.conn
        .execute("DELETE FROM change_item WHERE alert_uuid = ?1", [alert])?;
    purged.event_details = tx.conn.execute(
        "UPDATE event SET detail = NULL WHERE alert_uuid = ?1 AND detail IS NOT NULL",
        [alert],
    )? as u64;
    for name in named {
        purged.answers += tx.conn.execute(
            "DELETE FROM idempotency WHERE instr(response, ?1) > 0",
            [name],
        )? as u64;
    }
    Ok(purged)
}

/// Removes an indicator that no alert has any more; whether that was so.
fn forget_indicator(tx: &WriteTx<'_>, id: i64) -> Result<bool, StoreError> {
    let is_used: bool = tx
        .conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM alert_indicator WHERE indicator_id = ?1)")?
        .query_row([id], |row| row.get(0))?;
    if is_used {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM enrichment WHERE indicator_id = ?1",
        "DELETE FROM job WHERE ref = ?1 AND kind = 'enrich' AND state != 'dead'",
        "DELETE FROM job WHERE ref = ?1 AND kind = 'enrich' AND state = 'dead'",
        "DELETE FROM search_values WHERE rowid = ?1",
    ] {
        tx.conn.prepare_cached(sql)?.execute([id])?;
    }
    Ok(tx
        .conn
        .prepare_cached("DELETE FROM indicator WHERE id = ?1")?
        .execute([id])?
        > 0)
}

/// How many alerts there are.
pub fn alerts(tx: &impl Reads) -> Result<u64, StoreError> {
    Ok(tx
        .conn()
        .query_row("SELECT alerts FROM alert_total", [], |row| row.get(0))?)
}

/// Begins to delete all alerts that there are now. Those that come later stay.
pub fn begin_delete_all(tx: &WriteTx<'_>, by: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE retention SET delete_until = (SELECT max(id) FROM alert), deleted = 0,
           deleted_by = ?1, delete_asked_at = ?2 WHERE id = 1",
        (by, now.millis()),
    )?;
    Ok(())
}

/// Deletes at most `limit` of them; `false` when none is left, and then it is over.
pub fn delete_some(
    tx: &WriteTx<'_>,
    (until, asked_at): (i64, Timestamp),
    limit: u32,
) -> Result<bool, StoreError> {
    let ids: Vec<i64> = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT id FROM alert WHERE id <= ?1 AND ingested_at <= ?2 ORDER BY id LIMIT ?3",
        )?;
        let rows = statement.query_map((until, asked_at.millis(), limit), |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    let removed = remove_alerts(tx, &ids)?;
    let over = ids.len() < usize::try_from(limit).unwrap_or(usize::MAX);
    tx.conn.execute(
        "UPDATE retention SET deleted = deleted + ?1,
           delete_until = CASE WHEN ?2 THEN NULL ELSE delete_until END WHERE id = 1",
        (removed, over),
    )?;
    tx.wake(Wake::Index);
    Ok(!over)
}
