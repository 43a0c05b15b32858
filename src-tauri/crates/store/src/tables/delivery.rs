//! `delivery`, its payload and its attempts.
//!
//! A delivery is one alert for one agent and one generation; its bytes are frozen. An attempt's row
//! is written, in the transaction that takes the delivery in hand, before the request is sent.

use calseta_domain::{AgentId, AlertId, DeliveryId, Timestamp};
use rusqlite::{Row, params_from_iter};

use super::condition::Condition;
use super::{Reads, backlog, blob, found, time, time_opt, uuid, uuid_opt};
use crate::{StoreError, Wake, WriteTx};

/// A delivery to store.
#[derive(Debug)]
pub struct NewDelivery<'a> {
    /// Its id; the webhook-id follows from it.
    pub uuid: DeliveryId,
    /// The alert's row; `None` for a test with a made-up alert.
    pub alert: Option<i64>,
    /// The agent's row.
    pub agent: i64,
    /// Part of its identity.
    pub generation: u32,
    /// enriched, manual, redeliver, replay or test.
    pub trigger: &'a str,
    /// The payload's row.
    pub payload: i64,
    /// Now.
    pub created_at: Timestamp,
}

/// A delivery in hand: what is needed to make the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedDelivery {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: DeliveryId,
    /// The alert.
    pub alert: Option<AlertId>,
    /// The agent's row.
    pub agent: i64,
    /// The bytes.
    pub body: Vec<u8>,
    /// From 1: which attempt this is.
    pub attempt: u32,
    /// Attempts before this one that count against the schedule.
    pub spent: u32,
    /// Whether it finds out for the others whether the agent is back.
    pub is_probe: bool,
    /// Proves that whoever settles it is who claimed it.
    pub token: i64,
}

/// Who takes a delivery in hand, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The process.
    pub boot: i64,
    /// On its awake clock, in milliseconds: after that the work is nobody's.
    pub until_awake_ms: i64,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// ok, http, timeout, connect, tls, blocked, `too_large` or unknown.
    pub outcome: &'static str,
    /// The agent's status.
    pub status_code: Option<u16>,
    /// Who answered.
    pub remote_ip: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// The answer's first bytes.
    pub response_excerpt: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The agent took it.
    Delivered,
    /// Another attempt at this time.
    Due(Timestamp),
    /// Another attempt when the agent is back.
    Parked,
    /// Given up.
    Dead(String),
}

/// A delivery as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: DeliveryId,
    /// The alert's row.
    pub alert_row: Option<i64>,
    /// The alert.
    pub alert: Option<AlertId>,
    /// The alert's title.
    pub alert_title: Option<String>,
    /// The agent's row.
    pub agent_row: i64,
    /// The agent.
    pub agent: AgentId,
    /// due and so on.
    pub state: String,
    /// Part of its identity.
    pub generation: u32,
    /// Why it was made.
    pub trigger: String,
    /// The body's hash.
    pub body_sha256: [u8; 32],
    /// The body's length.
    pub body_bytes: u64,
    /// When the next attempt is due.
    pub next_at: Option<Timestamp>,
    /// Attempts so far.
    pub attempt: u32,
    /// Why it was given up.
    pub dead_reason: Option<String>,
    /// When the agent took it.
    pub delivered_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An attempt as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// From 1.
    pub n: u32,
    /// Whether it was to find out whether the agent is back.
    pub is_probe: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<String>,
    /// The agent's status.
    pub status_code: Option<u16>,
    /// Who answered.
    pub remote_ip: Option<String>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// The answer's first bytes.
    pub response_excerpt: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

const SELECT: &str = "SELECT d.id, d.uuid, d.alert_id, a.uuid, a.title, d.agent_id, g.uuid, \
    d.state, d.generation, d.trigger, p.sha256, length(p.body), d.next_at, d.attempt, \
    d.dead_reason, d.delivered_at, d.created_at \
    FROM delivery d JOIN delivery_payload p ON p.id = d.payload_id \
    JOIN agent g ON g.id = d.agent_id LEFT JOIN alert a ON a.id = d.alert_id";

fn map(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        alert_row: row.get(2)?,
        alert: uuid_opt(row, 3)?,
        alert_title: row.get(4)?,
        agent_row: row.get(5)?,
        agent: uuid(row, 6)?,
        state: row.get(7)?,
        generation: row.get(8)?,
        trigger: row.get(9)?,
        body_sha256: row.get(10)?,
        body_bytes: row.get(11)?,
        next_at: time_opt(row, 12)?,
        attempt: row.get(13)?,
        dead_reason: row.get(14)?,
        delivered_at: time_opt(row, 15)?,
        created_at: time(row, 16)?,
    })
}

