//! The writer thread: the only read-write connection, and group commit.
//!
//! Callers queue closures. The thread drains up to [`MAX_BATCH`] of them, or [`MAX_BATCH_TIME`] of
//! work, into one `BEGIN IMMEDIATE`; each runs in its own savepoint, so one bad closure cannot fail
//! its batch-mates; answers are given only after COMMIT has returned. With `synchronous=FULL` an
//! answer therefore means: on disk.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::storage::{self, Storage};
use crate::{ChainHead, StoreError};

/// Closures that may wait; more than this is answered `Busy`.
pub(crate) const QUEUE_LEN: usize = 4096;
/// Closures a commit.
const MAX_BATCH: usize = 256;
/// Work a commit, so that the first of a batch does not wait long for the last.
const MAX_BATCH_TIME: Duration = Duration::from_millis(2);

/// The longest that work for idle moments waits while others write: under load it gets a few
/// milliseconds of every tenth of a second.
const IDLE_WAIT: Duration = Duration::from_millis(100);

/// Closures for moments in which nobody else writes, with when they came.
#[derive(Default)]
pub(crate) struct IdleLane(Mutex<VecDeque<(Instant, Command)>>);

impl std::fmt::Debug for IdleLane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdleLane").finish_non_exhaustive()
    }
}

impl IdleLane {
    /// Adds work. The caller then sends a command of nothing through the queue, to wake the writer.
    pub(crate) fn push(&self, command: Command) {
        self.lock().push_back((Instant::now(), command));
    }

    /// Gives work that may be done now: nobody waits, or it has waited long enough.
    fn pop(&self, is_idle: bool) -> Option<Command> {
        let mut lane = self.lock();
        let is_due = |(since, _): &(Instant, Command)| is_idle || since.elapsed() > IDLE_WAIT;
        if lane.front().is_some_and(is_due) {
            lane.pop_front().map(|(_, command)| command)
        } else {
            None
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Command)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command that does nothing.
pub(crate) fn nothing() -> Command {
    Box::new(|_| Ran {
        keep: true,
        reply: Box::new(drop),
    })
}

/// What a commit may wake. A hint: rows are the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// An alert may be due to be matched.
    Matches,
    /// A lookup may be due.
    Lookups,
    /// A delivery may be due.
    Deliveries,
    /// An alert's words may have changed.
    Index,
}

/// The notifications that commits send.
#[derive(Debug)]
pub(crate) struct Wakes {
    pub(crate) matches: Notify,
    pub(crate) lookups: Notify,
    pub(crate) deliveries: Notify,
    pub(crate) index: Notify,
    pub(crate) events: watch::Sender<i64>,
}

/// A write transaction: one closure's savepoint. Read and write verbs hang off it, by table.
#[derive(Debug)]
pub struct WriteTx<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) head: &'a Cell<ChainHead>,
    woken: Cell<[bool; 4]>,
    /// The alert that this closure has noted for the index last: it need not be noted again.
    reworded: Cell<Option<i64>>,
}

impl<'a> WriteTx<'a> {
    fn new(conn: &'a Connection, head: &'a Cell<ChainHead>) -> Self {
        Self {
            conn,
            head,
            woken: Cell::new([false; 4]),
            reworded: Cell::new(None),
        }
    }
}

impl WriteTx<'_> {
    /// Whether an alert's words have not been noted as changed just before, by the same closure.
    pub(crate) fn is_newly_reworded(&self, alert: i64) -> bool {
        self.reworded.replace(Some(alert)) != Some(alert)
    }

    /// What was noted before has been indexed, or undone with the closure that noted it.
    pub(crate) fn forget_reworded(&self) {
        self.reworded.set(None);
    }

    /// Asks for a wake-up once this transaction is committed.
    pub fn wake(&self, wake: Wake) {
        let mut woken = self.woken.get();
        woken[wake as usize] = true;
        self.woken.set(woken);
    }
}

