//! Group commit: one bad closure harms nobody, and an answer means that the row is on disk.

use std::sync::mpsc;

use calseta_store::tables::{alert, event};
use calseta_store::{DataDir, OpenError, StoreError, WriteTx};
use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::world::{append_event, fresh, insert_alert};

/// Closures of one batch.
const BATCH: u64 = 60;
/// More than the writer's queue holds.
const TOO_MANY: usize = 4_200;

type Unit = Result<(), StoreError>;

fn count(path: &std::path::Path) -> i64 {
    let conn = Connection::open(path.join("calseta.db")).expect("another connection");
    let count = conn.query_row("SELECT count(*) FROM alert", [], |row| row.get(0));
    count.expect("alerts can be counted")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_closure_does_not_fail_its_batch_mates() {
    let (dir, store) = fresh();
    let store = std::sync::Arc::new(store);
    let (release, held) = mpsc::channel::<()>();
    let mut tasks = JoinSet::new();
    let first = std::sync::Arc::clone(&store);
    tasks.spawn(async move {
        let hold = move |_: &WriteTx<'_>| -> Unit {
            let _ = held.recv();
            Ok(())
        };
        (None, first.write(hold).await)
    });
    for n in 0..BATCH {
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move {
            let work = move |tx: &WriteTx<'_>| -> Unit {
                insert_alert(tx, n)?;
                append_event(tx, usize::try_from(n).unwrap_or(0))?;
                match n % 3 {
                    0 => Ok(()),
                    1 => Err(StoreError::Corrupt("a made-up row")),
                    _ => panic!("a closure that panics, on purpose"),
                }
            };
            (Some(n), store.write(work).await)
        });
    }
    drop(release);
    while let Some(done) = tasks.join_next().await {
        let (n, answer) = done.expect("a caller does not panic");
        match n.map(|n| n % 3) {
            None | Some(0) => assert!(answer.is_ok(), "{n:?}: {answer:?}"),
            Some(1) => assert!(
                matches!(answer, Err(StoreError::Corrupt(_))),
                "{n:?}: {answer:?}"
            ),
            Some(_) => assert!(
                matches!(answer, Err(StoreError::Panicked)),
                "{n:?}: {answer:?}"
            ),
        }
    }
    assert_eq!(count(dir.path()), i64::try_from(BATCH / 3).unwrap_or(0));
    let head = store
        .read(|tx| event::verify(tx))
        .await
        .expect("the chain can be read");
    let head = head.expect("closures that were rolled back leave no gap in the chain");
    assert_eq!(head.seq, i64::try_from(BATCH / 3).unwrap_or(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_after_its_commit() {
    let (dir, store) = fresh();
    let path = dir.path().to_owned();
    for n in 0..20 {
        let looking = path.clone();
        let before = store
            .write(move |tx: &WriteTx<'_>| {
                insert_alert(tx, n)?;
                Ok::<_, StoreError>(count(&looking))
            })
            .await
            .expect("the write is kept");
        assert_eq!(
            before,
            i64::try_from(n).unwrap_or(0),
            "seen before its commit"
        );
        assert_eq!(count(&path), before + 1, "answered before its commit");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_busy_and_drains() {
    let (_dir, store) = fresh();
    let store = std::sync::Arc::new(store);
    let (release, held) = mpsc::channel::<()>();
    let (started, is_started) = mpsc::channel::<()>();
    let mut tasks = JoinSet::new();
    let first = std::sync::Arc::clone(&store);
    tasks.spawn(async move {
        let hold = move |_: &WriteTx<'_>| -> Unit {
            let _ = started.send(());
            let _ = held.recv();
            Ok(())
        };
        first.write(hold).await
    });
    tokio::task::block_in_place(|| is_started.recv()).expect("the writer has begun");
    for _ in 0..TOO_MANY {
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move { store.write(|_: &WriteTx<'_>| -> Unit { Ok(()) }).await });
    }
    let (mut kept, mut busy) = (0, 0);
    let mut release = Some(release);
    while let Some(done) = tasks.join_next().await {
        match done.expect("a caller does not panic") {
            Ok(()) => kept += 1,
            Err(StoreError::Busy) => busy += 1,
            Err(other) => panic!("{other}"),
        }
        // The first answer is a refusal: the writer still holds on. Then it may go on.
        release.take();
    }
    assert!(busy > 0, "nobody was told that the queue is full");
    assert_eq!(kept + busy, TOO_MANY + 1);
    store
        .write(|_: &WriteTx<'_>| -> Unit { Ok(()) })
        .await
        .expect("it goes on");
}

#[tokio::test]
async fn two_open_alerts_of_one_fingerprint_cannot_be() {
    let (_dir, store) = fresh();
    let insert = |tx: &WriteTx<'_>| insert_alert(tx, 1);
    let id = store.write(insert).await.expect("the first is kept");
    // The same fingerprint under another id.
    let again = |tx: &WriteTx<'_>| tx_insert_copy(tx, 1, 99);
    let second = store.write(again).await;
    assert!(matches!(second, Err(StoreError::Conflict)), "{second:?}");
    store
        .write(move |tx: &WriteTx<'_>| alert::retire_head(tx, id))
        .await
        .expect("the first makes way");
    store.write(again).await.expect("then a new one is kept");
}

/// An alert with the fingerprint of one number and the id of another.
fn tx_insert_copy(tx: &WriteTx<'_>, fingerprint_of: u64, id_of: u64) -> Result<i64, StoreError> {
    let id = insert_alert(tx, id_of)?;
    let conn = calseta_store::tables::Reads::conn(tx);
    let sql = "UPDATE alert SET fingerprint = ?2 WHERE id = ?1";
    let mut fingerprint = [0; 32];
    fingerprint[..8].copy_from_slice(&fingerprint_of.to_be_bytes());
    conn.execute(sql, (id, fingerprint))?;
    Ok(id)
}

#[test]
fn a_directory_has_one_owner() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let owner = DataDir::take(dir.path()).expect("it is free");
    let second = DataDir::take(dir.path());
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    drop(owner);
    DataDir::take(dir.path()).expect("it is free again");
}
