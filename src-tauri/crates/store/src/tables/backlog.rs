//! What waits for agents, and what is taken up of it: due now, parked behind a breaker, given up.
//!
//! Moving a backlog is done in pieces, each a commit: ten thousand messages must not make ingest wait.

use calseta_domain::Timestamp;
use calseta_domain::breaker::Health;

use super::{Reads, found, time_opt, word};
use crate::{StoreError, Wake, WriteTx};

/// Deliveries that one commit moves: a few milliseconds of work.
pub const PIECE: u32 = 500;
/// The most that is counted of one state.
pub const COUNTED: u64 = 10_000;

/// The longest waits that anybody can ask for. What is due later than that was put there by a clock
/// that has been set back since: it would wait for days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongestWaits {
    /// Of a delivery's next attempt, in milliseconds.
    pub delivery_ms: i64,
    /// Of a breaker's next probe.
    pub probe_ms: i64,
    /// Of a job.
    pub job_ms: i64,
}

/// Whether anything is due later than it can have been asked for.
pub fn is_stranded(
    tx: &impl Reads,
    waits: LongestWaits,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM agent g WHERE EXISTS(SELECT 1 FROM delivery d
                 WHERE d.agent_id = g.id AND d.state = 'due' AND d.next_at > ?1))
               OR EXISTS(SELECT 1 FROM breaker WHERE next_probe_at > ?2)
               OR EXISTS(SELECT 1 FROM job WHERE kind = 'match' AND state = 'ready' AND run_at > ?3)
               OR EXISTS(SELECT 1 FROM job WHERE kind = 'enrich' AND state = 'ready' AND run_at > ?3)",
        )?
        .query_row(
            (
                now.plus_millis(waits.delivery_ms).millis(),
                now.plus_millis(waits.probe_ms).millis(),
                now.plus_millis(waits.job_ms).millis(),
            ),
            |row| row.get(0),
        )?)
}

/// Makes what is stranded due now, a piece of the deliveries of each agent at a time.
pub fn fetch_back(tx: &WriteTx<'_>, waits: LongestWaits, now: Timestamp) -> Result<(), StoreError> {
    let at = now.millis();
    let agents = {
        let mut statement = tx.conn.prepare_cached("SELECT id FROM agent")?;
        let rows = statement.query_map([], |row| row.get::<_, i64>(0))?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    let latest = now.plus_millis(waits.delivery_ms).millis();
    for agent in agents {
        tx.conn
            .prepare_cached(
                "UPDATE delivery SET next_at=?2 WHERE id IN (SELECT id FROM delivery
                   WHERE agent_id=?1 AND state='due' AND next_at>?3 ORDER BY next_at LIMIT ?4)",
            )?
            .execute((agent, at, latest, PIECE))?;
    }
    tx.conn
        .prepare_cached("UPDATE breaker SET next_probe_at=?1 WHERE next_probe_at>?2")?
        .execute((at, now.plus_millis(waits.probe_ms).millis()))?;
    for kind in ["match", "enrich"] {
        tx.conn
            .prepare_cached(
                "UPDATE job SET run_at=?1 WHERE id IN (SELECT id FROM job
                   WHERE kind=?2 AND state='ready' AND run_at>?3 ORDER BY run_at LIMIT ?4)",
            )?
            .execute((at, kind, now.plus_millis(waits.job_ms).millis(), PIECE))?;
    }
    for wake in [Wake::Matches, Wake::Lookups, Wake::Deliveries] {
        tx.wake(wake);
    }
    Ok(())
}

/// An agent that something waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its row.
    pub agent: i64,
    /// Its breaker's state.
    pub health: Health,
    /// Whether it is told anything.
    pub is_active: bool,
    /// Attempts at once.
    pub max_in_flight: u32,
    /// When the next probe is due.
    pub next_probe_at: Option<Timestamp>,
    /// When its earliest due delivery is due.
    pub next_at: Option<Timestamp>,
    /// Whether anything is parked.
    pub has_parked: bool,
}

/// The agents that something waits for. A few looks into an index an agent, however much waits.
pub fn waiting(tx: &impl Reads) -> Result<Vec<Waiting>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT g.id, g.health, g.is_active, g.max_in_flight, b.next_probe_at,
           (SELECT d.next_at FROM delivery d WHERE d.agent_id = g.id AND d.state = 'due'
              ORDER BY d.next_at LIMIT 1) AS next_at,
           EXISTS(SELECT 1 FROM delivery d WHERE d.agent_id = g.id AND d.state = 'parked')
             AS has_parked
         FROM agent g LEFT JOIN breaker b ON b.agent_id = g.id
         WHERE g.deleted_at IS NULL AND (next_at IS NOT NULL OR has_parked)",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Waiting {
            agent: row.get(0)?,
            health: word(row, 1)?,
            is_active: row.get(2)?,
            max_in_flight: row.get(3)?,
            next_probe_at: time_opt(row, 4)?,
            next_at: time_opt(row, 5)?,
            has_parked: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The due deliveries of an agent, those that no failure has put off before the others, up to `limit`; their rows.
