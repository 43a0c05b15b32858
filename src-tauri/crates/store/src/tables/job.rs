//! `job`: work that a commit has promised. Claimed with a fencing token and a boot number, worked
//! on outside any transaction, finished in one.

use std::str::FromStr;

use calseta_domain::{Timestamp, UnknownWord};

use rusqlite::Row;

pub use super::quarantine::{Quarantined, name_new, quarantined, release};

use super::delivery::Lease;
use super::{Reads, boot, found, word};
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

impl FromStr for JobKind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "enrich" => Ok(Self::Enrich),
            "match" => Ok(Self::Match),
            _ => Err(UnknownWord {
                what: "job",
                word: word.to_owned(),
                allowed: &["enrich", "match"],
            }),
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
               uuid = NULL, quarantined_at = NULL,
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
    lease: Lease,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<JobRow>, StoreError> {
    let mut statement = tx.conn.prepare_cached(
        "UPDATE job SET state='running', attempt=attempt+1, boot=?4, lease_until=?6,
           lease_token=coalesce(lease_token, 0) + 1
         WHERE id IN (SELECT id FROM job WHERE kind=?1 AND ref2=?2 AND state='ready' AND run_at<=?3
           ORDER BY run_at, id LIMIT ?5)
         RETURNING id, ref, ref2, attempt, lease_token",
    )?;
    let until = lease.until_awake_ms;
    let given = (
        kind.as_str(),
        object,
        now.millis(),
        lease.boot,
        limit,
        until,
    );
    let rows = statement.query_map(given, |row| mapped(row, kind))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn mapped(row: &Row<'_>, kind: JobKind) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        id: row.get(0)?,
        kind,
        subject: row.get(1)?,
        object: row.get(2)?,
        attempt: row.get(3)?,
        token: row.get(4)?,
    })
}

/// Takes the job in hand that was under way at the most ends of the process, at least two: whoever
/// works on it works on nothing else meanwhile.
pub fn claim_suspect(tx: &WriteTx<'_>, lease: Lease) -> Result<Option<JobRow>, StoreError> {
    let row = tx
        .conn
        .prepare_cached(
            "UPDATE job SET state='running', attempt=attempt+1, boot=?1, lease_until=?2,
               lease_token=coalesce(lease_token, 0) + 1
             WHERE id = (SELECT id FROM job WHERE state='ready' AND crashes > 1
               ORDER BY crashes DESC, id LIMIT 1)
             RETURNING id, ref, ref2, attempt, lease_token, kind",
        )?
        .query_row((lease.boot, lease.until_awake_ms), |row| {
            let kind: JobKind = word(row, 5)?;
            mapped(row, kind)
        });
    found(row)
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
            "UPDATE job SET state='ready', again=0, attempt=0, crashes=0, boot=NULL, lease_until=NULL
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

/// Puts a job back for later. It did not end the process.
pub fn retry(
    tx: &WriteTx<'_>,
    job: &JobRow,
    boot: i64,
    run_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE job SET state='ready', run_at=?4, last_error=?5, crashes=0, boot=NULL,
               lease_until=NULL WHERE id=?1 AND lease_token=?2 AND boot=?3 AND state='running'",
        )?
        .execute((job.id, job.token, boot, run_at.millis(), error))?;
    tx.wake(job.kind.wake());
    Ok(())
}

/// Gives a job up whose work broke off without an answer (a panic, or its time ran out): due again at
/// `run_at`, into quarantine the third time in a row. `false` when it was not in this worker's hand.
pub fn broke_off(
    tx: &WriteTx<'_>,
    job: &JobRow,
    boot: i64,
    (run_at, now): (Timestamp, Timestamp),
    error: &str,
) -> Result<bool, StoreError> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE job SET crashes=crashes+1, run_at=?4, last_error=?5, boot=NULL, lease_until=NULL,
               state=iif(crashes+1 >= ?6, 'dead', 'ready'),
               quarantined_at=iif(crashes+1 >= ?6, ?7, NULL)
             WHERE id=?1 AND lease_token=?2 AND boot=?3 AND state='running'",
        )?
        .execute(rusqlite::params![
            job.id,
            job.token,
            boot,
            run_at.millis(),
            error,
            boot::QUARANTINE_CRASHES,
            now.millis(),
        ])?;
    tx.wake(job.kind.wake());
    Ok(changed > 0)
}

/// Takes back what this process has in hand beyond its lease, jobs and deliveries: whoever worked on
/// it is gone or hangs, and what it still brings is refused by its token. How many.
pub fn sweep(tx: &WriteTx<'_>, lease: Lease, now: Timestamp) -> Result<usize, StoreError> {
    const ERROR: &str = "this took longer than its lease";
    let jobs = tx
        .conn
        .prepare_cached(
            "UPDATE job SET crashes=crashes+1, run_at=?3, last_error=?4, boot=NULL, lease_until=NULL,
               state=iif(crashes+1 >= ?5, 'dead', 'ready'),
               quarantined_at=iif(crashes+1 >= ?5, ?3, NULL)
             WHERE state='running' AND boot=?1 AND lease_until<=?2",
        )?
        .execute((
            lease.boot,
            lease.until_awake_ms,
            now.millis(),
            ERROR,
            boot::QUARANTINE_CRASHES,
        ))?;
    let which = format!(
        "boot={} AND lease_until<={}",
        lease.boot, lease.until_awake_ms
    );
    let deliveries = boot::release_attempts(tx.conn, &which, now.millis(), ERROR)?;
    for wake in [Wake::Matches, Wake::Lookups, Wake::Deliveries] {
        tx.wake(wake);
    }
    Ok(jobs + deliveries)
}

/// When the first lease of this process ends, on its awake clock; `None` when nothing is in hand.
pub fn first_lease(tx: &impl Reads, boot: i64) -> Result<Option<i64>, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached(
            "SELECT min(until) FROM (
               SELECT min(lease_until) AS until FROM job WHERE state='running' AND boot=?1
               UNION ALL
               SELECT min(lease_until) FROM delivery WHERE state='in_flight' AND boot=?1)",
        )?
        .query_row([boot], |row| row.get(0))?)
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
