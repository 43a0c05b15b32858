//! How the disk fares: whether it refuses writes, and how long the write-ahead log has become.
//!
//! The writer notes both; whoever asks is told without a lock. A full disk is noticed by a write that
//! fails and ends with the first one that succeeds, so nobody has to guess how much space is enough.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;

/// The most bytes that the write-ahead log may have for longer than a moment.
pub const MAX_LOG_BYTES: u64 = 64 * 1024 * 1024;
/// How long emptying the log waits for readers. Writes wait with it.
const CHECKPOINT_WAIT: Duration = Duration::from_millis(250);
/// How long a statement of the writer waits for others otherwise.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);

thread_local! {
    /// Writes of this thread that a full disk has refused.
    static REFUSED: Cell<u64> = const { Cell::new(0) };
}

/// Notes that SQLite said that the disk is full.
pub(crate) fn disk_was_full() {
    REFUSED.with(|count| count.set(count.get() + 1));
}

/// How many times [`disk_was_full`] was called by this thread.
pub(crate) fn refusals() -> u64 {
    REFUSED.with(Cell::get)
}

/// How the disk fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageFacts {
    /// The last write was refused because the disk is full.
    pub is_full: bool,
    /// Transactions that a full disk has refused since the start.
    pub refused: u64,
    /// Bytes of the write-ahead log's file.
    pub log_bytes: u64,
}

/// What the writer notes, and what it is asked for between two transactions.
#[derive(Debug)]
pub(crate) struct Storage {
    log: PathBuf,
    is_full: AtomicBool,
    refused: AtomicU64,
    asked: Mutex<Vec<oneshot::Sender<Result<bool, StoreError>>>>,
}

impl Storage {
    pub(crate) fn of(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self {
            log: log.into(),
            is_full: AtomicBool::new(false),
            refused: AtomicU64::new(0),
            asked: Mutex::default(),
        }
    }

    pub(crate) fn facts(&self) -> StorageFacts {
        StorageFacts {
            is_full: self.is_full.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            log_bytes: std::fs::metadata(&self.log).map_or(0, |found| found.len()),
        }
    }

    /// Notes what became of a transaction: refusals of the disk in it, and whether it is stored and
    /// changed anything.
    pub(crate) fn note(&self, refused: u64, stored: bool) {
        if refused > 0 {
            self.refused.fetch_add(refused, Ordering::Relaxed);
            if !self.is_full.swap(true, Ordering::Relaxed) {
                tracing::error!("the disk is full: nothing is stored until there is space again");
            }
        } else if stored && self.is_full.swap(false, Ordering::Relaxed) {
            tracing::info!("there is space on the disk again");
        }
    }

    /// Asks the writer to empty the log. It is then woken by a command of nothing.
    pub(crate) fn ask(&self) -> oneshot::Receiver<Result<bool, StoreError>> {
        let (sender, receiver) = oneshot::channel();
        self.lock().push(sender);
        receiver
    }

    /// Empties the log for those who asked; called by the writer between two transactions.
    pub(crate) fn checkpoint(&self, conn: &Connection) {
        let asked = std::mem::take(&mut *self.lock());
        if asked.is_empty() {
            return;
        }
        let emptied = empty_log(conn);
        for one in asked {
            let told = emptied.as_ref().copied().map_err(|_| StoreError::Busy);
            drop(one.send(told));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<oneshot::Sender<Result<bool, StoreError>>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves the log into the database and truncates it; `false` when a reader holds on to it.
fn empty_log(conn: &Connection) -> rusqlite::Result<bool> {
    conn.busy_timeout(CHECKPOINT_WAIT)?;
    let busy: rusqlite::Result<i64> =
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    conn.busy_timeout(BUSY_WAIT)?;
    Ok(busy? == 0)
}

#[cfg(test)]
mod tests {
    use calseta_domain::Timestamp;

    use crate::tables::setting;
    use crate::{DataDir, Store, StoreError, WriteTx};

    #[tokio::test]
    async fn a_full_disk_refuses_each_write_keeps_answering_reads_and_is_over_with_the_next_write()
    {
        let dir = tempfile::tempdir().unwrap();
        let dir = DataDir::take(dir.path()).unwrap();
        let store = Store::open(dir, Timestamp::from_millis(1)).unwrap();
        // SQLite's own bound of the file: it answers exactly as when a disk is full.
        let bound = |pages: i64| {
            store.write(move |tx: &WriteTx<'_>| {
                let bound = format!("PRAGMA max_page_count={pages}");
                tx.conn.query_row(&bound, [], |_| Ok(()))?;
                Ok::<_, StoreError>(())
            })
        };
        bound(1).await.expect("it is bounded to what it has");
        let mut refused = 0;
        for n in 0..200_u64 {
            let written = store
                .write(move |tx: &WriteTx<'_>| {
                    setting::put(tx, &format!("large {n}"), &"x".repeat(8 * 1024))
                })
                .await;
            match written {
                Ok(()) => assert_eq!(refused, 0, "nothing fits after something did not"),
                Err(StoreError::Full) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(refused > 100, "{refused}");
        let facts = store.storage();
        assert!(facts.is_full, "{facts:?}");
        assert_eq!(facts.refused, refused);
        let kept: Vec<_> = store
            .read(|tx| setting::all(tx))
            .await
            .expect("reads are answered");
        assert_eq!(
            kept.len() as u64,
            200 - refused,
            "what was refused is not there"
        );
        bound(i64::from(u32::MAX))
            .await
            .expect("there is space again");
        let written = store.write(|tx: &WriteTx<'_>| setting::put(tx, "small", "1"));
        written.await.expect("what fits is stored");
        assert!(!store.storage().is_full);
    }
}
