//! Lists of alerts: filters, orders, pages.
//!
//! Two ways to page: `cursor` (keyset with the row as tie-breaker, cheap at any depth) and
//! v1.1.0's `page` (OFFSET). Filters are values, never SQL.

use calseta_domain::query::Query;
use calseta_domain::{
    AlertStatus, DetectionRuleId, EnrichmentStatus, IndicatorType, Malice, Severity, Timestamp,
};

use super::alert::AlertRow;
use super::{Reads, list, malice, word};
use crate::StoreError;

/// What a capped count counts to.
pub const COUNT_CAP: u64 = 10_000;

/// By what a list is ordered; the row breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertSort {
    /// The sender's time.
    OccurredAt,
    /// The order of ingest.
    CreatedAt,
    /// By title.
    Title,
    /// By status.
    Status,
    /// By rank.
    Severity,
    /// By source.
    SourceName,
}

/// Which alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Any of these.
    pub status: Vec<AlertStatus>,
    /// Any of these.
    pub severity: Vec<Severity>,
    /// Any of these.
    pub source_name: Vec<String>,
    /// Any of these.
    pub enrichment_status: Vec<EnrichmentStatus>,
    /// Whether enrichment is over.
    pub is_enriched: Option<bool>,
    /// Of this rule.
    pub rule: Option<DetectionRuleId>,
    /// Occurred at or after.
    pub from: Option<Timestamp>,
    /// Occurred at or before.
    pub to: Option<Timestamp>,
    /// All of these.
    pub tags: Vec<String>,
}

/// The place after which a keyset page begins: the values of the order's keys and the row.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Keyset {
    /// The values, as SQLite has them.
    pub values: Vec<KeysetValue>,
    /// The row.
    pub id: i64,
}

/// A sort column's value.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum KeysetValue {
    /// Times and ranks.
    Number(i64),
    /// Texts.
    Text(String),
}

/// How a page is found.
#[derive(Debug, Clone, PartialEq)]
pub enum Paging {
    /// After this place; from the beginning with `None`.
    After(Option<Keyset>),
    /// Skipping this many.
    Offset(u64),
}

/// How the list is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// To the end.
    Exact,
    /// To [`COUNT_CAP`].
    Capped,
    /// Not at all.
    None,
}

/// A page to fetch.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertQuery {
    /// Which, by the filter grammar. Its own order, when it names one, wins over `sort`.
    pub query: Option<Query>,
    /// Which, by v1.1.0's filters; both must hold.
    pub filter: AlertFilter,
    /// By what.
    pub sort: AlertSort,
    /// Largest first.
    pub descending: bool,
    /// From where.
    pub paging: Paging,
    /// Rows at the most.
    pub limit: u32,
    /// Whether to count.
    pub counting: Counting,
    /// Whether alerts that a suppression hides are found although the query does not say so. One
    /// that names them, by `is:suppressed` or `-is:suppressed`, decides itself.
    pub include_suppressed: bool,
}

/// A page of alerts.
#[derive(Debug)]
pub struct AlertPage {
    /// Its rows.
    pub rows: Vec<AlertRow>,
    /// How many there are in all; `None` when not counted, or when that would mean to read the payload
    /// of every alert.
    pub total: Option<u64>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Keyset>,
}

/// Fetches a page.
pub fn page(tx: &impl Reads, query: &AlertQuery) -> Result<AlertPage, StoreError> {
    super::search::page(tx, query)
}

/// An indicator shown in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowIndicator {
    /// The alert's row.
    pub alert: i64,
    /// Its type.
    pub kind: IndicatorType,
    /// Its value.
    pub value: String,
    /// Its verdict.
    pub malice: Malice,
}

/// The `each` worst indicators of every alert of a page; among equals the rarer type of evidence
/// (hashes, addresses) before accounts, by row.
pub fn key_indicators(
    tx: &impl Reads,
    alerts: &[i64],
    each: u32,
) -> Result<Vec<RowIndicator>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT alert_id, type, value, malice FROM (
           SELECT l.alert_id, i.type, i.value, i.malice,
             row_number() OVER (PARTITION BY l.alert_id ORDER BY i.malice DESC, i.id) AS place
           FROM alert_indicator l JOIN indicator i ON i.id = l.indicator_id
           WHERE l.alert_id IN (SELECT value FROM json_each(?1)))
         WHERE place <= ?2 ORDER BY alert_id, place",
    )?;
    let rows = statement.query_map((list(alerts), each), |row| {
        Ok(RowIndicator {
            alert: row.get(0)?,
            kind: word(row, 1)?,
            value: row.get(2)?,
            malice: malice(row, 3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
