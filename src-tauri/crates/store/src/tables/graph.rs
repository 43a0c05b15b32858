//! The neighbourhood of an alert: its indicators and the other alerts that have them, in one
//! statement however many there are.

use calseta_domain::{AlertId, AlertStatus, Severity, Timestamp};
use rusqlite::Row;

use super::{Reads, json, severity, time, uuid, word};
use crate::StoreError;

/// Another alert that has an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// The indicator's row.
    pub indicator: i64,
    /// The alert.
    pub uuid: AlertId,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// Its status.
    pub status: AlertStatus,
    /// Its source.
    pub source_name: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its tags.
    pub tags: Vec<String>,
}

fn map(row: &Row<'_>) -> rusqlite::Result<Sibling> {
    Ok(Sibling {
        indicator: row.get(0)?,
        uuid: uuid(row, 1)?,
        title: row.get(2)?,
        severity: severity(row, 3)?,
        status: word(row, 4)?,
        source_name: row.get(5)?,
        occurred_at: time(row, 6)?,
        tags: json(row, 7)?,
    })
}

/// Of every indicator of an alert the `limit` newest other alerts that have it: newest occurred
/// first, by indicator. How many there are in all is the indicator's `alert_count` less this one.
pub fn siblings(tx: &impl Reads, alert: i64, limit: u32) -> Result<Vec<Sibling>, StoreError> {
    // The index has an indicator's alerts in this order: no more are read than shown.
    let mut statement = tx.conn().prepare_cached(
        "SELECT l.indicator_id, s.uuid, s.title, s.severity, s.status, s.source_name,
           s.occurred_at, s.tags
         FROM alert_indicator l CROSS JOIN alert s ON s.id IN (
           SELECT o.alert_id FROM alert_indicator o
           WHERE o.indicator_id = l.indicator_id AND o.alert_id != ?1
           ORDER BY o.occurred_at DESC, o.alert_id DESC LIMIT ?2)
         WHERE l.alert_id = ?1 ORDER BY l.indicator_id, s.occurred_at DESC, s.id DESC",
    )?;
    let rows = statement.query_map((alert, limit), map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
