//! `enrichment`: a provider's newest answer about an indicator. Result and persisted cache in one.

use calseta_domain::{Malice, Timestamp};
use rusqlite::Row;
use serde_json::{Map, Value};

use super::{Reads, json, list, malice, time, time_opt};
use crate::{StoreError, WriteTx};

/// A stored answer.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrichmentRow {
    /// The indicator's row.
    pub indicator: i64,
    /// The provider's row.
    pub provider: i64,
    /// The provider's name.
    pub provider_name: String,
    /// Whether the newest try answered.
    pub success: bool,
    /// Of the last success.
    pub extracted: Map<String, Value>,
    /// Of the last success.
    pub malice: Malice,
    /// When it last succeeded.
    pub enriched_at: Option<Timestamp>,
    /// Until when it need not be asked again.
    pub expires_at: Timestamp,
    /// Why the newest try failed.
    pub error: Option<String>,
    /// Whether it is a canned demo answer.
    pub is_demo: bool,
}

fn map(row: &Row<'_>) -> rusqlite::Result<EnrichmentRow> {
    Ok(EnrichmentRow {
        indicator: row.get(0)?,
        provider: row.get(1)?,
        provider_name: row.get(2)?,
        success: row.get::<_, String>(3)? == "success",
        extracted: json(row, 4)?,
        malice: malice(row, 5)?,
        enriched_at: time_opt(row, 6)?,
        expires_at: time(row, 7)?,
        error: row.get(8)?,
        is_demo: row.get(9)?,
    })
}

/// An answer to store.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The extracted fields.
    pub extracted: &'a Map<String, Value>,
    /// The verdict.
    pub malice: Malice,
    /// The provider's JSON, for people who look closer.
    pub raw: Option<&'a str>,
    /// Until when it need not be asked again.
    pub expires_at: Timestamp,
    /// Whether it is a canned demo answer.
    pub is_demo: bool,
}

/// Stores an answer and brings the indicator's verdict up to date: the override, else the worst of
/// all its answers. That verdict.
pub fn store(
    tx: &WriteTx<'_>,
    (indicator, provider): (i64, i64),
    answer: &Answer<'_>,
    now: Timestamp,
) -> Result<Malice, StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO enrichment(indicator_id, provider_id, outcome, extracted, malice,
               enriched_at, expires_at, error, is_demo, raw)
             VALUES(?1, ?2, 'success', ?3, ?4, ?5, ?6, NULL, ?7, ?8)
             ON CONFLICT(indicator_id, provider_id) DO UPDATE SET outcome='success',
               extracted=excluded.extracted, malice=excluded.malice,
               enriched_at=excluded.enriched_at, expires_at=excluded.expires_at, error=NULL,
               is_demo=excluded.is_demo, raw=excluded.raw",
        )?
        .execute(rusqlite::params![
            indicator,
            provider,
            serde_json::to_string(answer.extracted).unwrap_or_else(|_| "{}".to_owned()),
            answer.malice as u8,
            now.millis(),
            answer.expires_at.millis(),
            answer.is_demo,
            answer.raw,
        ])?;
    super::indicator::recompute(tx, indicator, now)?;
    Ok(tx
        .conn
        .prepare_cached("SELECT malice FROM indicator WHERE id = ?1")?
        .query_row([indicator], |row| malice(row, 0))?)
}

/// Notes a failure. What an earlier success said stays: a failed re-run never downgrades it.
pub fn store_failure(
    tx: &WriteTx<'_>,
    (indicator, provider): (i64, i64),
    error: &str,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO enrichment(indicator_id, provider_id, outcome, expires_at, error)
             VALUES(?1, ?2, 'failed', ?3, ?4)
             ON CONFLICT(indicator_id, provider_id) DO UPDATE SET outcome='failed',
               expires_at=excluded.expires_at, error=excluded.error",
        )?
        .execute((indicator, provider, expires_at.millis(), error))?;
    Ok(())
}

/// The answers about some indicators, by provider name.
pub fn of_indicators(
    tx: &impl Reads,
    indicators: &[i64],
) -> Result<Vec<EnrichmentRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT e.indicator_id, e.provider_id, p.name, e.outcome, e.extracted, e.malice,
           e.enriched_at, e.expires_at, e.error, e.is_demo
         FROM enrichment e JOIN provider p ON p.id = e.provider_id
         WHERE e.indicator_id IN (SELECT value FROM json_each(?1)) ORDER BY e.indicator_id, p.id",
    )?;
    let rows = statement.query_map([list(indicators)], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The providers' whole answers about an indicator: the provider's row and its JSON.
pub fn raw_of(tx: &impl Reads, indicator: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT provider_id, raw FROM enrichment WHERE indicator_id = ?1 AND raw IS NOT NULL
         ORDER BY provider_id",
    )?;
    let rows = statement.query_map([indicator], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether a newest try is there, answered or failed, after which it need not be asked again yet.
pub fn is_fresh(
    tx: &impl Reads,
    indicator: i64,
    provider: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM enrichment WHERE indicator_id = ?1 AND provider_id = ?2
               AND expires_at > ?3)",
        )?
        .query_row((indicator, provider, now.millis()), |row| row.get(0))?)
}

/// After a provider was changed: what failed before may be asked again at once.
pub fn forget_failures(tx: &WriteTx<'_>, provider: i64) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE enrichment SET expires_at = 0 WHERE provider_id = ?1 AND outcome = 'failed'",
        [provider],
    )?;
    Ok(())
}
