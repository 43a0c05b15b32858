//! `setting`: what a person set, by name; what is not there has its default.

use super::{Reads, found};
use crate::{StoreError, WriteTx};

/// All stored settings, by name; values are JSON texts.
pub fn all(tx: &impl Reads) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = tx
        .conn()
        .prepare_cached("SELECT name, value FROM setting ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One setting's JSON text; `None` when it has its default.
pub fn get(tx: &impl Reads, name: &str) -> Result<Option<String>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
        .query_row([name], |row| row.get(0));
    found(row)
}

/// Stores a setting as its JSON text.
pub fn put(tx: &WriteTx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO setting(name, value) VALUES(?1, ?2)
         ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        (name, value),
    )?;
    Ok(())
}

/// Gives a setting its default back; whether it had another value.
pub fn delete(tx: &WriteTx<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(tx
        .conn
        .execute("DELETE FROM setting WHERE name = ?1", [name])?
        > 0)
}
