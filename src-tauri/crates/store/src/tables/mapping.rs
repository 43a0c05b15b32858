//! `indicator_mapping`: which fields of a payload hold indicators.

use calseta_domain::{Mapping, Timestamp};
use uuid::Uuid;

use super::{Reads, blob, word};
use crate::{StoreError, WriteTx};

/// Adds a mapping of the product's own unless it is there.
pub fn ensure_system(
    tx: &WriteTx<'_>,
    id: Uuid,
    mapping: &Mapping,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO indicator_mapping(uuid, source_name, extraction_target, field_path,
           indicator_type, is_system, created_at) VALUES(?1, ?2, ?3, ?4, ?5, 1, ?6)
         ON CONFLICT DO NOTHING",
        rusqlite::params![
            blob(id),
            mapping.source_name,
            mapping.target.as_str(),
            mapping.field_path,
            mapping.kind.as_str(),
            now.millis(),
        ],
    )?;
    Ok(())
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
