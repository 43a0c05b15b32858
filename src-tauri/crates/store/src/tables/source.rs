//! `source`: where alerts may come from. Alerts keep the name of a source that was deleted.

use calseta_domain::{Plugin, SourceId, Timestamp};
use rusqlite::Row;
use serde_json::{Map, Value};

use super::{Reads, blob, found, json_opt, time, time_opt, uuid, word};
use crate::{StoreError, WriteTx};

/// A source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: SourceId,
    /// The name in `/v1/ingest/{name}`.
    pub name: String,
    /// What reads its payloads.
    pub plugin: Plugin,
    /// Its name for people; `None` = the plugin's.
    pub display_name: Option<String>,
    /// For people, Markdown.
    pub documentation: Option<String>,
    /// The generic plugin's paths.
    pub field_map: Option<Map<String, Value>>,
    /// How its requests prove themselves; v1.1.0's free text.
    pub auth_type: Option<String>,
    /// Whether it takes alerts.
    pub is_active: bool,
    /// When it was heard last, repetitions too.
    pub last_received_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, uuid, name, plugin, display_name, documentation, field_map, auth_type, \
                       is_active, last_received_at, created_at, updated_at";

fn map(row: &Row<'_>) -> rusqlite::Result<SourceRow> {
    Ok(SourceRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        name: row.get(2)?,
        plugin: word(row, 3)?,
        display_name: row.get(4)?,
        documentation: row.get(5)?,
        field_map: json_opt(row, 6)?,
        auth_type: row.get(7)?,
        is_active: row.get(8)?,
        last_received_at: time_opt(row, 9)?,
        created_at: time(row, 10)?,
        updated_at: time(row, 11)?,
    })
}

/// Adds a source unless one of this name is there.
pub fn ensure(
    tx: &WriteTx<'_>,
    id: SourceId,
    name: &str,
    plugin: Plugin,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO source(uuid, name, plugin, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, ?4)
         ON CONFLICT(name) DO NOTHING",
        (blob(id.uuid()), name, plugin.as_str(), now.millis()),
    )?;
    Ok(())
}

/// Adds a source; its row. `Conflict` when one of this name is there.
pub fn insert(tx: &WriteTx<'_>, source: &SourceRow) -> Result<i64, StoreError> {
    tx.conn.execute(
        "INSERT INTO source(uuid, name, plugin, display_name, documentation, field_map, auth_type,
           is_active, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        rusqlite::params![
            blob(source.uuid.uuid()),
            source.name,
            source.plugin.as_str(),
            source.display_name,
            source.documentation,
            source.field_map.as_ref().map(text),
            source.auth_type,
            source.is_active,
            source.created_at.millis(),
            source.updated_at.millis(),
        ],
    )?;
    Ok(tx.conn.last_insert_rowid())
}

/// Stores what may change of a source: all but its name and plugin.
pub fn update(tx: &WriteTx<'_>, source: &SourceRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE source SET display_name=?2, documentation=?3, field_map=?4, auth_type=?5,
           is_active=?6, updated_at=?7 WHERE id=?1",
        rusqlite::params![
            source.id,
            source.display_name,
            source.documentation,
            source.field_map.as_ref().map(text),
            source.auth_type,
            source.is_active,
            source.updated_at.millis(),
        ],
    )?;
    Ok(())
}

fn text(map: &Map<String, Value>) -> String {
    serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned())
}

/// Removes a source with its rejects; its alerts stay and keep its name. Whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: SourceId) -> Result<bool, StoreError> {
    Ok(tx
        .conn
        .execute("DELETE FROM source WHERE uuid = ?1", [blob(id.uuid())])?
        > 0)
}

/// All sources, by name.
pub fn all(tx: &impl Reads) -> Result<Vec<SourceRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM source ORDER BY name");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One source.
pub fn by_uuid(tx: &impl Reads, id: SourceId) -> Result<Option<SourceRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM source WHERE uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// One source by its name.
pub fn by_name(tx: &impl Reads, name: &str) -> Result<Option<SourceRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM source WHERE name = ?1");
    found(tx.conn().prepare_cached(&sql)?.query_row([name], map))
}

/// Whether a source of this name exists.
pub fn exists(tx: &impl Reads, name: &str) -> Result<bool, StoreError> {
    let row = tx
        .conn()
        .query_row("SELECT 1 FROM source WHERE name = ?1", [name], |_| Ok(()));
    Ok(found(row)?.is_some())
}

/// Notes that a source was heard: an alert, a repetition.
pub(super) fn note_received(
    tx: &WriteTx<'_>,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("UPDATE source SET last_received_at = ?2 WHERE name = ?1")?
        .execute((name, now.millis()))?;
    Ok(())
}
