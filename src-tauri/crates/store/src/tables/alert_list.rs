//! Lists of alerts: filters, orders, pages.
//!
//! Two ways to page: `cursor` (keyset with the row as tie-breaker, cheap at any depth) and
//! v1.1.0's `page` (OFFSET). Filters are values, never SQL.

use std::fmt::Write as _;

use calseta_domain::{
    AlertStatus, DetectionRuleId, EnrichmentStatus, IndicatorType, Malice, Severity, Timestamp,
};
use rusqlite::types::Value as Sql;

use super::alert::{AlertRow, COLUMNS, FROM, map};
use super::{Reads, blob, list, malice, word};
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

impl AlertSort {
    const fn column(self) -> &'static str {
        match self {
            Self::OccurredAt => "a.occurred_at",
            Self::CreatedAt => "a.id",
            Self::Title => "a.title",
            Self::Status => "a.status",
            Self::Severity => "a.severity",
            Self::SourceName => "a.source_name",
        }
    }
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

/// The place after which a keyset page begins: the sort column's value and the row.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Keyset {
    /// The value, as SQLite has it.
    pub value: KeysetValue,
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
    /// Which.
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
}

/// A page of alerts.
#[derive(Debug)]
pub struct AlertPage {
    /// Its rows.
    pub rows: Vec<AlertRow>,
    /// How many there are in all; `None` when not counted.
    pub total: Option<u64>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Keyset>,
}

fn any_of(sql: &mut String, params: &mut Vec<Sql>, column: &str, values: String) {
    params.push(Sql::Text(values));
    write!(
        sql,
        " AND {column} IN (SELECT value FROM json_each(?{}))",
        params.len()
    )
    .expect("writing to a String cannot fail");
}

fn compare(sql: &mut String, params: &mut Vec<Sql>, what: &str, value: Sql) {
    params.push(value);
    write!(sql, " AND {what} ?{}", params.len()).expect("writing to a String cannot fail");
}

fn conditions(filter: &AlertFilter) -> (String, Vec<Sql>) {
    let (mut sql, mut params) = ("1".to_owned(), Vec::new());
    if !filter.status.is_empty() {
        any_of(&mut sql, &mut params, "a.status", list(&filter.status));
    }
    if !filter.severity.is_empty() {
        let ranks: Vec<u8> = filter.severity.iter().map(|s| s.rank()).collect();
        any_of(&mut sql, &mut params, "a.severity", list(&ranks));
    }
    if !filter.source_name.is_empty() {
        any_of(
            &mut sql,
            &mut params,
            "a.source_name",
            list(&filter.source_name),
        );
    }
    if !filter.enrichment_status.is_empty() {
        any_of(
            &mut sql,
            &mut params,
            "a.enrichment_status",
            list(&filter.enrichment_status),
        );
    }
    match filter.is_enriched {
        Some(true) => sql.push_str(" AND a.enriched_at IS NOT NULL"),
        Some(false) => sql.push_str(" AND a.enriched_at IS NULL"),
        None => {}
    }
    if let Some(rule) = filter.rule {
        let sub = "a.detection_rule_id = (SELECT id FROM detection_rule WHERE uuid =";
        compare(
            &mut sql,
            &mut params,
            sub,
            Sql::Blob(blob(rule.uuid()).to_vec()),
        );
        sql.push(')');
    }
    if let Some(from) = filter.from {
        compare(
            &mut sql,
            &mut params,
            "a.occurred_at >=",
            Sql::Integer(from.millis()),
        );
    }
    if let Some(to) = filter.to {
        compare(
            &mut sql,
            &mut params,
            "a.occurred_at <=",
            Sql::Integer(to.millis()),
        );
    }
    for tag in &filter.tags {
        params.push(Sql::Text(tag.clone()));
        write!(
            sql,
            " AND ?{} IN (SELECT value FROM json_each(a.tags))",
            params.len()
        )
        .expect("writing to a String cannot fail");
    }
    (sql, params)
}

fn keyset(sql: &mut String, params: &mut Vec<Sql>, query: &AlertQuery, after: &Keyset) {
    let value = match &after.value {
        KeysetValue::Number(number) => Sql::Integer(*number),
        KeysetValue::Text(text) => Sql::Text(text.clone()),
    };
    params.push(value);
    params.push(Sql::Integer(after.id));
    let (op, n) = (if query.descending { '<' } else { '>' }, params.len());
    write!(
        sql,
        " AND ({}, a.id) {op} (?{}, ?{n})",
        query.sort.column(),
        n - 1
    )
    .expect("writing to a String cannot fail");
}

fn place(row: &AlertRow, sort: AlertSort) -> Keyset {
    let value = match sort {
        AlertSort::OccurredAt => KeysetValue::Number(row.occurred_at.millis()),
        AlertSort::CreatedAt => KeysetValue::Number(row.id),
        AlertSort::Title => KeysetValue::Text(row.title.clone()),
        AlertSort::Status => KeysetValue::Text(row.status.as_str().to_owned()),
        AlertSort::Severity => KeysetValue::Number(row.severity.rank().into()),
        AlertSort::SourceName => KeysetValue::Text(row.source_name.clone()),
    };
    Keyset { value, id: row.id }
}

/// Fetches a page.
pub fn page(tx: &impl Reads, query: &AlertQuery) -> Result<AlertPage, StoreError> {
    let (filter, params) = conditions(&query.filter);
    let total = count(tx, query.counting, &filter, &params)?;
    let (mut sql, mut params) = (filter, params);
    let offset = match &query.paging {
        Paging::After(Some(after)) => {
            keyset(&mut sql, &mut params, query, after);
            0
        }
        Paging::After(None) => 0,
        Paging::Offset(offset) => *offset,
    };
    let direction = if query.descending { "DESC" } else { "ASC" };
    let column = query.sort.column();
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE {sql} ORDER BY {column} {direction}, a.id {direction}
         LIMIT {} OFFSET {offset}",
        u64::from(query.limit) + 1
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let mut rows = statement
        .query_map(rusqlite::params_from_iter(params), map)?
        .collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > query.limit as usize;
    rows.truncate(query.limit as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| place(row, query.sort));
    Ok(AlertPage { rows, total, next })
}

fn count(
    tx: &impl Reads,
    counting: Counting,
    filter: &str,
    params: &[Sql],
) -> Result<Option<u64>, StoreError> {
    let sql = match counting {
        Counting::None => return Ok(None),
        Counting::Exact => format!("SELECT count(*) FROM alert a WHERE {filter}"),
        Counting::Capped => format!(
            "SELECT count(*) FROM (SELECT 1 FROM alert a WHERE {filter} LIMIT {})",
            COUNT_CAP + 1
        ),
    };
    let mut statement = tx.conn().prepare_cached(&sql)?;
    Ok(Some(
        statement.query_row(rusqlite::params_from_iter(params), |row| row.get(0))?,
    ))
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
