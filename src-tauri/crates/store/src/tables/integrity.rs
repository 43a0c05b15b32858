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
