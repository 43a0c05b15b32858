//! `job`: work that a commit has promised. Claimed with a fencing token and a boot number, worked
//! on outside any transaction, finished in one.

use calseta_domain::Timestamp;

use super::{Reads, found};
use crate::{StoreError, Wake, WriteTx};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Ask a provider about an indicator.
    Enrich,
    /// Match an alert with agents, documents and workflows, and freeze its payload.
    Match,
}

impl JobKind {
    const fn wake(self) -> Wake {
        match self {
            Self::Enrich => Wake::Lookups,
            Self::Match => Wake::Matches,
        }
    }

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enrich => "enrich",
            Self::Match => "match",
        }
    }
}

/// A job in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its row.
    pub id: i64,
    /// What it does.
    pub kind: JobKind,
    /// enrich: the indicator's row; match: the alert's.
    pub subject: i64,
    /// enrich: the provider's row; match: 0.
    pub object: i64,
    /// From 1: which try this is.
    pub attempt: u32,
    /// Proves that whoever finishes it is who claimed it.
    pub token: i64,
}

/// Adds a job unless one with the same uniqueness is there already. Whether it was added.
pub fn insert(
    tx: &WriteTx<'_>,
    kind: JobKind,
    (subject, object): (i64, i64),
    run_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let uniq = format!("{}:{subject}:{object}", kind.as_str());
    let added = tx
        .conn
        .prepare_cached(
            "INSERT INTO job(kind, uniq, ref, ref2, run_at, created_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(uniq) DO NOTHING",
        )?
        .execute((
            kind.as_str(),
            uniq,
            subject,
            object,
            run_at.millis(),
            now.millis(),
        ))?;
    tx.wake(kind.wake());
    Ok(added > 0)
}

/// Asks for work that may have been done before: adds the job, or makes the one that waits or was
/// given up due at `run_at`; one that is in hand is done once more afterwards.
pub fn request(
    tx: &WriteTx<'_>,
    kind: JobKind,
    (subject, object): (i64, i64),
    run_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let uniq = format!("{}:{subject}:{object}", kind.as_str());
    tx.conn
        .prepare_cached(
            "INSERT INTO job(kind, uniq, ref, ref2, run_at, created_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(uniq) DO UPDATE SET
               again = state = 'running',
               run_at = iif(state = 'dead', excluded.run_at, min(run_at, excluded.run_at)),
               attempt = iif(state = 'dead', 0, attempt),
               crashes = iif(state = 'dead', 0, crashes),
               state = iif(state = 'dead', 'ready', state)",
        )?
        .execute((
            kind.as_str(),
            uniq,
            subject,
            object,
            run_at.millis(),
            now.millis(),
        ))?;
    tx.wake(kind.wake());
    Ok(())
}

