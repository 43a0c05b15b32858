//! Opening: the data directory, its lock, the file, its connections.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::thread::JoinHandle;

use calseta_domain::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Notify, mpsc, watch};

use crate::error::{OpenError, StoreError};
use crate::reader::{READERS, ReadTx, Readers};
use crate::storage::{Storage, StorageFacts};
use crate::tables::boot;
use crate::writer::{self, Beside, Command, IdleLane, QUEUE_LEN, Wakes, WriteTx};
use crate::{ChainHead, backup, damage, faults, migrate, restore};

/// 3.51.3: the first SQLite without the WAL-reset race that needs just our shape (WAL and several
/// connections). See <https://sqlite.org/wal.html>, "the WAL-reset bug".
const OLDEST_SQLITE: i32 = 3_051_003;
/// "CALS".
pub(crate) const APPLICATION_ID: i64 = 0x4341_4C53;
/// Prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// A data directory that this process owns. The lock is released when it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the directory (0700) when it is missing and takes its lock.
    pub fn take(path: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        // A directory that was there keeps its mode: it may be one that others share.
        let made = !path.is_dir();
        std::fs::create_dir_all(path).map_err(io)?;
        if made {
            restrict(path, 0o700).map_err(io)?;
        }
        let lock_path = path.join("lock");
        let lock = private_file(&lock_path).map_err(|source| OpenError::Io {
            path: lock_path.clone(),
            source,
        })?;
        match lock.try_lock() {
            Ok(()) => {
                restore::finish(path).map_err(io)?;
                Ok(Self {
                    path: path.to_owned(),
                    _lock: lock,
                })
            }
            Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => Err(OpenError::Io {
                path: lock_path,
                source,
            }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.path.join("calseta.db")
    }
}

/// The store of one data directory.
#[derive(Debug)]
pub struct Store {
    queue: Mutex<Option<mpsc::Sender<Command>>>,
    sender: mpsc::WeakSender<Command>,
    idle: Arc<IdleLane>,
    readers: Readers,
    wakes: Arc<Wakes>,
    storage: Arc<Storage>,
    thread: Mutex<Option<JoinHandle<()>>>,
    boot: i64,
    dir: DataDir,
}

impl Store {
    /// Opens the directory's database, making or upgrading it, and starts the writer.
    ///
    /// Rows that an earlier process left in hand are orphans, because the lock is exclusive: they
    /// are reset here, at once.
    pub fn open(dir: DataDir, now: Timestamp) -> Result<Self, OpenError> {
        let path = dir.database();
        // What only shows when it is opened for writing, a broken schema above all, is damage too.
        Self::opened(dir, now).map_err(|error| backup::sharpen(&path, error))
    }

    fn opened(dir: DataDir, now: Timestamp) -> Result<Self, OpenError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(OpenError::OldSqlite(rusqlite::version().to_owned()));
        }
        let path = dir.database();
        damage::check(&path)?;
        drop(private_file(&path).map_err(|source| OpenError::Io {
            path: path.clone(),
            source,
        })?);
        let conn = Connection::open(&path)?;
        migrate::check(&conn, &path, migrate::MIGRATIONS)?;
        configure(&conn)?;
        migrate::run(&conn, &path, migrate::MIGRATIONS, now)?;
        let boot = boot::begin(&conn, now)?;
        let head = crate::tables::event::head(&conn)?;
        let readers = (0..READERS)
            .map(|_| open_reader(&path))
            .collect::<Result<Vec<_>, _>>()?;
        let wakes = Arc::new(Wakes {
            matches: Notify::new(),
            lookups: Notify::new(),
            deliveries: Notify::new(),
            index: Notify::new(),
            events: watch::channel(head.seq).0,
        });
        let (sender, queue) = mpsc::channel(QUEUE_LEN);
        let idle = Arc::new(IdleLane::default());
        let storage = Arc::new(Storage::of(&path));
        let beside = Beside {
            idle: Arc::clone(&idle),
            wakes: Arc::clone(&wakes),
            storage: Arc::clone(&storage),
        };
        let thread = spawn_writer(conn, queue, head, beside)
            .map_err(|source| OpenError::Io { path, source })?;
        Ok(Self {
            sender: sender.downgrade(),
            queue: Mutex::new(Some(sender)),
            idle,
            readers: Readers::new(readers),
            wakes,
            storage,
            thread: Mutex::new(Some(thread)),
            boot,
            dir,
        })
    }

    /// Runs `work` in a transaction; the answer comes after the commit has reached the disk. An
    /// error rolls back this closure's writes and no other's.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (command, reply) = writer::command(work);
        let sender = self.sender.upgrade().ok_or(StoreError::Closed)?;
        sender.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        drop(sender);
        reply
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// [`Store::write`] for a commit that a fault test can stop on either side; `point` is one of
    /// [`faults::POINTS`].
    pub async fn write_at<T, E, F>(&self, point: &'static str, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        faults::before(point)?;
        let done = self.write(work).await;
        faults::after(point)?;
        done
    }

    /// [`Store::write`] for work that can wait: it runs when nobody else writes, after a tenth
    /// of a second at the latest, in a commit of its own. Upkeep must not make ingest slower.
    pub async fn write_when_idle<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (command, reply) = writer::command(work);
        let sender = self.sender.upgrade().ok_or(StoreError::Closed)?;
        self.idle.push(command);
        // A full queue wakes the writer as well; a closed one drops the work and its reply.
        drop(sender.try_send(writer::nothing()));
        drop(sender);
        reply
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Runs `work` on a read-only snapshot. Interrupted after 2 s.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&ReadTx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.readers.read(work).await
    }

    /// Resolves when a commit may have made an alert due to be matched. May resolve for nothing.
    pub async fn match_wake(&self) {
        self.wakes.matches.notified().await;
    }

    /// Resolves when a commit may have made a lookup due. May resolve for nothing.
    pub async fn lookup_wake(&self) {
        self.wakes.lookups.notified().await;
    }

    /// Resolves when a commit may have made a delivery due. May resolve for nothing.
    pub async fn delivery_wake(&self) {
        self.wakes.deliveries.notified().await;
    }

    /// Resolves when a commit may have changed an alert's words. May resolve for nothing.
    pub async fn index_wake(&self) {
        self.wakes.index.notified().await;
    }

    /// The newest event's sequence number, and a way to wait for the next.
    pub fn event_seq(&self) -> watch::Receiver<i64> {
        self.wakes.events.subscribe()
    }

    /// How the disk fares.
    pub fn storage(&self) -> StorageFacts {
        self.storage.facts()
    }

    /// Moves the write-ahead log into the database and empties it, between two transactions;
    /// `false` when a reader holds on to it. Writes wait a quarter of a second for that at most.
    pub async fn empty_log(&self) -> Result<bool, StoreError> {
        let sender = self.sender.upgrade().ok_or(StoreError::Closed)?;
        let done = self.storage.ask();
        // A full queue wakes the writer as well.
        drop(sender.try_send(writer::nothing()));
        drop(sender);
        done.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Writes the least there is to write, which tells whether the disk takes writes again.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let boot = self.boot;
        self.write(move |tx| boot::touch(tx, boot)).await
    }

    /// This process's boot number: rows in hand with a smaller one are orphans.
    pub fn boot(&self) -> i64 {
        self.boot
    }

    /// The data directory.
    pub fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// Notes a clean exit, commits what is queued, checkpoints and stops the writer. Later writes
    /// are answered `Closed`.
    pub async fn close(&self, now: Timestamp) {
        let boot = self.boot;
        let noted: Result<(), StoreError> = self.write(move |tx| boot::end(tx, boot, now)).await;
        if let Err(error) = noted {
            tracing::warn!(error = %error, "the clean exit could not be noted");
        }
        self.readers.close().await;
        drop(
            self.queue
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .take(),
        );
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
    }
}

