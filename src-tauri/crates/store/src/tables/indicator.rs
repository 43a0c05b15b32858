//! `indicator` and its links to alerts.

use calseta_domain::{Indicator, IndicatorId, IndicatorType, Malice, Timestamp};
use rusqlite::Row;

use super::{Reads, blob, found, malice, time, uuid, word};
use crate::{StoreError, WriteTx};

/// An indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: IndicatorId,
    /// Its type.
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Its verdict.
    pub malice: Malice,
    /// First alert that had it.
    pub first_seen: Timestamp,
    /// Latest alert that had it.
    pub last_seen: Timestamp,
}

fn map(row: &Row<'_>) -> rusqlite::Result<IndicatorRow> {
    Ok(IndicatorRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        kind: word(row, 2)?,
        value: row.get(3)?,
        malice: malice(row, 4)?,
        first_seen: time(row, 5)?,
        last_seen: time(row, 6)?,
    })
}

/// Finds or adds an indicator and notes that it was seen; its row.
pub fn upsert(
    tx: &WriteTx<'_>,
    new_id: IndicatorId,
    indicator: &Indicator,
    now: Timestamp,
) -> Result<i64, StoreError> {
    // Two statements on purpose: RETURNING builds a temporary table every time.
    let known = tx
        .conn
        .prepare_cached("SELECT id FROM indicator WHERE type = ?1 AND value = ?2")?
        .query_row((indicator.kind.as_str(), &indicator.value), |row| {
            row.get::<_, i64>(0)
        });
    if let Some(id) = found(known)? {
        tx.conn
            .prepare_cached("UPDATE indicator SET last_seen = ?2 WHERE id = ?1")?
            .execute((id, now.millis()))?;
        return Ok(id);
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO indicator(uuid, type, value, first_seen, last_seen)
             VALUES(?1, ?2, ?3, ?4, ?4)",
        )?
        .execute((
            blob(new_id.uuid()),
            indicator.kind.as_str(),
            &indicator.value,
            now.millis(),
        ))?;
    Ok(tx.conn.last_insert_rowid())
}

/// Links an indicator to an alert; once.
pub fn link(
    tx: &WriteTx<'_>,
    alert: i64,
    indicator: i64,
    pass: &str,
    path: &str,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO alert_indicator(alert_id, indicator_id, pass, path) VALUES(?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute((alert, indicator, pass, path))?;
    Ok(())
}

/// An alert's indicators, worst first.
pub fn of_alert(tx: &impl Reads, alert: i64) -> Result<Vec<IndicatorRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT i.id, i.uuid, i.type, i.value, i.malice, i.first_seen, i.last_seen
         FROM alert_indicator l JOIN indicator i ON i.id = l.indicator_id
         WHERE l.alert_id = ?1 ORDER BY i.malice DESC, i.id",
    )?;
    let rows = statement.query_map([alert], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One indicator by its row.
pub fn by_row(tx: &impl Reads, id: i64) -> Result<Option<IndicatorRow>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT id, uuid, type, value, malice, first_seen, last_seen FROM indicator WHERE id = ?1",
        )?
        .query_row([id], map);
    found(row)
}

/// One indicator by what it is.
pub fn find(tx: &impl Reads, indicator: &Indicator) -> Result<Option<IndicatorRow>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT id, uuid, type, value, malice, first_seen, last_seen FROM indicator
             WHERE type = ?1 AND value = ?2",
        )?
        .query_row((indicator.kind.as_str(), &indicator.value), map);
    found(row)
}

/// Sets an indicator's verdict.
pub fn set_malice(tx: &WriteTx<'_>, id: i64, verdict: Malice) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("UPDATE indicator SET malice = ?2 WHERE id = ?1")?
        .execute((id, verdict as u8))?;
    Ok(())
}

/// Makes an indicator's verdict the worst of its stored answers; whether it changed.
pub(super) fn recompute(tx: &WriteTx<'_>, id: i64, _now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE indicator SET malice = worst FROM (
               SELECT coalesce(max(malice), 0) AS worst FROM enrichment WHERE indicator_id = ?1)
             WHERE id = ?1 AND malice != worst",
        )?
        .execute([id])?;
    Ok(changed > 0)
}
