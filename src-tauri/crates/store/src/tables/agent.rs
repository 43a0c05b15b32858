//! `agent`: who is told about which alerts.

use calseta_domain::breaker::Health;
use calseta_domain::{AgentId, Timestamp};
use rusqlite::Row;
use serde_json::{Map, Value};

use super::{Reads, blob, found, json, list, time, uuid, word};
use crate::{StoreError, WriteTx};

/// An agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: AgentId,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Where alerts are posted.
    pub webhook_url: String,
    /// The header that carries its secret; `None` when it has none.
    pub auth_header_name: Option<String>,
    /// As it was given.
    pub trigger_filter: Map<String, Value>,
    /// v1.1.0's list.
    pub trigger_on_sources: Vec<String>,
    /// v1.1.0's list.
    pub trigger_on_severities: Vec<String>,
    /// An attempt's deadline.
    pub timeout_seconds: u32,
    /// Stored and echoed.
    pub retry_count: u32,
    /// Attempts at once, 1..=32.
    pub max_in_flight: u32,
    /// Whether it is told anything.
    pub is_active: bool,
    /// Its breaker's state.
    pub health: Health,
    /// For people.
    pub documentation: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, uuid, name, description, webhook_url, auth_header_name, trigger_filter, \
    trigger_on_sources, trigger_on_severities, timeout_seconds, retry_count, is_active, health, \
    documentation, created_at, updated_at, max_in_flight";

fn map(row: &Row<'_>) -> rusqlite::Result<AgentRow> {
    Ok(AgentRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        webhook_url: row.get(4)?,
        auth_header_name: row.get(5)?,
        trigger_filter: json(row, 6)?,
        trigger_on_sources: json(row, 7)?,
        trigger_on_severities: json(row, 8)?,
        timeout_seconds: row.get(9)?,
        retry_count: row.get(10)?,
        is_active: row.get(11)?,
        health: word(row, 12)?,
        documentation: row.get(13)?,
        created_at: time(row, 14)?,
        updated_at: time(row, 15)?,
        max_in_flight: row.get(16)?,
    })
}

/// Adds an agent, or stores all of one that is there (same uuid); its row.
pub fn put(tx: &WriteTx<'_>, agent: &AgentRow) -> Result<i64, StoreError> {
    Ok(tx.conn.query_row(
        "INSERT INTO agent(uuid, name, description, webhook_url, auth_header_name, trigger_filter,
           trigger_on_sources, trigger_on_severities, timeout_seconds, retry_count, is_active,
           health, documentation, created_at, updated_at, max_in_flight)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT(uuid) DO UPDATE SET name=excluded.name, description=excluded.description,
           webhook_url=excluded.webhook_url, auth_header_name=excluded.auth_header_name,
           trigger_filter=excluded.trigger_filter, trigger_on_sources=excluded.trigger_on_sources,
           trigger_on_severities=excluded.trigger_on_severities,
           timeout_seconds=excluded.timeout_seconds, retry_count=excluded.retry_count,
           is_active=excluded.is_active, health=excluded.health,
           documentation=excluded.documentation, updated_at=excluded.updated_at,
           max_in_flight=excluded.max_in_flight
         RETURNING id",
        rusqlite::params![
            blob(agent.uuid.uuid()),
            agent.name,
            agent.description,
            agent.webhook_url,
            agent.auth_header_name,
            Value::Object(agent.trigger_filter.clone()).to_string(),
            list(&agent.trigger_on_sources),
            list(&agent.trigger_on_severities),
            agent.timeout_seconds,
            agent.retry_count,
            agent.is_active,
            agent.health.as_str(),
            agent.documentation,
            agent.created_at.millis(),
            agent.updated_at.millis(),
            agent.max_in_flight,
        ],
        |row| row.get(0),
    )?)
}

/// Retires an agent: it is told nothing more, what is owed to it is cancelled, its keys are revoked,
/// its findings stay.
pub fn retire(tx: &WriteTx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE agent SET deleted_at=?2, is_active=0 WHERE id=?1",
        (id, now.millis()),
    )?;
    tx.conn.execute(
        "UPDATE delivery SET state='cancelled', next_at=NULL
         WHERE agent_id=?1 AND state IN ('due', 'parked')",
        [id],
    )?;
    tx.conn.execute(
        "UPDATE api_key SET revoked_at=?2 WHERE agent_id=?1 AND revoked_at IS NULL",
        (id, now.millis()),
    )?;
    Ok(())
}

/// All agents that were not deleted, by name.
pub fn all(tx: &impl Reads) -> Result<Vec<AgentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM agent WHERE deleted_at IS NULL ORDER BY name, id");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One agent that was not deleted.
pub fn by_uuid(tx: &impl Reads, id: AgentId) -> Result<Option<AgentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM agent WHERE uuid = ?1 AND deleted_at IS NULL");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// One agent by its row, deleted or not.
pub fn by_row(tx: &impl Reads, id: i64) -> Result<Option<AgentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM agent WHERE id = ?1");
    found(tx.conn().prepare_cached(&sql)?.query_row([id], map))
}

/// Deliveries that are looked at for [`answer_times`]: an agent that does not answer must not make
/// its page slow.
const LOOKED_AT: u32 = 1_000;
/// Answered deliveries that [`answer_times`] gives.
const ANSWERS: u32 = 100;

/// How long an agent took from a delivery to its first finding about that alert, in milliseconds, for
/// its last 100 answered deliveries, the newest first. An agent that posts before it has answered the
/// delivery took no time.
pub fn answer_times(tx: &impl Reads, agent: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT max(0, coalesce(
             (SELECT min(f.posted_at) FROM finding f WHERE f.delivery_id = v.id),
             (SELECT min(f.posted_at) FROM finding f WHERE f.alert_id = v.alert_id
                AND f.agent_id = v.agent_id AND f.posted_at >= v.created_at)) - v.delivered_at) AS ms
         FROM (SELECT id, alert_id, agent_id, created_at, delivered_at FROM delivery
           WHERE agent_id = ?1 ORDER BY id DESC LIMIT ?2) v
         WHERE v.delivered_at IS NOT NULL AND ms IS NOT NULL ORDER BY v.id DESC LIMIT ?3",
    )?;
    let rows = statement.query_map((agent, LOOKED_AT, ANSWERS), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
