//! A damaged database: noticed before anything is written to it, and read out into a new one.
//!
//! Opening a database for writing may change it (its write-ahead log is played back, pages are
//! reused), and what a recovery can still read must not be lost to that. So a file is looked at
//! read-only first; one that SQLite finds damaged is refused and stays as it is.

use std::path::Path;

use rusqlite::Connection;

use crate::backup::{self, Depth};
use crate::error::OpenError;
use crate::migrate;

/// A file up to this many bytes is checked at every start: some 0.1 s.
const ALWAYS_BYTES: u64 = 64 * 1024 * 1024;
/// One up to this many bytes after an unclean exit: some 2 s. Larger ones are checked when they are
/// backed up.
const UNCLEAN_BYTES: u64 = 1024 * 1024 * 1024;

/// Refuses a damaged, newer or foreign file without writing to it. A file that is not there yet, or
/// is empty, passes.
pub(crate) fn check(path: &Path) -> Result<(), OpenError> {
    let bytes = std::fs::metadata(path).map_or(0, |found| found.len());
    if bytes == 0 {
        return Ok(());
    }
    let damaged = |error| backup::damaged(path, error);
    let conn = backup::look(path).map_err(damaged)?;
    migrate::check(&conn, path, migrate::MIGRATIONS)
        .map_err(|error| backup::sharpen(path, error))?;
    let is_due = bytes <= ALWAYS_BYTES
        || bytes <= UNCLEAN_BYTES && ended_uncleanly(&conn).map_err(damaged)?;
    if !is_due {
        return Ok(());
    }
    match backup::complaint(&conn, Depth::Structure).map_err(damaged)? {
        None => Ok(()),
        Some(what) => Err(OpenError::Damaged {
            path: path.to_owned(),
            what,
        }),
    }
}

/// Whether the process before this one did not end in order.
fn ended_uncleanly(conn: &Connection) -> rusqlite::Result<bool> {
    let known = conn.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'boot'",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    if known == 0 {
        return Ok(true);
    }
    let last = conn.query_row(
        "SELECT clean_exit_at IS NULL FROM boot ORDER BY epoch DESC LIMIT 1",
        [],
        |row| row.get(0),
    );
    match last {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(false),
        other => other,
    }
}