/// Takes up to `limit` due jobs in hand: of a kind and its object (a provider's row; 0 for match).
pub fn claim_of(
    tx: &WriteTx<'_>,
    (kind, object): (JobKind, i64),
    boot: i64,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<JobRow>, StoreError> {
    let mut statement = tx.conn.prepare_cached(
        "UPDATE job SET state='running', attempt=attempt+1, boot=?4,
           lease_token=coalesce(lease_token, 0) + 1
         WHERE id IN (SELECT id FROM job WHERE kind=?1 AND ref2=?2 AND state='ready' AND run_at<=?3
           ORDER BY run_at, id LIMIT ?5)
         RETURNING id, ref, ref2, attempt, lease_token",
    )?;
    let rows = statement.query_map((kind.as_str(), object, now.millis(), boot, limit), |row| {
        Ok(JobRow {
            id: row.get(0)?,
            kind,
            subject: row.get(1)?,
            object: row.get(2)?,
            attempt: row.get(3)?,
            token: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether a job of a kind and object is due.
pub fn is_due(
    tx: &impl Reads,
    kind: JobKind,
    object: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM job
               WHERE kind=?1 AND ref2=?2 AND state='ready' AND run_at<=?3)",
        )?
        .query_row((kind.as_str(), object, now.millis()), |row| row.get(0))?)
}

/// Ends a job, or makes it due at once when it was asked for again meanwhile. `false` when it is no
/// longer in this worker's hand: then its results must be discarded, by failing the transaction.
pub fn finish(tx: &WriteTx<'_>, job: &JobRow, boot: i64) -> Result<bool, StoreError> {
    let again = tx
        .conn
        .prepare_cached(
            "UPDATE job SET state='ready', again=0, attempt=0, boot=NULL
             WHERE id=?1 AND lease_token=?2 AND boot=?3 AND state='running' AND again=1",
        )?
        .execute((job.id, job.token, boot))?;
    if again > 0 {
        tx.wake(job.kind.wake());
        return Ok(true);
    }
    let ended = tx
        .conn
        .prepare_cached(
            "DELETE FROM job WHERE id=?1 AND lease_token=?2 AND boot=?3 AND state='running'",
        )?
        .execute((job.id, job.token, boot))?;
    Ok(ended > 0)
}

/// Puts a job back for later.
pub fn retry(
    tx: &WriteTx<'_>,
    job: &JobRow,
    boot: i64,
    run_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE job SET state='ready', run_at=?4, last_error=?5, boot=NULL
             WHERE id=?1 AND lease_token=?2 AND boot=?3 AND state='running'",
        )?
        .execute((job.id, job.token, boot, run_at.millis(), error))?;
    tx.wake(job.kind.wake());
    Ok(())
}

/// Makes the match jobs due whose alerts have this indicator and no enrichment outstanding.
pub fn release_matches(tx: &WriteTx<'_>, indicator: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE job SET run_at=?2 WHERE kind='match' AND state='ready' AND run_at>?2
               AND EXISTS (SELECT 1 FROM alert_indicator l
                 WHERE l.alert_id=job.ref AND l.indicator_id=?1)
               AND NOT EXISTS (SELECT 1 FROM alert_indicator l JOIN job e ON e.ref=l.indicator_id
                 WHERE l.alert_id=job.ref AND e.kind='enrich' AND e.state!='dead')",
        )?
        .execute((indicator, now.millis()))?;
    tx.wake(Wake::Matches);
    Ok(())
}

/// Makes the match jobs due that wait for no lookup any more, whatever they waited for.
pub(super) fn release_waiting(tx: &WriteTx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE job SET run_at=?1 WHERE kind='match' AND state='ready' AND run_at>?1
               AND NOT EXISTS (SELECT 1 FROM alert_indicator l JOIN job e ON e.ref=l.indicator_id
                 WHERE l.alert_id=job.ref AND e.kind='enrich' AND e.state!='dead')",
        )?
        .execute([now.millis()])?;
    tx.wake(Wake::Matches);
    Ok(())
}

/// The providers (rows) whose answers about an alert are outstanding.
pub fn outstanding_providers(tx: &impl Reads, alert: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT DISTINCT e.ref2 FROM alert_indicator l JOIN job e ON e.ref = l.indicator_id
         WHERE l.alert_id = ?1 AND e.kind = 'enrich' AND e.state != 'dead'",
    )?;
    let rows = statement.query_map([alert], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the next job of a kind is due.
pub fn next_due(tx: &impl Reads, kind: JobKind) -> Result<Option<Timestamp>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT run_at FROM job WHERE kind=?1 AND state='ready' ORDER BY run_at LIMIT 1",
        )?
        .query_row([kind.as_str()], |row| row.get(0));
    Ok(found(row)?.map(Timestamp::from_millis))
}

/// Jobs that wait or run.
pub fn depth(tx: &impl Reads) -> Result<u64, StoreError> {
    Ok(tx.conn().query_row(
        "SELECT count(*) FROM job WHERE state != 'dead'",
        [],
        |row| row.get(0),
    )?)
}
