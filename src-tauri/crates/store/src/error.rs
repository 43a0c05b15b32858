//! What can go wrong in the store, by what the caller can do about it.

use std::path::PathBuf;

/// A read or write that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The writer's queue is full, or a read took too long: try again shortly.
    #[error("the store is busy; try again in a second")]
    Busy,
    /// A read was interrupted at its deadline.
    #[error(
        "the question takes longer than 2 s to answer; narrow it, for example by time or status"
    )]
    TooSlow,
    /// The disk is full. Nothing was stored.
    #[error("the disk is full or refuses writes; free some space")]
    Full,
    /// A unique constraint said no: the row is there already.
    #[error("a row like this exists already")]
    Conflict,
    /// The writer has stopped, because the process ends.
    #[error("the store is closed")]
    Closed,
    /// A panic in a transaction; the transaction was rolled back.
    #[error("a transaction panicked and was rolled back")]
    Panicked,
    /// A stored value that this program cannot read: a bug or a damaged file.
    #[error("stored value of {0} cannot be read")]
    Corrupt(&'static str),
    /// Anything else that SQLite said.
    #[error("sqlite: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => full(),
            Some(ErrorCode::SystemIoFailure) if is_refused_write(&error) => full(),
            Some(ErrorCode::OperationInterrupted) => Self::TooSlow,
            Some(ErrorCode::DatabaseBusy) => Self::Busy,
            Some(ErrorCode::ConstraintViolation) if is_unique(&error) => Self::Conflict,
            _ => Self::Sqlite(error),
        }
    }
}

fn full() -> StoreError {
    crate::storage::disk_was_full();
    StoreError::Full
}

/// Whether the disk took no more, said in another way than "full": a quota, or no room for the
/// write-ahead log's index.
fn is_refused_write(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    matches!(
        failure.extended_code,
        ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_TRUNCATE
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_SHMOPEN
    )
}

fn is_unique(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    matches!(
        failure.extended_code,
        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
    )
}

/// A data directory that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process owns it.
    #[error("{0} is in use by another Calseta process; end that one or choose another directory")]
    InUse(PathBuf),
    /// A newer version of the product wrote it.
    #[error(
        "{path} was written by a newer version (schema {found}, this program knows {known}); \
         it was left untouched: start the newer version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest schema version this program knows.
        known: i64,
    },
    /// The file is a SQLite file of something else.
    #[error("{0} is not a Calseta database; it was left untouched")]
    Foreign(PathBuf),
    /// SQLite cannot make sense of the file.
    #[error(
        "{path} is damaged ({what}); it was left untouched. Restore a backup with `calseta restore`, \
         or read what can still be read into a new directory with `calseta recover --into DIR`"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said first.
        what: String,
    },
    /// The linked SQLite is older than the first one without the WAL-reset bug.
    #[error("SQLite {0} is linked; 3.51.3 or newer is needed")]
    OldSqlite(String),
    /// The directory or a file in it cannot be made or read.
    #[error("{path}: {source}")]
    Io {
        /// What was being opened.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("opening the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// SQLite did not take a setting that durability depends on.
    #[error("SQLite did not accept {0}")]
    Pragma(&'static str),
}
