//! `finding`: what was concluded about an alert. Immutable rows, so that no two posts can collide.

use calseta_domain::{AgentId, AlertId, ApiKeyId, DeliveryId, FindingId, Timestamp};
use rusqlite::Row;
use serde_json::{Map, Value};

use super::{Reads, blob, found, json, list, time, uuid, uuid_opt};
use crate::{StoreError, Wake, WriteTx};

/// A finding to store.
#[derive(Debug)]
pub struct NewFinding<'a> {
    /// Its id.
    pub uuid: FindingId,
    /// The alert's row.
    pub alert: i64,
    /// The key's row.
    pub key: Option<i64>,
    /// The agent's row.
    pub agent: Option<i64>,
    /// The author's name now.
    pub author_name: &'a str,
    /// The key's first characters.
    pub key_prefix: Option<&'a str>,
    /// The conclusion.
    pub summary: &'a str,
    /// 0..=1.
    pub confidence: Option<f64>,
    /// low, medium or high.
    pub confidence_level: Option<&'a str>,
    /// The verdict.
    pub verdict: Option<&'a str>,
    /// The other fields.
    pub content: &'a Map<String, Value>,
    /// The delivery that it answers.
    pub delivery: Option<i64>,
    /// Same key, same delivery, same body: once.
    pub repeat_key: Option<[u8; 32]>,
    /// Now.
    pub posted_at: Timestamp,
}

/// A stored finding.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRow {
    /// Its id.
    pub uuid: FindingId,
    /// The alert's row.
    pub alert: i64,
    /// The key.
    pub key: Option<ApiKeyId>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The author's name.
    pub author_name: String,
    /// The key's first characters.
    pub key_prefix: Option<String>,
    /// The conclusion.
    pub summary: String,
    /// 0..=1.
    pub confidence: Option<f64>,
    /// low, medium or high.
    pub confidence_level: Option<String>,
    /// The verdict.
    pub verdict: Option<String>,
    /// The other fields.
    pub content: Map<String, Value>,
    /// The delivery that it answers.
    pub delivery: Option<DeliveryId>,
    /// When it was accepted.
    pub posted_at: Timestamp,
}

const SELECT: &str = "SELECT f.uuid, f.alert_id, k.uuid, g.uuid, f.author_name, f.key_prefix, \
    f.summary, f.confidence, f.confidence_level, f.verdict, f.content, d.uuid, f.posted_at \
    FROM finding f LEFT JOIN api_key k ON k.id = f.api_key_id LEFT JOIN agent g ON g.id = f.agent_id \
    LEFT JOIN delivery d ON d.id = f.delivery_id";

fn map(row: &Row<'_>) -> rusqlite::Result<FindingRow> {
    Ok(FindingRow {
        uuid: uuid(row, 0)?,
        alert: row.get(1)?,
        key: uuid_opt(row, 2)?,
        agent: uuid_opt(row, 3)?,
        author_name: row.get(4)?,
        key_prefix: row.get(5)?,
        summary: row.get(6)?,
        confidence: row.get(7)?,
        confidence_level: row.get(8)?,
        verdict: row.get(9)?,
        content: json(row, 10)?,
        delivery: uuid_opt(row, 11)?,
        posted_at: time(row, 12)?,
    })
}

/// Adds a finding.
pub fn insert(tx: &WriteTx<'_>, finding: &NewFinding<'_>) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO finding(uuid, alert_id, api_key_id, agent_id, author_name, key_prefix,
               summary, confidence, confidence_level, verdict, content, delivery_id, repeat_key,
               posted_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(rusqlite::params![
            blob(finding.uuid.uuid()),
            finding.alert,
            finding.key,
            finding.agent,
            finding.author_name,
            finding.key_prefix,
            finding.summary,
            finding.confidence,
            finding.confidence_level,
            finding.verdict,
            serde_json::to_string(finding.content).unwrap_or_else(|_| "{}".to_owned()),
            finding.delivery,
            finding.repeat_key,
            finding.posted_at.millis(),
        ])?;
    tx.wake(Wake::Index);
    Ok(())
}

/// The finding that this one repeats.
pub fn by_repeat_key(tx: &impl Reads, key: [u8; 32]) -> Result<Option<FindingRow>, StoreError> {
    let sql = format!("{SELECT} WHERE f.repeat_key = ?1");
    found(tx.conn().prepare_cached(&sql)?.query_row([key], map))
}

/// One finding.
pub fn by_uuid(tx: &impl Reads, id: FindingId) -> Result<Option<FindingRow>, StoreError> {
    let sql = format!("{SELECT} WHERE f.uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// An alert's findings, oldest first.
pub fn of_alert(tx: &impl Reads, alert: i64) -> Result<Vec<FindingRow>, StoreError> {
    let sql = format!("{SELECT} WHERE f.alert_id = ?1 ORDER BY f.id");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([alert], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Author and verdict of every finding of a page of alerts: alert's row, author, verdict.
pub fn summaries(
    tx: &impl Reads,
    alerts: &[i64],
) -> Result<Vec<(i64, String, Option<String>)>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT alert_id, author_name, verdict FROM finding
         WHERE alert_id IN (SELECT value FROM json_each(?1)) ORDER BY id",
    )?;
    let rows = statement.query_map([list(alerts)], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The findings that answer a delivery.
pub fn of_delivery(tx: &impl Reads, delivery: i64) -> Result<Vec<FindingId>, StoreError> {
    let mut statement = tx
        .conn()
        .prepare_cached("SELECT uuid FROM finding WHERE delivery_id = ?1 ORDER BY id")?;
    let rows = statement.query_map([delivery], |row| uuid(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The alert that a finding is about.
pub fn alert_of(tx: &impl Reads, id: FindingId) -> Result<Option<AlertId>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT a.uuid FROM finding f JOIN alert a ON a.id = f.alert_id WHERE f.uuid = ?1",
        )?
        .query_row([blob(id.uuid())], |row| uuid(row, 0));
    found(row)
}
