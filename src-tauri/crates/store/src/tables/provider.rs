//! `provider`: enrichment providers; their definitions are data.

use calseta_domain::{ProviderId, Timestamp};
use rusqlite::Row;

use super::{Reads, blob, found, time, uuid};
use crate::{StoreError, WriteTx};

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: ProviderId,
    /// Its stable name.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// What it knows.
    pub description: Option<String>,
    /// Whether it came with the product.
    pub is_builtin: bool,
    /// Whether it is asked.
    pub is_active: bool,
    /// live, mock or off.
    pub mode: String,
    /// The definition, as JSON.
    pub definition: String,
    /// Replaces the definition's base URL.
    pub base_url: Option<String>,
    /// missing, set or invalid.
    pub key_state: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, uuid, name, display_name, description, is_builtin, is_active, mode, \
                       definition, base_url, key_state, created_at, updated_at";

fn map(row: &Row<'_>) -> rusqlite::Result<ProviderRow> {
    Ok(ProviderRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        name: row.get(2)?,
        display_name: row.get(3)?,
        description: row.get(4)?,
        is_builtin: row.get(5)?,
        is_active: row.get(6)?,
        mode: row.get(7)?,
        definition: row.get(8)?,
        base_url: row.get(9)?,
        key_state: row.get(10)?,
        created_at: time(row, 11)?,
        updated_at: time(row, 12)?,
    })
}

/// Adds a built-in provider, or brings the definition of the one there up to date; what a person
/// set (key, base URL, mode, active) stays.
pub fn ensure_builtin(
    tx: &WriteTx<'_>,
    id: ProviderId,
    (name, display_name, description): (&str, &str, &str),
    definition: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO provider(uuid, name, display_name, description, is_builtin, definition,
           created_at, updated_at) VALUES(?1, ?2, ?3, ?4, 1, ?5, ?6, ?6)
         ON CONFLICT(name) DO UPDATE SET display_name = excluded.display_name,
           description = excluded.description, definition = excluded.definition
         WHERE is_builtin = 1 AND definition != excluded.definition",
        (
            blob(id.uuid()),
            name,
            display_name,
            description,
            definition,
            now.millis(),
        ),
    )?;
    Ok(())
}

/// All providers, by name.
pub fn all(tx: &impl Reads) -> Result<Vec<ProviderRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM provider ORDER BY name");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One provider.
pub fn by_uuid(tx: &impl Reads, id: ProviderId) -> Result<Option<ProviderRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM provider WHERE uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// Stores what a person may change of a provider.
pub fn update(tx: &WriteTx<'_>, provider: &ProviderRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE provider SET is_active=?2, mode=?3, base_url=?4, key_state=?5, updated_at=?6
         WHERE id=?1",
        rusqlite::params![
            provider.id,
            provider.is_active,
            provider.mode,
            provider.base_url,
            provider.key_state,
            provider.updated_at.millis(),
        ],
    )?;
    Ok(())
}

/// Notes whether the stored key is accepted.
pub fn set_key_state(tx: &WriteTx<'_>, id: i64, state: &str) -> Result<(), StoreError> {
    tx.conn
        .execute("UPDATE provider SET key_state=?2 WHERE id=?1", (id, state))?;
    Ok(())
}