/// Stores a payload's bytes; agents that get the same bytes share them. Its row.
pub fn put_payload(tx: &WriteTx<'_>, sha256: [u8; 32], body: &[u8]) -> Result<i64, StoreError> {
    let known = tx
        .conn
        .prepare_cached("SELECT id FROM delivery_payload WHERE sha256 = ?1")?
        .query_row([sha256], |row| row.get(0));
    if let Some(id) = found(known)? {
        return Ok(id);
    }
    tx.conn
        .prepare_cached("INSERT INTO delivery_payload(sha256, body) VALUES(?1, ?2)")?
        .execute((sha256, body))?;
    Ok(tx.conn.last_insert_rowid())
}

/// Adds a delivery, due now, or parked while the agent's breaker is not closed; `None` when this
/// alert, agent and generation have one already.
pub fn insert(tx: &WriteTx<'_>, delivery: &NewDelivery<'_>) -> Result<Option<i64>, StoreError> {
    let added = tx
        .conn
        .prepare_cached(
            "INSERT INTO delivery(uuid, alert_id, agent_id, generation, trigger, payload_id, state,
               next_at, created_at)
             SELECT ?1, ?2, g.id, ?4, ?5, ?6, iif(g.health = 'closed', 'due', 'parked'),
               iif(g.health = 'closed', ?7, NULL), ?7 FROM agent g WHERE g.id = ?3
             ON CONFLICT DO NOTHING",
        )?
        .execute(rusqlite::params![
            blob(delivery.uuid.uuid()),
            delivery.alert,
            delivery.agent,
            delivery.generation,
            delivery.trigger,
            delivery.payload,
            delivery.created_at.millis(),
        ])?;
    tx.wake(Wake::Deliveries);
    Ok((added > 0).then(|| tx.conn.last_insert_rowid()))
}

/// Takes up to `limit` due deliveries of an agent in hand and writes their attempts. First attempts
/// come before the others, so that what fails again and again delays nothing.
pub fn claim(
    tx: &WriteTx<'_>,
    agent: i64,
    lease: Lease,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<ClaimedDelivery>, StoreError> {
    let ids = backlog::due(tx, agent, limit, now)?;
    ids.into_iter()
        .map(|id| take(tx, id, (lease, false), now))
        .collect()
}

/// Takes one delivery in hand, whatever its state, and writes its attempt; as the probe or not.
pub fn take(
    tx: &WriteTx<'_>,
    id: i64,
    (lease, is_probe): (Lease, bool),
    now: Timestamp,
) -> Result<ClaimedDelivery, StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE delivery SET state='in_flight', attempt=attempt+1, boot=?2, lease_until=?3,
               lease_token=coalesce(lease_token, 0) + 1, next_at=NULL WHERE id=?1",
        )?
        .execute((id, lease.boot, lease.until_awake_ms))?;
    let claimed = tx
        .conn
        .prepare_cached(
            "SELECT d.id, d.uuid, a.uuid, d.agent_id, p.body, d.attempt, d.lease_token, d.spent
             FROM delivery d JOIN delivery_payload p ON p.id = d.payload_id
             LEFT JOIN alert a ON a.id = d.alert_id WHERE d.id = ?1",
        )?
        .query_row([id], |row| {
            Ok(ClaimedDelivery {
                id: row.get(0)?,
                uuid: uuid(row, 1)?,
                alert: uuid_opt(row, 2)?,
                agent: row.get(3)?,
                body: row.get(4)?,
                attempt: row.get(5)?,
                token: row.get(6)?,
                spent: row.get(7)?,
                is_probe,
            })
        })?;
    tx.conn
        .prepare_cached(
            "INSERT INTO delivery_attempt(delivery_id, n, started_at, is_probe)
             VALUES(?1, ?2, ?3, ?4)",
        )?
        .execute((id, claimed.attempt, now.millis(), is_probe))?;
    Ok(claimed)
}