/// Told after the commit (or its failure) what became of the transaction.
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A queued closure: runs in a savepoint, or not at all when there is no transaction to run in;
/// gives back whom to tell.
pub(crate) type Command = Box<dyn FnOnce(Result<&WriteTx<'_>, StoreError>) -> Ran + Send>;

/// What a closure left behind.
pub(crate) struct Ran {
    keep: bool,
    reply: Reply,
}

/// Wraps a typed closure for the queue.
pub(crate) fn command<T, E, F>(work: F) -> (Command, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let command: Command = Box::new(move |tx| {
        let result = match tx {
            Ok(tx) => catch_unwind(AssertUnwindSafe(|| work(tx)))
                .unwrap_or_else(|_| Err(E::from(StoreError::Panicked))),
            Err(refused) => Err(E::from(refused)),
        };
        let keep = result.is_ok();
        let reply: Reply = Box::new(move |committed| {
            // A caller that went away is no reason for the writer to stop.
            drop(sender.send(match committed {
                Ok(()) => result,
                Err(error) => result.and(Err(E::from(error))),
            }));
        });
        Ran { keep, reply }
    });
    (command, receiver)
}

/// What the writer shares with those who ask it.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) idle: Arc<IdleLane>,
    pub(crate) wakes: Arc<Wakes>,
    pub(crate) storage: Arc<Storage>,
}

/// The thread's loop; ends when every sender is gone and the queue is empty.
pub(crate) fn run(
    conn: &Connection,
    mut queue: mpsc::Receiver<Command>,
    start: ChainHead,
    beside: &Beside,
) {
    let head = Cell::new(start);
    let writer = Writer {
        conn,
        head: &head,
        wakes: &beside.wakes,
        storage: &beside.storage,
    };
    while let Some(first) = queue.blocking_recv() {
        writer.batch(first, || queue.try_recv().ok());
        // One at a time, each a commit of its own: whoever comes meanwhile waits for no more.
        while let Some(work) = beside.idle.pop(queue.is_empty()) {
            writer.batch(work, || None);
        }
        beside.storage.checkpoint(conn);
    }
    drop(conn.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)"));
}

/// What the thread works with.
struct Writer<'a> {
    conn: &'a Connection,
    head: &'a Cell<ChainHead>,
    wakes: &'a Wakes,
    storage: &'a Storage,
}

impl Writer<'_> {
    /// Runs a closure, and those that `next` gives, in one commit.
    fn batch(&self, first: Command, mut next: impl FnMut() -> Option<Command>) {
        let (refused, changes) = (storage::refusals(), self.conn.total_changes());
        // Before the answers: who was refused and asks how the disk fares must not hear that it is well.
        let note = |stored: bool| {
            let changed = self.conn.total_changes() != changes;
            self.storage
                .note(storage::refusals() - refused, stored && changed);
        };
        let (conn, head) = (self.conn, self.head);
        let before = head.get();
        let begun = conn
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut s| s.execute([]));
        if let Err(error) = begun {
            tracing::error!(error = %error, "the store cannot begin a transaction");
            let reply = first(Err(error.into())).reply;
            note(false);
            reply(Ok(()));
            return;
        }
        let tx = WriteTx::new(conn, head);
        let started = Instant::now();
        let mut replies = vec![in_savepoint(first, &tx)];
        while replies.len() < MAX_BATCH && started.elapsed() < MAX_BATCH_TIME {
            let Some(next) = next() else { break };
            replies.push(in_savepoint(next, &tx));
        }
        let replies = acknowledge_early(replies);
        let committed = commit(conn);
        if committed.is_err() {
            head.set(before);
        }
        // Before the answers: who was answered and asks for events must be shown the own one.
        if committed.is_ok() {
            notify(&tx, self.wakes, before);
        }
        note(committed.is_ok());
        for reply in replies {
            reply(committed.as_ref().copied().map_err(copy));
        }
    }
}

/// Runs one closure so that its failure undoes its own writes and no other's.
fn in_savepoint(command: Command, tx: &WriteTx<'_>) -> Reply {
    // A full disk makes SQLite roll the whole transaction back in the middle of a batch. Whatever
    // ran after that would be committed on its own, while everybody here is told of a failure.
    if tx.conn.is_autocommit() {
        return command(Err(StoreError::Full)).reply;
    }
    let before = tx.head.get();
    tx.forget_reworded();
    let opened = tx
        .conn
        .prepare_cached("SAVEPOINT one")
        .and_then(|mut s| s.execute([]));
    if let Err(error) = opened {
        return command(Err(error.into())).reply;
    }
    let ran = command(Ok(tx));
    let closed = close_savepoint(tx.conn, ran.keep).is_ok();
    if !ran.keep || !closed {
        tx.head.set(before);
    }
    if closed {
        return ran.reply;
    }
    Box::new(move |committed| (ran.reply)(committed.and(Err(StoreError::Full))))
}

