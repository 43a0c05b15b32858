//! Copies of a database: made while others write, and looked at before anybody relies on them.
//!
//! A copy is one SQLite file without side files, written by `VACUUM INTO` from a single snapshot, so
//! it holds every alert whose answer was given before it began. Who calls decides where it goes and
//! what lies beside it; here nothing is ever overwritten.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::OpenError;
use crate::functions;
use crate::migrate;

/// Complaints of a check that are kept: one is enough to refuse a file.
const MAX_COMPLAINTS: u32 = 5;

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Bytes of the file.
    pub bytes: u64,
    /// The schema's version: the steps that it has seen.
    pub schema: i64,
    /// Alerts.
    pub alerts: i64,
    /// The newest event.
    pub events: i64,
}

/// How closely a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The structure of every page: about 2 s a gigabyte.
    Structure,
    /// That, and every index against its table: about 25 s a gigabyte.
    Everything,
}

/// A copy that was not made, or a file that is none.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something is there already.
    #[error("{0} exists already; nothing is overwritten: choose another place")]
    Exists(PathBuf),
    /// Newer, foreign, damaged, or not readable.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk that the copy goes to is full.
    #[error("there is no room for {0}; free some space or choose another disk")]
    Full(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl CopyError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| match source.kind() {
            ErrorKind::AlreadyExists => Self::Exists(path.to_owned()),
            ErrorKind::StorageFull => Self::Full(path.to_owned()),
            _ => Self::Io {
                path: path.to_owned(),
                source,
            },
        }
    }
}

/// A read-only connection that leaves no trace in the file.
pub(crate) fn look(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    functions::register(&conn)?;
    conn.execute_batch(
        "PRAGMA busy_timeout=5000; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;
         PRAGMA temp_store=MEMORY;",
    )?;
    Ok(conn)
}

/// Copies the database at `from`, which others may be writing, to the new file `to` (0600, on disk
/// when this returns) and looks at the copy.
///
/// # Errors
/// [`CopyError::Exists`] rather than overwriting; what was half written is removed.
pub fn copy(from: &Path, to: &Path) -> Result<Contents, CopyError> {
    let opened = |error| damaged(from, error);
    let source = look(from).map_err(opened)?;
    migrate::check(&source, from, migrate::MIGRATIONS).map_err(|error| sharpen(from, error))?;
    drop(new_private_file(to).map_err(CopyError::io(to))?);
    let made = written(&source, from, to);
    if made.is_err() {
        drop(std::fs::remove_file(to));
    }
    made
}

fn written(source: &Connection, from: &Path, to: &Path) -> Result<Contents, CopyError> {
    source
        .execute("VACUUM INTO ?1", [to.to_string_lossy()])
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => CopyError::Full(to.to_owned()),
            _ => damaged(from, error).into(),
        })?;
    // SQLite does not flush what it vacuums into.
    let file = File::open(to).map_err(CopyError::io(to))?;
    file.sync_all().map_err(CopyError::io(to))?;
    inspect(to, Depth::Structure)
}

/// Looks at a database file that nobody writes, without changing it.
///
/// # Errors
/// [`OpenError::Newer`], [`OpenError::Foreign`] or [`OpenError::Damaged`] inside [`CopyError::Open`].
pub fn inspect(path: &Path, depth: Depth) -> Result<Contents, CopyError> {
    let bytes = std::fs::metadata(path).map_err(CopyError::io(path))?.len();
    let found = look(path).map_err(|error| damaged(path, error))?;
    migrate::check(&found, path, migrate::MIGRATIONS).map_err(|error| sharpen(path, error))?;
    if let Some(complaint) = complaint(&found, depth).map_err(|error| damaged(path, error))? {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            what: complaint,
        }
        .into());
    }
    let number = |sql: &str| found.query_row(sql, [], |row| row.get::<_, i64>(0));
    let counted = || {
        Ok(Contents {
            bytes,
            schema: number("PRAGMA user_version")?,
            alerts: number("SELECT count(*) FROM alert")?,
            events: number("SELECT coalesce(max(seq), 0) FROM event")?,
        })
    };
    counted().map_err(|error: rusqlite::Error| damaged(path, error).into())
}

/// The first thing that SQLite finds wrong with a file.
pub(crate) fn complaint(conn: &Connection, depth: Depth) -> rusqlite::Result<Option<String>> {
    let check = match depth {
        Depth::Structure => "quick_check",
        Depth::Everything => "integrity_check",
    };
    let mut statement = conn.prepare(&format!("PRAGMA {check}({MAX_COMPLAINTS})"))?;
    let first: String = statement.query_row([], |row| row.get(0))?;
    Ok((first != "ok").then_some(first))
}

/// An error of a look at a file: damage, unless the machine is why. A schema that does not parse and
/// a value of the wrong kind are damage too, because what is asked here is asked of our own tables.
pub(crate) fn damaged(path: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::OutOfMemory,
        ) => error.into(),
        _ => OpenError::Damaged {
            path: path.to_owned(),
            what: error.to_string(),
        },
    }
}

/// The same for an error that was already wrapped.
pub(crate) fn sharpen(path: &Path, error: OpenError) -> OpenError {
    match error {
        OpenError::Sqlite(error) => damaged(path, error),
        other => other,
    }
}

/// Makes a file that only its owner can read; fails when there is one.
pub(crate) fn new_private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