fn spawn_writer(
    conn: Connection,
    queue: mpsc::Receiver<Command>,
    head: ChainHead,
    beside: Beside,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer::run(&conn, queue, head, &beside))
}

/// Keeps statements prepared. Without the planner's stability guarantee SQLite looks at the bound
/// values again and parses many of our statements at every single use.
fn keep_statements(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    crate::functions::register(conn)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn configure(conn: &Connection) -> Result<(), OpenError> {
    keep_statements(conn)?;
    let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Pragma("journal_mode=WAL"));
    }
    conn.execute_batch(
        "PRAGMA synchronous=FULL; PRAGMA fullfsync=1; PRAGMA checkpoint_fullfsync=1;
         PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000; PRAGMA trusted_schema=OFF;
         PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;
         PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=4000;
         PRAGMA mmap_size=0; PRAGMA secure_delete=FAST;",
    )?;
    let synchronous: i64 = conn.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if synchronous != 2 {
        return Err(OpenError::Pragma("synchronous=FULL"));
    }
    #[cfg(feature = "faults")]
    crate::faults::loosen(conn)?;
    Ok(())
}

fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    keep_statements(&conn)?;
    conn.execute_batch(
        "PRAGMA query_only=1; PRAGMA busy_timeout=1000; PRAGMA trusted_schema=OFF;
         PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4096;",
    )?;
    Ok(conn)
}

/// Opens or makes a file that only its owner can read, whatever the umask.
pub(crate) fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    restrict(path, 0o600)?;
    Ok(file)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)) {
        // A directory that somebody else owns and lets us use stays as it is.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}
