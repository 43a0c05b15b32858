//! `field_extraction`: which fields of a provider's answers are picked out, and what they are
//! called.

use calseta_domain::{ExtractionId, IndicatorType, Timestamp, ValueType};
use rusqlite::Row;

use super::condition::{Condition, Slice};
use super::{Reads, blob, found, time, uuid, word};
use crate::{StoreError, WriteTx};

/// A field that is picked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractionRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: ExtractionId,
    /// The provider's row.
    pub provider: i64,
    /// The provider's name.
    pub provider_name: String,
    /// The type of indicator whose answers have it.
    pub indicator_type: IndicatorType,
    /// Where it is in the raw answer.
    pub source_path: String,
    /// What it is called in `extracted`.
    pub target_key: String,
    /// What it is coerced to.
    pub value_type: ValueType,
    /// Whether it is used.
    pub is_active: bool,
    /// Whether it came with the product.
    pub is_system: bool,
    /// For people.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Which fields to list.
#[derive(Debug, Clone, Default)]
pub struct ExtractionFilter {
    /// Of this provider.
    pub provider_name: Option<String>,
    /// Of this type.
    pub indicator_type: Option<IndicatorType>,
    /// Whether it came with the product.
    pub is_system: Option<bool>,
    /// Whether it is used.
    pub is_active: Option<bool>,
}

const COLUMNS: &str = "e.id, e.uuid, e.provider_id, p.name, e.indicator_type, e.source_path, \
                       e.target_key, e.value_type, e.description, e.is_system, e.is_active, \
                       e.created_at, e.updated_at";
const FROM: &str = "field_extraction e JOIN provider p ON p.id = e.provider_id";

fn map(row: &Row<'_>) -> rusqlite::Result<ExtractionRow> {
    Ok(ExtractionRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        provider: row.get(2)?,
        provider_name: row.get(3)?,
        indicator_type: word(row, 4)?,
        source_path: row.get(5)?,
        target_key: row.get(6)?,
        value_type: word(row, 7)?,
        description: row.get(8)?,
        is_system: row.get(9)?,
        is_active: row.get(10)?,
        created_at: time(row, 11)?,
        updated_at: time(row, 12)?,
    })
}

/// Adds a field; its row. `Conflict` when the provider, type and path have one.
pub fn insert(tx: &WriteTx<'_>, row: &ExtractionRow) -> Result<i64, StoreError> {
    put(tx, row, "")?;
    Ok(tx.conn.last_insert_rowid())
}

/// Adds a field of the product's own, or brings the one there up to date; whether a person
/// switched it off stays, and so does a person's own field for the same path.
pub fn ensure_system(tx: &WriteTx<'_>, row: &ExtractionRow) -> Result<(), StoreError> {
    put(
        tx,
        row,
        "ON CONFLICT(provider_id, indicator_type, source_path) DO UPDATE SET
           target_key=excluded.target_key, value_type=excluded.value_type,
           description=excluded.description WHERE is_system = 1",
    )
}

fn put(tx: &WriteTx<'_>, row: &ExtractionRow, on_conflict: &str) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(&format!(
            "INSERT INTO field_extraction(uuid, provider_id, indicator_type, source_path,
               target_key, value_type, description, is_system, is_active, created_at, updated_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) {on_conflict}"
        ))?
        .execute(rusqlite::params![
            blob(row.uuid.uuid()),
            row.provider,
            row.indicator_type.as_str(),
            row.source_path,
            row.target_key,
            row.value_type.as_str(),
            row.description,
            row.is_system,
            row.is_active,
            row.created_at.millis(),
            row.updated_at.millis(),
        ])?;
    Ok(())
}

/// Stores what may change of a field: all but its provider. `Conflict` as for [`insert`].
pub fn update(tx: &WriteTx<'_>, row: &ExtractionRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE field_extraction SET indicator_type=?2, source_path=?3, target_key=?4,
           value_type=?5, description=?6, is_active=?7, updated_at=?8 WHERE id=?1",
        rusqlite::params![
            row.id,
            row.indicator_type.as_str(),
            row.source_path,
            row.target_key,
            row.value_type.as_str(),
            row.description,
            row.is_active,
            row.updated_at.millis(),
        ],
    )?;
    Ok(())
}

/// Removes a field (row); whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: i64) -> Result<bool, StoreError> {
    Ok(tx
        .conn
        .execute("DELETE FROM field_extraction WHERE id = ?1", [id])?
        > 0)
}

/// One field.
pub fn by_uuid(tx: &impl Reads, id: ExtractionId) -> Result<Option<ExtractionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE e.uuid = ?1");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    found(statement.query_row([blob(id.uuid())], map))
}

/// Whether a provider has a field of this type and path.
pub fn exists(
    tx: &impl Reads,
    provider: i64,
    kind: IndicatorType,
    path: &str,
) -> Result<bool, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM field_extraction
               WHERE provider_id = ?1 AND indicator_type = ?2 AND source_path = ?3)",
        )?
        .query_row((provider, kind.as_str(), path), |row| row.get(0))?)
}

/// A page of fields, by provider, type and row, and how many there are.
pub fn page(
    tx: &impl Reads,
    filter: &ExtractionFilter,
    slice: Slice,
) -> Result<(Vec<ExtractionRow>, u64), StoreError> {
    let mut narrowed = Condition::new();
    narrowed.compare_opt("p.name =", filter.provider_name.clone());
    let kind = filter.indicator_type.map(|kind| kind.as_str().to_owned());
    narrowed.compare_opt("e.indicator_type =", kind);
    narrowed.compare_opt("e.is_system =", filter.is_system);
    narrowed.compare_opt("e.is_active =", filter.is_active);
    let order = "p.name, e.indicator_type, e.id";
    super::page_of(tx, (FROM, COLUMNS, order), &narrowed, slice, map)
}

/// Every field, by provider and row.
pub fn all(tx: &impl Reads) -> Result<Vec<ExtractionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} ORDER BY e.provider_id, e.id");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