pub(super) fn due(
    tx: &WriteTx<'_>,
    agent: i64,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let mut ids = Vec::new();
    for sql in [
        "SELECT id FROM delivery WHERE agent_id=?1 AND state='due' AND is_retry=0 AND next_at<=?2
         ORDER BY next_at, id LIMIT ?3",
        "SELECT id FROM delivery WHERE agent_id=?1 AND state='due' AND next_at<=?2
         ORDER BY next_at, id LIMIT ?3",
    ] {
        let mut statement = tx.conn.prepare_cached(sql)?;
        let rows = statement.query_map((agent, now.millis(), limit), |row| row.get::<_, i64>(0))?;
        for id in rows {
            let id = id?;
            if ids.len() < limit && !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.len() >= limit {
            break;
        }
    }
    Ok(ids)
}

/// Parks a piece of what is due to an agent, now or later; how many.
pub fn park(tx: &WriteTx<'_>, agent: i64) -> Result<usize, StoreError> {
    let parked = tx
        .conn
        .prepare_cached(
            "UPDATE delivery SET state='parked', next_at=NULL WHERE id IN
               (SELECT id FROM delivery WHERE agent_id=?1 AND state='due' ORDER BY next_at LIMIT ?2)",
        )?
        .execute((agent, PIECE))?;
    tx.wake(Wake::Deliveries);
    Ok(parked)
}

/// Makes a piece of what is parked for an agent due, the oldest first; how many.
pub fn release(tx: &WriteTx<'_>, agent: i64, now: Timestamp) -> Result<usize, StoreError> {
    let released = tx
        .conn
        .prepare_cached(
            "UPDATE delivery SET state='due', is_retry=0, next_at=?3 WHERE id IN
               (SELECT id FROM delivery WHERE agent_id=?1 AND state='parked' ORDER BY id LIMIT ?2)",
        )?
        .execute((agent, PIECE, now.millis()))?;
    tx.wake(Wake::Deliveries);
    Ok(released)
}

/// The oldest parked delivery of an agent but for the first `skip`; the oldest of all when there are
/// no more than those.
pub fn oldest_parked(tx: &impl Reads, agent: i64, skip: u32) -> Result<Option<i64>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT id FROM delivery WHERE agent_id=?1 AND state='parked'
         ORDER BY id LIMIT 1 OFFSET ?2",
    )?;
    let mut at = |skip: u32| found(statement.query_row((agent, skip), |row| row.get(0)));
    match at(skip)? {
        None if skip > 0 => at(0),
        some => Ok(some),
    }
}

/// Which of an agent's deliveries are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The agent's row.
    pub agent: i64,
    /// Made then or later.
    pub from: Timestamp,
    /// Made then or earlier.
    pub to: Timestamp,
}

/// How many of a part are parked.
pub fn count_parked(tx: &impl Reads, part: Part) -> Result<u64, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached(
            "SELECT count(*) FROM delivery WHERE agent_id=?1 AND state='parked'
               AND created_at BETWEEN ?2 AND ?3",
        )?
        .query_row((part.agent, part.from.millis(), part.to.millis()), |row| {
            row.get(0)
        })?)
}

/// Takes up a piece of what was given up for an agent, from the row `after` on: due now, or parked
/// when its breaker is not closed, with its whole schedule before it. How many, and the last row
/// looked at, `None` when that was the last piece.
pub fn revive(
    tx: &WriteTx<'_>,
    part: Part,
    after: i64,
    now: Timestamp,
) -> Result<(u64, Option<i64>), StoreError> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT id, created_at BETWEEN ?2 AND ?3 FROM delivery
         WHERE agent_id=?1 AND state='dead' AND id>?4 ORDER BY id LIMIT ?5",
    )?;
    let (from, to) = (part.from.millis(), part.to.millis());
    let rows = statement.query_map((part.agent, from, to, after, PIECE), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
    })?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let mut revived = 0;
    for (id, is_meant) in &rows {
        if *is_meant && take_up(tx, *id, now)? {
            revived += 1;
        }
    }
    let is_last = rows.len() < PIECE as usize;
    let last = rows.last().map(|(id, _)| *id).filter(|_| !is_last);
    Ok((revived, last))
}

/// Makes a delivery due now, or parks it when the agent's breaker is not closed, unless it is in
/// flight. One that had ended has its whole schedule before it again. Whether it was.
pub fn take_up(tx: &WriteTx<'_>, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE delivery SET
               spent = iif(state IN ('due', 'parked'), spent, 0), crashes = 0, is_retry = 0,
               dead_reason = NULL,
               (state, next_at) = (SELECT iif(g.health = 'closed', 'due', 'parked'),
                   iif(g.health = 'closed', ?2, NULL) FROM agent g WHERE g.id = delivery.agent_id)
             WHERE id=?1 AND state != 'in_flight'",
        )?
        .execute((id, now.millis()))?;
    tx.wake(Wake::Deliveries);
    Ok(changed > 0)
}

/// How much waits for an agent or was given up, each counted to [`COUNTED`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Due, now or later.
    pub due: u64,
    /// Parked.
    pub parked: u64,
    /// Given up.
    pub dead: u64,
}

/// Counts an agent's backlog.
pub fn counts(tx: &impl Reads, agent: i64) -> Result<Counts, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached(
            "SELECT
               (SELECT count(*) FROM (SELECT 1 FROM delivery
                  WHERE agent_id=?1 AND state='due' LIMIT ?2)),
               (SELECT count(*) FROM (SELECT 1 FROM delivery
                  WHERE agent_id=?1 AND state='parked' LIMIT ?2)),
               (SELECT count(*) FROM (SELECT 1 FROM delivery
                  WHERE agent_id=?1 AND state='dead' LIMIT ?2))",
        )?
        .query_row((agent, COUNTED), |row| {
            Ok(Counts {
                due: row.get(0)?,
                parked: row.get(1)?,
                dead: row.get(2)?,
            })
        })?)
}
