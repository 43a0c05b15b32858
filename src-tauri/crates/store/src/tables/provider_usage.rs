//! `provider_usage`: how often a provider was asked, by day, for its quota.

use super::{Reads, found};
use crate::{StoreError, WriteTx};

/// Days that are kept.
const KEPT_DAYS: i64 = 90;

/// Counts calls of a provider (row) on a day (days since the epoch, UTC); the day's calls so far.
/// Days too old to be kept are dropped.
pub fn add(tx: &WriteTx<'_>, provider: i64, day: i64, calls: u32) -> Result<u64, StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO provider_usage(provider_id, day, calls) VALUES(?1, ?2, ?3)
             ON CONFLICT(provider_id, day) DO UPDATE SET calls = calls + excluded.calls",
        )?
        .execute((provider, day, calls))?;
    tx.conn
        .prepare_cached("DELETE FROM provider_usage WHERE provider_id = ?1 AND day < ?2")?
        .execute((provider, day - KEPT_DAYS))?;
    of_day(tx, provider, day)
}

/// Calls of a provider on a day.
pub fn of_day(tx: &impl Reads, provider: i64, day: i64) -> Result<u64, StoreError> {
    let row = tx
        .conn()
        .prepare_cached("SELECT calls FROM provider_usage WHERE provider_id = ?1 AND day = ?2")?
        .query_row((provider, day), |row| row.get(0));
    Ok(found(row)?.unwrap_or(0))
}

/// Calls of every provider on a day: its row, its calls.
pub fn all_of_day(tx: &impl Reads, day: i64) -> Result<Vec<(i64, u64)>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT p.id, u.calls FROM provider p JOIN provider_usage u ON u.provider_id = p.id
         WHERE u.day = ?1 ORDER BY p.id",
    )?;
    let rows = statement.query_map([day], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