fn close_savepoint(conn: &Connection, keep: bool) -> rusqlite::Result<()> {
    if !keep {
        conn.prepare_cached("ROLLBACK TO one")?.execute([])?;
    }
    conn.prepare_cached("RELEASE one")?.execute([])?;
    Ok(())
}

fn commit(conn: &Connection) -> Result<(), StoreError> {
    if conn.is_autocommit() {
        return Err(StoreError::Full);
    }
    let result = conn
        .prepare_cached("COMMIT")
        .and_then(|mut s| s.execute([]));
    if let Err(error) = result {
        tracing::error!(error = %error, "a commit failed; nothing in it was kept");
        drop(conn.execute_batch("ROLLBACK"));
        return Err(error.into());
    }
    Ok(())
}

fn notify(tx: &WriteTx<'_>, wakes: &Wakes, before: ChainHead) {
    let all = [
        &wakes.matches,
        &wakes.lookups,
        &wakes.deliveries,
        &wakes.index,
    ];
    for (notify, woken) in all.into_iter().zip(tx.woken.get()) {
        if woken {
            notify.notify_one();
        }
    }
    let seq = tx.head.get().seq;
    if seq != before.seq {
        wakes.events.send_replace(seq);
    }
}

/// The same failure, told to each caller of a batch.
fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Conflict => StoreError::Conflict,
        StoreError::Closed => StoreError::Closed,
        StoreError::Panicked => StoreError::Panicked,
        StoreError::Corrupt(what) => StoreError::Corrupt(what),
        StoreError::TooSlow | StoreError::Busy | StoreError::Sqlite(_) => StoreError::Busy,
    }
}

#[cfg(not(feature = "faults"))]
fn acknowledge_early(replies: Vec<Reply>) -> Vec<Reply> {
    replies
}

/// The control build answers first and commits later, which is the mistake the tests must see.
#[cfg(feature = "faults")]
fn acknowledge_early(replies: Vec<Reply>) -> Vec<Reply> {
    if !crate::faults::early_ack() {
        return replies;
    }
    for reply in replies {
        reply(Ok(()));
    }
    crate::faults::early_ack_window();
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wakes() -> Wakes {
        Wakes {
            matches: Notify::new(),
            lookups: Notify::new(),
            deliveries: Notify::new(),
            index: Notify::new(),
            events: watch::channel(0).0,
        }
    }

    fn insert(tx: &WriteTx<'_>) -> Result<(), StoreError> {
        tx.conn.execute("INSERT INTO t VALUES(1)", [])?;
        Ok(())
    }

    #[test]
    fn after_sqlite_rolled_a_batch_back_nothing_of_it_is_kept_and_everybody_is_told() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE t(x)").unwrap();
        let (sender, queue) = mpsc::channel(QUEUE_LEN);
        let (before, told_before) = command(insert);
        // What SQLite does by itself when the disk is full.
        let (full, told_full) = command(|tx: &WriteTx<'_>| {
            tx.conn.execute_batch("ROLLBACK")?;
            Err::<(), _>(StoreError::Full)
        });
        let (after, told_after) = command(insert);
        for one in [before, full, after] {
            assert!(sender.try_send(one).is_ok(), "the queue has room");
        }
        let (next, told_next) = command(insert);
        drop(sender.try_send(next));
        drop(sender);
        let beside = Beside {
            idle: Arc::default(),
            wakes: Arc::new(wakes()),
            storage: Arc::new(Storage::of(std::path::Path::new("memory"))),
        };
        run(&conn, queue, ChainHead::EMPTY, &beside);
        let failed = |told: oneshot::Receiver<Result<(), StoreError>>| {
            told.blocking_recv()
                .expect("everybody is answered")
                .is_err()
        };
        assert!(failed(told_before), "its write went with the transaction");
        assert!(failed(told_full));
        let (after, next) = (failed(told_after), failed(told_next));
        let kept: i64 = conn
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        let answered_well = i64::from(!after) + i64::from(!next);
        assert_eq!(
            kept, answered_well,
            "what is kept is what was answered as kept"
        );
    }
}
