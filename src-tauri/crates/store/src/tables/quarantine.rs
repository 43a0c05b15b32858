//! Jobs in quarantine: work that ended the process, or broke off, three times in a row. It is kept, so
//! that the same work is not begun again by the next alert, and people can have it tried once more.

use calseta_domain::{AlertId, JobId, Timestamp};
use rusqlite::Row;

use super::job::JobKind;
use super::{Reads, blob, time, uuid, uuid_opt, word};
use crate::{StoreError, Wake, WriteTx};

/// The most that are shown.
const SHOWN: u32 = 1_000;

/// A job in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its id.
    pub uuid: JobId,
    /// What it does.
    pub kind: JobKind,
    /// enrich: the indicator's row; match: the alert's.
    pub subject: i64,
    /// enrich: the provider's row; match: 0.
    pub object: i64,
    /// match: the alert, unless it is gone.
    pub alert: Option<AlertId>,
    /// match: the alert's title; enrich: the indicator's value.
    pub what: Option<String>,
    /// enrich: the provider's name.
    pub provider: Option<String>,
    /// How often in a row it ended the process or broke off.
    pub crashes: u32,
    /// What is known of the last time.
    pub last_error: Option<String>,
    /// Since when it is in quarantine.
    pub quarantined_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
}

fn map(row: &Row<'_>) -> rusqlite::Result<Quarantined> {
    Ok(Quarantined {
        uuid: uuid(row, 0)?,
        kind: word(row, 1)?,
        subject: row.get(2)?,
        object: row.get(3)?,
        alert: uuid_opt(row, 4)?,
        what: row.get(5)?,
        provider: row.get(6)?,
        crashes: row.get(7)?,
        last_error: row.get(8)?,
        quarantined_at: time(row, 9)?,
        created_at: time(row, 10)?,
    })
}

/// The jobs in quarantine that have an id, the newest first.
pub fn quarantined(tx: &impl Reads) -> Result<Vec<Quarantined>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT j.uuid, j.kind, j.ref, j.ref2, a.uuid, coalesce(a.title, i.value), p.name, j.crashes,
           j.last_error, j.quarantined_at, j.created_at
         FROM job j
           LEFT JOIN alert a ON j.kind = 'match' AND a.id = j.ref
           LEFT JOIN indicator i ON j.kind = 'enrich' AND i.id = j.ref
           LEFT JOIN provider p ON j.kind = 'enrich' AND p.id = j.ref2
         WHERE j.state = 'dead' AND j.uuid IS NOT NULL ORDER BY j.id DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([SHOWN], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Gives those an id that came into quarantine and have none; which.
pub fn name_new(
    tx: &WriteTx<'_>,
    mut new_id: impl FnMut() -> JobId,
) -> Result<Vec<Quarantined>, StoreError> {
    let ids = {
        let mut statement = tx
            .conn
            .prepare_cached("SELECT id FROM job WHERE state = 'dead' AND uuid IS NULL")?;
        let rows = statement.query_map([], |row| row.get::<_, i64>(0))?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    let mut named = Vec::new();
    for id in ids {
        let uuid = new_id();
        tx.conn
            .prepare_cached(
                "UPDATE job SET uuid=?2, quarantined_at=coalesce(quarantined_at, created_at)
                 WHERE id=?1",
            )?
            .execute((id, blob(uuid.uuid())))?;
        named.push(uuid);
    }
    let all = if named.is_empty() {
        Vec::new()
    } else {
        quarantined(tx)?
    };
    Ok(all
        .into_iter()
        .filter(|job| named.contains(&job.uuid))
        .collect())
}

/// Has a job tried once more, now. What it was; `None` when no job in quarantine has this id.
pub fn release(
    tx: &WriteTx<'_>,
    id: JobId,
    now: Timestamp,
) -> Result<Option<Quarantined>, StoreError> {
    let job = quarantined(tx)?.into_iter().find(|job| job.uuid == id);
    if job.is_some() {
        tx.conn
            .prepare_cached(
                "UPDATE job SET state='ready', run_at=?2, attempt=0, crashes=0, uuid=NULL,
                   quarantined_at=NULL WHERE uuid=?1 AND state='dead'",
            )?
            .execute((blob(id.uuid()), now.millis()))?;
        tx.wake(Wake::Matches);
        tx.wake(Wake::Lookups);
    }
    Ok(job)
}
