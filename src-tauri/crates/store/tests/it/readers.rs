//! Readers: a read has a deadline, and what it leaves behind is usable.

use std::time::{Duration, Instant};

use calseta_store::StoreError;
use calseta_store::tables::{Reads, event};

use crate::world::fresh;

/// The deadline is 2 s; the rest is for a busy machine.
const SOON: Duration = Duration::from_secs(15);
/// More than there are readers.
const ENDLESS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_endless_read_is_interrupted_and_its_connection_comes_back() {
    let (_dir, store) = fresh();
    let store = std::sync::Arc::new(store);
    let started = Instant::now();
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..ENDLESS {
        let store = std::sync::Arc::clone(&store);
        reads.spawn(async move {
            let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                           SELECT count(*) FROM n";
            store
                .read(|tx| {
                    Ok::<i64, StoreError>(tx.conn().query_row(endless, [], |row| row.get(0))?)
                })
                .await
        });
    }
    while let Some(done) = reads.join_next().await {
        let answer = done.expect("a reader does not panic");
        let refused = matches!(answer, Err(StoreError::Busy | StoreError::TooSlow));
        assert!(refused, "{answer:?}");
    }
    assert!(started.elapsed() < SOON, "it took {:?}", started.elapsed());
    for _ in 0..ENDLESS {
        store
            .read(|tx| event::newest(tx))
            .await
            .expect("the readers are usable again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_read_loses_no_connection_and_no_read_can_write() {
    let (_dir, store) = fresh();
    for _ in 0..ENDLESS {
        let answer: Result<(), StoreError> = store
            .read(|_| panic!("a read that panics, on purpose"))
            .await;
        assert!(matches!(answer, Err(StoreError::Panicked)), "{answer:?}");
    }
    let written = store
        .read(|tx| Ok::<_, StoreError>(tx.conn().execute("DELETE FROM setting", [])?))
        .await;
    assert!(written.is_err(), "a reader must not be able to write");
    store
        .read(|tx| event::newest(tx))
        .await
        .expect("the readers are usable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_go_away_leave_the_others_their_connections() {
    let (_dir, store) = fresh();
    let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000)
                SELECT count(*) FROM n";
    for _ in 0..20 {
        let abandoned = store
            .read(|tx| Ok::<i64, StoreError>(tx.conn().query_row(slow, [], |row| row.get(0))?));
        // Polled once, so that the read is under way, then dropped.
        drop(tokio::time::timeout(Duration::from_millis(1), abandoned).await);
        let other = store.read(|tx| event::newest(tx)).await;
        assert!(
            other.is_ok(),
            "a free permit means a free connection: {other:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orderly_stop_leaves_one_whole_file() {
    let (dir, store) = fresh();
    store.read(|tx| event::newest(tx)).await.expect("a read");
    store.close(calseta_domain::Timestamp::from_millis(2)).await;
    let left: Vec<String> = std::fs::read_dir(dir.path())
        .expect("the directory")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("-wal") || name.contains("-shm"))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let late = store.read(|tx| event::newest(tx)).await;
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
}
