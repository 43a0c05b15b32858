//! `egress_grant`: addresses that a human has allowed.

use calseta_domain::Timestamp;
use rusqlite::Row;
use uuid::Uuid;

use super::{Reads, blob, time, uuid};
use crate::{StoreError, WriteTx};

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id.
    pub uuid: Uuid,
    /// agent, provider or workflow.
    pub audience: String,
    /// http or https.
    pub scheme: String,
    /// As in the URL, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// public, loopback or private.
    pub class: String,
    /// When a human allowed it.
    pub created_at: Timestamp,
}

fn map(row: &Row<'_>) -> rusqlite::Result<GrantRow> {
    Ok(GrantRow {
        uuid: uuid(row, 0)?,
        audience: row.get(1)?,
        scheme: row.get(2)?,
        host: row.get(3)?,
        port: row.get(4)?,
        class: row.get(5)?,
        created_at: time(row, 6)?,
    })
}

/// Adds a grant unless it is there.
pub fn insert(tx: &WriteTx<'_>, grant: &GrantRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO egress_grant(uuid, audience, scheme, host, port, class, created_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(audience, scheme, host, port) DO NOTHING",
        rusqlite::params![
            blob(grant.uuid),
            grant.audience,
            grant.scheme,
            grant.host,
            grant.port,
            grant.class,
            grant.created_at.millis(),
        ],
    )?;
    Ok(())
}

/// Takes a grant back; whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: Uuid) -> Result<bool, StoreError> {
    Ok(tx
        .conn
        .execute("DELETE FROM egress_grant WHERE uuid = ?1", [blob(id)])?
        > 0)
}

/// All grants, oldest first.
pub fn all(tx: &impl Reads) -> Result<Vec<GrantRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT uuid, audience, scheme, host, port, class, created_at FROM egress_grant ORDER BY id",
    )?;
    let rows = statement.query_map([], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
