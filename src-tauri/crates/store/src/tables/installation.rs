//! `installation`: the id of this data directory, made once. Exports and bundles name their origin
//! by it; it says nothing about the machine or its user.

use calseta_domain::Timestamp;
use uuid::Uuid;

use super::{Reads, blob, found, uuid};
use crate::{StoreError, WriteTx};

/// The installation's id; `None` before the first start has made it.
pub fn get(tx: &impl Reads) -> Result<Option<Uuid>, StoreError> {
    let row = tx
        .conn()
        .query_row("SELECT uuid FROM installation", [], |row| uuid(row, 0));
    found(row)
}

/// The installation's id; `new_id` when it has none yet.
pub fn ensure(tx: &WriteTx<'_>, new_id: Uuid, now: Timestamp) -> Result<Uuid, StoreError> {
    tx.conn.execute(
        "INSERT INTO installation(id, uuid, created_at) VALUES(1, ?1, ?2) ON CONFLICT DO NOTHING",
        (blob(new_id), now.millis()),
    )?;
    get(tx)?.ok_or(StoreError::Corrupt("installation"))
}
