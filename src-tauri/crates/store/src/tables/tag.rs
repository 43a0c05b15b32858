//! `tag` and its links to alerts: what an alert's list of tags is found by.

use super::{Reads, found};
use crate::{StoreError, WriteTx, functions};

/// Makes an alert's links those of its tags.
pub(super) fn replace(tx: &WriteTx<'_>, alert: i64, tags: &[String]) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("DELETE FROM alert_tag WHERE alert_id = ?1")?
        .execute([alert])?;
    add(tx, alert, tags)
}

/// Links an alert to its tags.
pub(super) fn add(tx: &WriteTx<'_>, alert: i64, tags: &[String]) -> Result<(), StoreError> {
    for name in tags {
        let known = tx
            .conn
            .prepare_cached("SELECT id FROM tag WHERE name = ?1")?
            .query_row([name], |row| row.get::<_, i64>(0));
        let id = if let Some(id) = found(known)? {
            id
        } else {
            tx.conn
                .prepare_cached("INSERT INTO tag(name, folded) VALUES(?1, ?2)")?
                .execute((name, functions::fold(name)))?;
            tx.conn.last_insert_rowid()
        };
        tx.conn
            .prepare_cached(
                "INSERT INTO alert_tag(tag_id, alert_id) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
            )?
            .execute((id, alert))?;
    }
    Ok(())
}

/// Tags that begin so, in any case, the most used first, with how many alerts have them.
pub fn beginning(
    tx: &impl Reads,
    prefix: &str,
    limit: u32,
) -> Result<Vec<(String, u64)>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT name, uses FROM tag WHERE uses > 0 AND instr(folded, ?1) = 1
         ORDER BY uses DESC, name LIMIT ?2",
    )?;
    let rows = statement.query_map((functions::fold(prefix), limit), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
