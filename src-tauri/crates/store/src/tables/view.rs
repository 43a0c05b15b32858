//! `saved_view`: queries of the queue that have a name.

use calseta_domain::{Timestamp, ViewId};
use rusqlite::Row;

use super::{Reads, blob, found, json, list, time, uuid};
use crate::{StoreError, WriteTx};

/// The views that a new store has, in their order: name and query.
pub const SHIPPED: &[(&str, &str)] = &[
    ("My triage", "status:open,triaging,escalated -is:snoozed"),
    ("Critical & High", "sev:>=high -status:closed"),
    ("Agents disagree", "disagree:yes -status:closed"),
    (
        "Agent says benign, high confidence",
        "says:benign conf:high -status:closed",
    ),
    (
        "Enrichment/delivery problems",
        "(enrich:failed,partial OR delivery:failed) -status:closed",
    ),
    ("Escalated", "status:escalated"),
    ("Closed today", "closed:today"),
];

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: ViewId,
    /// Its name.
    pub name: String,
    /// Its query.
    pub q: String,
    /// Columns shown; empty for the default.
    pub columns: Vec<String>,
    /// compact, cosy or comfortable.
    pub density: String,
    /// Whether the queue opens with it. At most one is.
    pub is_default: bool,
    /// Whether it came with the product.
    pub is_builtin: bool,
    /// Whether new matches are announced.
    pub notify: bool,
    /// Its place among the views.
    pub position: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, uuid, name, q, columns, density, is_default, is_builtin, notify, \
                       position, created_at, updated_at";

fn map(row: &Row<'_>) -> rusqlite::Result<ViewRow> {
    Ok(ViewRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        name: row.get(2)?,
        q: row.get(3)?,
        columns: json(row, 4)?,
        density: row.get(5)?,
        is_default: row.get(6)?,
        is_builtin: row.get(7)?,
        notify: row.get(8)?,
        position: row.get(9)?,
        created_at: time(row, 10)?,
        updated_at: time(row, 11)?,
    })
}

/// Adds the [`SHIPPED`] views once in the life of a store: one that was deleted stays away.
pub fn seed(
    tx: &WriteTx<'_>,
    mut new_id: impl FnMut() -> ViewId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let first = tx.conn.execute(
        "UPDATE search_state SET views_seeded = 1 WHERE views_seeded = 0",
        [],
    )?;
    if first == 0 {
        return Ok(());
    }
    for (n, (name, q)) in SHIPPED.iter().enumerate() {
        tx.conn.execute(
            "INSERT INTO saved_view(uuid, name, q, is_default, is_builtin, position, created_at,
               updated_at) VALUES(?1, ?2, ?3, ?4, 1, ?5, ?6, ?6) ON CONFLICT DO NOTHING",
            (blob(new_id().uuid()), name, q, n == 0, n, now.millis()),
        )?;
    }
    Ok(())
}

/// Adds a view after the others; its row. `Conflict` when its name is taken.
pub fn insert(tx: &WriteTx<'_>, view: &ViewRow) -> Result<i64, StoreError> {
    if view.is_default {
        clear_default(tx)?;
    }
    tx.conn.execute(
        "INSERT INTO saved_view(uuid, name, q, columns, density, is_default, notify, position,
           created_at, updated_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7,
           (SELECT coalesce(max(position), 0) + 1 FROM saved_view), ?8, ?8)",
        rusqlite::params![
            blob(view.uuid.uuid()),
            view.name,
            view.q,
            list(&view.columns),
            view.density,
            view.is_default,
            view.notify,
            view.created_at.millis(),
        ],
    )?;
    Ok(tx.conn.last_insert_rowid())
}

/// Stores what may change of a view. `Conflict` when its name is taken.
pub fn update(tx: &WriteTx<'_>, view: &ViewRow) -> Result<(), StoreError> {
    if view.is_default {
        clear_default(tx)?;
    }
    tx.conn.execute(
        "UPDATE saved_view SET name=?2, q=?3, columns=?4, density=?5, is_default=?6, notify=?7,
           position=?8, updated_at=?9 WHERE id=?1",
        rusqlite::params![
            view.id,
            view.name,
            view.q,
            list(&view.columns),
            view.density,
            view.is_default,
            view.notify,
            view.position,
            view.updated_at.millis(),
        ],
    )?;
    Ok(())
}

fn clear_default(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE saved_view SET is_default = 0 WHERE is_default = 1",
        [],
    )?;
    Ok(())
}

/// Removes a view; whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: ViewId) -> Result<bool, StoreError> {
    Ok(tx
        .conn
        .execute("DELETE FROM saved_view WHERE uuid = ?1", [blob(id.uuid())])?
        > 0)
}

/// All views in their order.
pub fn all(tx: &impl Reads) -> Result<Vec<ViewRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM saved_view ORDER BY position, id");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One view.
pub fn by_uuid(tx: &impl Reads, id: ViewId) -> Result<Option<ViewRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM saved_view WHERE uuid = ?1");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    found(statement.query_row([blob(id.uuid())], map))
}