/// Records how an attempt ended, what becomes of the delivery, and how many attempts count against
/// its schedule now. `false` when the delivery is no
/// longer in this worker's hand; then nothing was changed.
pub fn settle(
    tx: &WriteTx<'_>,
    claimed: &ClaimedDelivery,
    boot: i64,
    (outcome, settled, spent): (&AttemptOutcome, &Settled, u32),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (state, next_at, reason, delivered_at) = match settled {
        Settled::Delivered => ("delivered", None, None, Some(now.millis())),
        Settled::Due(at) => ("due", Some(at.millis()), None, None),
        Settled::Parked => ("parked", None, None, None),
        Settled::Dead(reason) => ("dead", None, Some(reason.as_str()), None),
    };
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE delivery SET state=?4, next_at=?5, dead_reason=?6, delivered_at=?7, spent=?8,
               is_retry=(?4 = 'due'), crashes=0, boot=NULL, lease_until=NULL
             WHERE id=?1 AND lease_token=?2 AND boot=?3 AND state='in_flight'",
        )?
        .execute((
            claimed.id,
            claimed.token,
            boot,
            state,
            next_at,
            reason,
            delivered_at,
            spent,
        ))?;
    if changed == 0 {
        return Ok(false);
    }
    tx.conn
        .prepare_cached(
            "UPDATE delivery_attempt SET ended_at=?3, outcome=?4, status_code=?5, remote_ip=?6,
               duration_ms=?7, response_excerpt=?8, error=?9 WHERE delivery_id=?1 AND n=?2",
        )?
        .execute(rusqlite::params![
            claimed.id,
            claimed.attempt,
            now.millis(),
            outcome.outcome,
            outcome.status_code,
            outcome.remote_ip,
            outcome.duration_ms,
            outcome.response_excerpt,
            outcome.error,
        ])?;
    tx.wake(Wake::Deliveries);
    Ok(true)
}

/// One delivery.
pub fn by_uuid(tx: &impl Reads, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
    let sql = format!("{SELECT} WHERE d.uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// Which deliveries to list.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Of this agent (row).
    pub agent: Option<i64>,
    /// Of this alert (row).
    pub alert: Option<i64>,
    /// In this state.
    pub state: Option<String>,
    /// Made at or after.
    pub from: Option<Timestamp>,
    /// Made at or before.
    pub to: Option<Timestamp>,
}

/// A page of deliveries, newest first, and how many there are.
pub fn page(
    tx: &impl Reads,
    filter: &DeliveryFilter,
    limit: u64,
    offset: u64,
) -> Result<(Vec<DeliveryRow>, u64), StoreError> {
    let mut narrowed = Condition::new();
    narrowed.compare_opt("d.agent_id =", filter.agent);
    narrowed.compare_opt("d.alert_id =", filter.alert);
    narrowed.compare_opt("d.state =", filter.state.clone());
    narrowed.compare_opt("d.created_at >=", filter.from.map(Timestamp::millis));
    narrowed.compare_opt("d.created_at <=", filter.to.map(Timestamp::millis));
    let (condition, params) = (narrowed.sql(), || params_from_iter(narrowed.params()));
    let total = tx
        .conn()
        .prepare_cached(&format!(
            "SELECT count(*) FROM delivery d WHERE {condition}"
        ))?
        .query_row(params(), |row| row.get(0))?;
    let sql =
        format!("{SELECT} WHERE {condition} ORDER BY d.id DESC LIMIT {limit} OFFSET {offset}");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map(params(), map)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}

/// Gives a delivery up that waits; whether it waited.
pub fn cancel(tx: &WriteTx<'_>, id: i64) -> Result<bool, StoreError> {
    let changed = tx.conn.execute(
        "UPDATE delivery SET state='cancelled', next_at=NULL
         WHERE id=?1 AND state IN ('due', 'parked')",
        [id],
    )?;
    Ok(changed > 0)
}

/// The attempts of a delivery, oldest first.
pub fn attempts(tx: &impl Reads, delivery: i64) -> Result<Vec<AttemptRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT n, started_at, ended_at, outcome, status_code, remote_ip, duration_ms,
           response_excerpt, error, is_probe FROM delivery_attempt WHERE delivery_id = ?1 ORDER BY n",
    )?;
    let rows = statement.query_map([delivery], |row| {
        Ok(AttemptRow {
            n: row.get(0)?,
            started_at: time(row, 1)?,
            ended_at: time_opt(row, 2)?,
            outcome: row.get(3)?,
            status_code: row.get(4)?,
            remote_ip: row.get(5)?,
            duration_ms: row.get(6)?,
            response_excerpt: row.get(7)?,
            error: row.get(8)?,
            is_probe: row.get(9)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The bytes of a delivery.
pub fn body(tx: &impl Reads, delivery: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT p.body FROM delivery d JOIN delivery_payload p ON p.id = d.payload_id
             WHERE d.id = ?1",
        )?
        .query_row([delivery], |row| row.get(0));
    found(row)
}
