//! `indicator_mapping`: which fields of a payload hold indicators.

use calseta_domain::{ExtractionTarget, IndicatorType, Mapping, MappingId, Timestamp};
use rusqlite::Row;

use super::condition::{Condition, Slice};
use super::{Reads, blob, found, time, uuid, word};
use crate::{StoreError, WriteTx};

/// A mapping as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: MappingId,
    /// What it says.
    pub mapping: Mapping,
    /// Whether it came with the product.
    pub is_system: bool,
    /// Whether it is used.
    pub is_active: bool,
    /// For people.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Which mappings to list.
#[derive(Debug, Clone, Default)]
pub struct MappingFilter {
    /// Of this source alone; those of all sources are not meant.
    pub source_name: Option<String>,
    /// Whether it came with the product.
    pub is_system: Option<bool>,
    /// Whether it is used.
    pub is_active: Option<bool>,
    /// Where it reads from.
    pub target: Option<ExtractionTarget>,
}

const COLUMNS: &str = "id, uuid, source_name, extraction_target, field_path, indicator_type, \
                       is_system, is_active, description, created_at, \
                       coalesce(updated_at, created_at)";

fn map(row: &Row<'_>) -> rusqlite::Result<MappingRow> {
    Ok(MappingRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        mapping: Mapping {
            source_name: row.get(2)?,
            target: word(row, 3)?,
            field_path: row.get(4)?,
            kind: word(row, 5)?,
        },
        is_system: row.get(6)?,
        is_active: row.get(7)?,
        description: row.get(8)?,
        created_at: time(row, 9)?,
        updated_at: time(row, 10)?,
    })
}

/// Adds a mapping of the product's own unless it is there.
pub fn ensure_system(
    tx: &WriteTx<'_>,
    id: MappingId,
    mapping: &Mapping,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO indicator_mapping(uuid, source_name, extraction_target, field_path,
           indicator_type, is_system, created_at) VALUES(?1, ?2, ?3, ?4, ?5, 1, ?6)
         ON CONFLICT DO NOTHING",
        rusqlite::params![
            blob(id.uuid()),
            mapping.source_name,
            mapping.target.as_str(),
            mapping.field_path,
            mapping.kind.as_str(),
            now.millis(),
        ],
    )?;
    Ok(())
}

/// Adds a mapping of a person; its row.
pub fn insert(tx: &WriteTx<'_>, row: &MappingRow) -> Result<i64, StoreError> {
    tx.conn.execute(
        "INSERT INTO indicator_mapping(uuid, source_name, extraction_target, field_path,
           indicator_type, is_active, description, created_at, updated_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        rusqlite::params![
            blob(row.uuid.uuid()),
            row.mapping.source_name,
            row.mapping.target.as_str(),
            row.mapping.field_path,
            row.mapping.kind.as_str(),
            row.is_active,
            row.description,
            row.created_at.millis(),
        ],
    )?;
    Ok(tx.conn.last_insert_rowid())
}

/// Stores what may change of a mapping. `Conflict` when a system mapping becomes another one.
pub fn update(tx: &WriteTx<'_>, row: &MappingRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE indicator_mapping SET field_path=?2, indicator_type=?3, is_active=?4,
           description=?5, updated_at=?6 WHERE id=?1",
        rusqlite::params![
            row.id,
            row.mapping.field_path,
            row.mapping.kind.as_str(),
            row.is_active,
            row.description,
            row.updated_at.millis(),
        ],
    )?;
    Ok(())
}

/// Removes a mapping; whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: MappingId) -> Result<bool, StoreError> {
    Ok(tx.conn.execute(
        "DELETE FROM indicator_mapping WHERE uuid = ?1",
        [blob(id.uuid())],
    )? > 0)
}

/// One mapping.
pub fn by_uuid(tx: &impl Reads, id: MappingId) -> Result<Option<MappingRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM indicator_mapping WHERE uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// Whether the same mapping exists: source, target, path and type.
pub fn exists(tx: &impl Reads, mapping: &Mapping) -> Result<bool, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM indicator_mapping WHERE source_name IS ?1
               AND extraction_target = ?2 AND field_path = ?3 AND indicator_type = ?4)",
        )?
        .query_row(
            (
                &mapping.source_name,
                mapping.target.as_str(),
                &mapping.field_path,
                IndicatorType::as_str(mapping.kind),
            ),
            |row| row.get(0),
        )?)
}

/// A page of mappings, oldest first, and how many there are.
pub fn page(
    tx: &impl Reads,
    filter: &MappingFilter,
    slice: Slice,
) -> Result<(Vec<MappingRow>, u64), StoreError> {
    let mut narrowed = Condition::new();
    narrowed.compare_opt("source_name =", filter.source_name.clone());
    narrowed.compare_opt("is_system =", filter.is_system);
    narrowed.compare_opt("is_active =", filter.is_active);
    let target = filter.target.map(|target| target.as_str().to_owned());
    narrowed.compare_opt("extraction_target =", target);
    super::page_of(
        tx,
        ("indicator_mapping", COLUMNS, "id"),
        &narrowed,
        slice,
        map,
    )
}

/// The active mappings, oldest first.
pub fn active(tx: &impl Reads) -> Result<Vec<Mapping>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT source_name, extraction_target, field_path, indicator_type
         FROM indicator_mapping WHERE is_active = 1 ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Mapping {
            source_name: row.get(0)?,
            target: word(row, 1)?,
            field_path: row.get(2)?,
            kind: word(row, 3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
