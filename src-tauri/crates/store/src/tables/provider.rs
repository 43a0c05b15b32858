//! `provider`: enrichment providers; their definitions are data.

use calseta_domain::{ProviderId, Timestamp};
use rusqlite::Row;

use super::{Reads, blob, found, time, time_opt, uuid};
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
    /// What a person set of a built-in one, as JSON: merged over its definition.
    pub overrides: String,
    /// missing, set or invalid.
    pub key_state: String,
    /// It said that it must not be asked before.
    pub blocked_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, uuid, name, display_name, description, is_builtin, is_active, mode, \
                       definition, base_url, key_state, created_at, updated_at, overrides, \
                       blocked_until";

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
        overrides: row.get(13)?,
        blocked_until: time_opt(row, 14)?,
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

/// Adds a provider of a person; its row. `Conflict` when one of this name is there.
pub fn insert(tx: &WriteTx<'_>, provider: &ProviderRow) -> Result<i64, StoreError> {
    tx.conn.execute(
        "INSERT INTO provider(uuid, name, display_name, description, is_builtin, is_active, mode,
           definition, base_url, key_state, overrides, created_at, updated_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        rusqlite::params![
            blob(provider.uuid.uuid()),
            provider.name,
            provider.display_name,
            provider.description,
            provider.is_builtin,
            provider.is_active,
            provider.mode,
            provider.definition,
            provider.base_url,
            provider.key_state,
            provider.overrides,
            provider.created_at.millis(),
            provider.updated_at.millis(),
        ],
    )?;
    Ok(tx.conn.last_insert_rowid())
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

/// One provider by its name.
pub fn by_name(tx: &impl Reads, name: &str) -> Result<Option<ProviderRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM provider WHERE name = ?1");
    found(tx.conn().prepare_cached(&sql)?.query_row([name], map))
}

/// Stores what a person may change of a provider: all but its name and origin.
pub fn update(tx: &WriteTx<'_>, provider: &ProviderRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE provider SET is_active=?2, mode=?3, base_url=?4, key_state=?5, updated_at=?6,
           display_name=?7, description=?8, definition=?9, overrides=?10 WHERE id=?1",
        rusqlite::params![
            provider.id,
            provider.is_active,
            provider.mode,
            provider.base_url,
            provider.key_state,
            provider.updated_at.millis(),
            provider.display_name,
            provider.description,
            provider.definition,
            provider.overrides,
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

/// Takes a provider out of all work, before it is deleted: it is not asked, its outstanding
/// lookups are dropped, and alerts that waited for nothing else are matched at once.
pub fn retire(tx: &WriteTx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE provider SET is_active = 0, updated_at = ?2 WHERE id = ?1",
        (id, now.millis()),
    )?;
    tx.conn.execute(
        "DELETE FROM job WHERE id IN (
           SELECT id FROM job WHERE kind = 'enrich' AND ref2 = ?1 AND state = 'ready'
           UNION ALL SELECT id FROM job WHERE kind = 'enrich' AND ref2 = ?1 AND state = 'running')",
        [id],
    )?;
    super::job::release_waiting(tx, now)
}

/// Forgets up to `limit` answers of a provider; the indicators (rows) whose verdict changed by it.
/// Called again until `None`: a provider may have answered about more than one commit should take.
pub fn forget_answers(
    tx: &WriteTx<'_>,
    id: i64,
    limit: u32,
    now: Timestamp,
) -> Result<Option<Vec<i64>>, StoreError> {
    let indicators = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT indicator_id FROM enrichment WHERE provider_id = ?1
             ORDER BY indicator_id LIMIT ?2",
        )?;
        let rows = statement.query_map((id, limit), |row| row.get(0))?;
        rows.collect::<Result<Vec<i64>, _>>()?
    };
    if indicators.is_empty() {
        return Ok(None);
    }
    let mut changed = Vec::new();
    for indicator in indicators {
        tx.conn
            .prepare_cached("DELETE FROM enrichment WHERE indicator_id = ?1 AND provider_id = ?2")?
            .execute((indicator, id))?;
        if super::indicator::recompute(tx, indicator, now)? {
            changed.push(indicator);
        }
    }
    Ok(Some(changed))
}

/// Removes a provider (row) with its fields, its use and what answers are left; whether it was
/// there. Its secrets are the owner's to remove.
pub fn delete(tx: &WriteTx<'_>, id: i64) -> Result<bool, StoreError> {
    Ok(tx
        .conn
        .execute("DELETE FROM provider WHERE id = ?1", [id])?
        > 0)
}

/// Notes until when a provider must not be asked; `None` = it may be.
pub fn block_until(tx: &WriteTx<'_>, id: i64, until: Option<Timestamp>) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("UPDATE provider SET blocked_until = ?2 WHERE id = ?1")?
        .execute((id, until.map(Timestamp::millis)))?;
    Ok(())
}
