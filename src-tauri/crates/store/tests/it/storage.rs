//! The bound of the write-ahead log.

use calseta_store::Store;
use calseta_store::tables::setting;
use rusqlite::Connection;

use crate::world::{fresh, write};

/// Rows that grow the log by some megabytes.
const ROWS: u64 = 400;

/// Bytes of a row that is large.
const LARGE: usize = 8 * 1024;

async fn grow(store: &Store, from: u64) {
    for n in from..from + ROWS {
        write(store, move |tx| {
            setting::put(tx, &format!("large {n}"), &"x".repeat(LARGE))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_emptied_unless_a_reader_holds_on_to_it() {
    let (dir, store) = fresh();
    grow(&store, 0).await;
    assert!(store.storage().log_bytes > 0);
    assert!(store.empty_log().await.expect("the writer answers"));
    assert_eq!(store.storage().log_bytes, 0);
    // The control: somebody who reads and does not end.
    let pinning = Connection::open(dir.path().join("calseta.db")).expect("another connection");
    pinning
        .execute_batch("BEGIN; SELECT count(*) FROM alert;")
        .expect("it reads");
    grow(&store, ROWS).await;
    let held = store.storage().log_bytes;
    assert!(!store.empty_log().await.expect("the writer answers"));
    grow(&store, 2 * ROWS).await;
    assert!(store.storage().log_bytes > held, "it cannot but grow");
    pinning.execute_batch("COMMIT").expect("it ends");
    assert!(store.empty_log().await.expect("the writer answers"));
    assert_eq!(store.storage().log_bytes, 0);
}
