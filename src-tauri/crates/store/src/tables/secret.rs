//! `secret`: sealed values. This crate never sees one in the clear.

use calseta_domain::Timestamp;

use super::{Reads, found};
use crate::{StoreError, WriteTx};

/// A sealed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Which key sealed it.
    pub key_version: u32,
    /// The nonce.
    pub nonce: [u8; 24],
    /// The ciphertext with its tag.
    pub ciphertext: Vec<u8>,
    /// Enough to recognise it by, for people; never enough to use it.
    pub hint: String,
}

/// Stores a sealed value in its owner's field.
pub fn put(
    tx: &WriteTx<'_>,
    (owner, field): (&str, &str),
    secret: &SealedSecret,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO secret(owner, field, key_version, nonce, ciphertext, hint, updated_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT(owner, field) DO UPDATE SET key_version=excluded.key_version,
           nonce=excluded.nonce, ciphertext=excluded.ciphertext, hint=excluded.hint,
           updated_at=excluded.updated_at",
        rusqlite::params![
            owner,
            field,
            secret.key_version,
            secret.nonce,
            secret.ciphertext,
            secret.hint,
            now.millis(),
        ],
    )?;
    Ok(())
}

/// The sealed value of an owner's field.
pub fn get(tx: &impl Reads, owner: &str, field: &str) -> Result<Option<SealedSecret>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT key_version, nonce, ciphertext, hint FROM secret WHERE owner=?1 AND field=?2",
        )?
        .query_row([owner, field], |row| {
            Ok(SealedSecret {
                key_version: row.get(0)?,
                nonce: row.get(1)?,
                ciphertext: row.get(2)?,
                hint: row.get(3)?,
            })
        });
    found(row)
}

/// The names of an owner's fields.
pub fn fields(tx: &impl Reads, owner: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = tx
        .conn()
        .prepare_cached("SELECT field FROM secret WHERE owner=?1 ORDER BY field")?;
    let rows = statement.query_map([owner], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes one field of an owner, or all of them.
pub fn remove(tx: &WriteTx<'_>, owner: &str, field: Option<&str>) -> Result<(), StoreError> {
    tx.conn.execute(
        "DELETE FROM secret WHERE owner=?1 AND (?2 IS NULL OR field=?2)",
        (owner, field),
    )?;
    Ok(())
}

/// Every sealed value with its owner and field: what a change of the master key seals anew.
pub fn all(tx: &impl Reads) -> Result<Vec<(String, String, SealedSecret)>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT owner, field, key_version, nonce, ciphertext, hint FROM secret ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        let sealed = SealedSecret {
            key_version: row.get(2)?,
            nonce: row.get(3)?,
            ciphertext: row.get(4)?,
            hint: row.get(5)?,
        };
        Ok((row.get(0)?, row.get(1)?, sealed))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
