//! `finding`: what was concluded about an alert. Rows whose author's part never changes, so that no
//! two posts can collide; the analyst's part is what was said of it and whether it is folded away.

use calseta_domain::{AgentId, AlertId, ApiKeyId, DeliveryId, FindingId, Timestamp};
use rusqlite::Row;
use serde_json::{Map, Value};

use super::{Reads, blob, found, json, list, time, time_opt, uuid, uuid_opt};
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
    /// The latest finding of the same alert that says to replace it.
    pub superseded_by: Option<FindingId>,
    /// What the analyst said of it.
    pub review: Option<Review>,
    /// Whether the analyst folded it away.
    pub is_hidden: bool,
}

/// What the analyst says of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// accept or disagree.
    pub decision: String,
    /// Why not, as one of the wire's words.
    pub reason: Option<String>,
    /// In the analyst's words.
    pub comment: Option<String>,
    /// Who says it.
    pub reviewed_by: String,
    /// When.
    pub reviewed_at: Timestamp,
}

const SELECT: &str = "SELECT f.uuid, f.alert_id, k.uuid, g.uuid, f.author_name, f.key_prefix, \
    f.summary, f.confidence, f.confidence_level, f.verdict, f.content, d.uuid, f.posted_at, \
    (SELECT l.uuid FROM finding l WHERE l.supersedes_id = f.id ORDER BY l.id DESC LIMIT 1), \
    f.review_decision, f.review_reason, f.review_comment, f.reviewed_by, f.reviewed_at, f.is_hidden \
    FROM finding f LEFT JOIN api_key k ON k.id = f.api_key_id LEFT JOIN agent g ON g.id = f.agent_id \
    LEFT JOIN delivery d ON d.id = f.delivery_id";

fn map(row: &Row<'_>) -> rusqlite::Result<FindingRow> {
    let review = match (row.get(14)?, row.get(17)?, time_opt(row, 18)?) {
        (Some(decision), Some(reviewed_by), Some(reviewed_at)) => Some(Review {
            decision,
            reason: row.get(15)?,
            comment: row.get(16)?,
            reviewed_by,
            reviewed_at,
        }),
        _ => None,
    };
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
        superseded_by: uuid_opt(row, 13)?,
        review,
        is_hidden: row.get(19)?,
    })
}

/// The id of the finding that this one says to replace.
fn superseded(content: &Map<String, Value>) -> Option<[u8; 16]> {
    let id: FindingId = content.get("supersedes")?.as_str()?.parse().ok()?;
    Some(blob(id.uuid()))
}

/// Stores what the analyst says of a finding, over what was said before; whether it is there.
pub fn review(tx: &WriteTx<'_>, id: FindingId, review: &Review) -> Result<bool, StoreError> {
    let changed = tx.conn.execute(
        "UPDATE finding SET review_decision=?2, review_reason=?3, review_comment=?4,
           reviewed_by=?5, reviewed_at=?6 WHERE uuid=?1",
        (
            blob(id.uuid()),
            &review.decision,
            &review.reason,
            &review.comment,
            &review.reviewed_by,
            review.reviewed_at.millis(),
        ),
    )?;
    Ok(changed > 0)
}

/// Folds a finding away, or shows it again; whether that is new.
pub fn hide(tx: &WriteTx<'_>, id: FindingId, is_hidden: bool) -> Result<bool, StoreError> {
    let changed = tx.conn.execute(
        "UPDATE finding SET is_hidden=?2 WHERE uuid=?1 AND is_hidden != ?2",
        (blob(id.uuid()), is_hidden),
    )?;
    Ok(changed > 0)
}

/// Adds a finding. The one that its content says it `supersedes` must be of the same alert.
pub fn insert(tx: &WriteTx<'_>, finding: &NewFinding<'_>) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO finding(uuid, alert_id, api_key_id, agent_id, author_name, key_prefix,
               summary, confidence, confidence_level, verdict, content, delivery_id, repeat_key,
               posted_at, supersedes_id)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
               (SELECT id FROM finding WHERE uuid = ?15 AND alert_id = ?2))",
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
            superseded(finding.content),
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
