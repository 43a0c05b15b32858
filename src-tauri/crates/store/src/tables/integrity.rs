//! Whether the file is whole. Not a table: SQLite's own look at all of them.

use super::Reads;
use crate::StoreError;

/// What `PRAGMA integrity_check` and `foreign_key_check` complain about; empty when the file is
/// whole. Reads every page, so it is for verification and tests, not for every start.
pub fn complaints(tx: &impl Reads) -> Result<Vec<String>, StoreError> {
    let mut statement = tx.conn().prepare("PRAGMA integrity_check")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    found.retain(|line| line != "ok");
    let mut statement = tx.conn().prepare("PRAGMA foreign_key_check")?;
    let rows = statement.query_map([], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!(
            "a row of {table} refers to a missing row of {parent}"
        ))
    })?;
    for row in rows {
        found.push(row?);
    }
    Ok(found)
}

/// What the file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// Bytes of the database, without its write-ahead log.
    pub bytes: u64,
    /// Of these, bytes that deleted rows have left free.
    pub free_bytes: u64,
    /// The schema's version: the steps that it has seen.
    pub version: u64,
}

/// How large the file is, from its header: no page is read.
pub fn facts(tx: &impl Reads) -> Result<FileFacts, StoreError> {
    let pragma = |name: &str| {
        tx.conn()
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u64>(0))
    };
    let page = pragma("page_size")?;
    Ok(FileFacts {
        bytes: pragma("page_count")?.saturating_mul(page),
        free_bytes: pragma("freelist_count")?.saturating_mul(page),
        version: pragma("user_version")?,
    })
}
