//! What enrichment makes of an alert: its status and the worst verdict of its indicators.

use calseta_domain::{AlertId, EnrichmentStatus, Malice, Timestamp};

use super::alert::{AlertRow, COLUMNS, JOINS, map, next_generation};
use super::{Reads, malice, uuid};
use crate::{StoreError, WriteTx};

/// Settles the enrichment of an alert: its status and the worst verdict of its indicators.
pub fn settle_enrichment(
    tx: &WriteTx<'_>,
    id: i64,
    status: EnrichmentStatus,
    worst: Malice,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE alert SET enrichment_status=?2, malice=?3, enriched_at=?4, updated_at=?4
             WHERE id=?1",
        )?
        .execute((id, status.as_str(), worst as u8, now.millis()))?;
    Ok(())
}

/// Asks for an alert's enrichment anew: it is Pending again, in a new generation of dispatches. Its
/// verdict stays until the new answers are in. The caller adds the lookups and the match
/// ([`super::job::request`]). The generation.
pub fn request_enrichment(tx: &WriteTx<'_>, id: i64, now: Timestamp) -> Result<u32, StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE alert SET enrichment_status = 'Pending', updated_at = ?2 WHERE id = ?1",
        )?
        .execute((id, now.millis()))?;
    next_generation(tx, id)
}

/// Recomputes the worst verdict of alerts that have this indicator; those that changed, with the
/// verdict before and after. At most `limit` of the newest: lists show the newest first.
pub fn refresh_malice(
    tx: &WriteTx<'_>,
    indicator: i64,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<(AlertId, Malice, Malice)>, StoreError> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT a.id, a.uuid, a.malice, (SELECT coalesce(max(i.malice), 0) FROM alert_indicator l
             JOIN indicator i ON i.id = l.indicator_id WHERE l.alert_id = a.id) AS worst
         FROM alert_indicator ai JOIN alert a ON a.id = ai.alert_id
         WHERE ai.indicator_id = ?1 AND a.enriched_at IS NOT NULL
         ORDER BY ai.occurred_at DESC, ai.alert_id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map((indicator, limit), |row| {
        Ok((
            row.get::<_, i64>(0)?,
            uuid(row, 1)?,
            malice(row, 2)?,
            malice(row, 3)?,
        ))
    })?;
    let mut changed = Vec::new();
    for row in rows {
        let (id, alert, before, after) = row?;
        if before != after {
            tx.conn
                .prepare_cached("UPDATE alert SET malice=?2, updated_at=?3 WHERE id=?1")?
                .execute((id, after as u8, now.millis()))?;
            changed.push((alert, before, after));
        }
    }
    Ok(changed)
}

/// Alerts with this indicator whose enrichment is over and not whole, newest first.
pub fn incomplete(
    tx: &impl Reads,
    indicator: i64,
    limit: u32,
) -> Result<Vec<AlertRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alert_indicator l JOIN alert a ON a.id = l.alert_id {JOINS}
         WHERE l.indicator_id = ?1 AND a.enriched_at IS NOT NULL
           AND a.enrichment_status IN ('Partial', 'Failed')
         ORDER BY l.occurred_at DESC, l.alert_id DESC LIMIT ?2"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map((indicator, limit), map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Corrects what became of an alert's enrichment, after a late answer.
pub fn set_enrichment_status(
    tx: &WriteTx<'_>,
    id: i64,
    status: EnrichmentStatus,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("UPDATE alert SET enrichment_status = ?2, updated_at = ?3 WHERE id = ?1")?
        .execute((id, status.as_str(), now.millis()))?;
    Ok(())
}
