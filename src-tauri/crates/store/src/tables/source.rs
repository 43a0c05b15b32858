//! `source`: where alerts may come from.

use calseta_domain::{Plugin, Timestamp};
use uuid::Uuid;

use super::{Reads, blob, found, time_opt, uuid, word};
use crate::{StoreError, WriteTx};

/// A source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Its id.
    pub uuid: Uuid,
    /// The name in `/v1/ingest/{name}`.
    pub name: String,
    /// What reads its payloads.
    pub plugin: Plugin,
    /// Whether it takes alerts.
    pub is_active: bool,
    /// When its newest alert came in.
    pub last_received_at: Option<Timestamp>,
}

/// Adds a source unless one of this name is there.
pub fn ensure(
    tx: &WriteTx<'_>,
    id: Uuid,
    name: &str,
    plugin: Plugin,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO source(uuid, name, plugin, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, ?4)
         ON CONFLICT(name) DO NOTHING",
        (blob(id), name, plugin.as_str(), now.millis()),
    )?;
    Ok(())
}

/// All sources, by name.
pub fn all(tx: &impl Reads) -> Result<Vec<SourceRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT s.uuid, s.name, s.plugin, s.is_active,
           (SELECT max(ingested_at) FROM alert WHERE source_name = s.name)
         FROM source s ORDER BY s.name",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(SourceRow {
            uuid: uuid(row, 0)?,
            name: row.get(1)?,
            plugin: word(row, 2)?,
            is_active: row.get(3)?,
            last_received_at: time_opt(row, 4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether a source of this name exists.
pub fn exists(tx: &impl Reads, name: &str) -> Result<bool, StoreError> {
    let row = tx
        .conn()
        .query_row("SELECT 1 FROM source WHERE name = ?1", [name], |_| Ok(()));
    Ok(found(row)?.is_some())
}
