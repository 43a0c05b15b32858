//! Readers: a few read-only connections with a deadline.
//!
//! A read runs on a blocking thread and is interrupted after [`READ_DEADLINE`]: a reader that never
//! ends would keep the write-ahead log from being truncated.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::StoreError;

/// Read-only connections.
pub(crate) const READERS: usize = 4;
/// The longest a read may take.
const READ_DEADLINE: Duration = Duration::from_secs(2);

/// A consistent view of the store, for reading. Verbs hang off it, by table.
#[derive(Debug)]
pub struct ReadTx<'a> {
    pub(crate) conn: &'a Connection,
}

#[derive(Debug)]
pub(crate) struct Readers {
    free: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Mutex::new(connections)),
        }
    }

    /// Closes the connections, so that the writer's is the last one: SQLite then empties the
    /// write-ahead log and removes it. Later reads are answered `Closed`.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        // A read that is under way ends first; its deadline bounds the wait.
        drop(tokio::time::timeout(READ_DEADLINE, self.free.acquire_many(all)).await);
        self.free.close();
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&ReadTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let free = Arc::clone(&self.free).acquire_owned();
        let permit = match tokio::time::timeout(READ_DEADLINE, free).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(StoreError::Closed.into()),
            Err(_) => return Err(StoreError::Busy.into()),
        };
        let taken = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let Some(conn) = taken else {
            return Err(StoreError::Busy.into());
        };
        let interrupt = conn.get_interrupt_handle();
        // The thread puts connection and permit back itself: a caller that goes away must neither
        // lose the one nor give the other back before it.
        let idle = Arc::clone(&self.idle);
        let mut task = tokio::task::spawn_blocking(move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                run(&conn, "BEGIN").map_err(|e| E::from(e.into()))?;
                work(&ReadTx { conn: &conn })
            }));
            if !conn.is_autocommit() {
                drop(run(&conn, "ROLLBACK"));
            }
            idle.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(conn);
            drop(permit);
            result.unwrap_or_else(|_| Err(StoreError::Panicked.into()))
        });
        let joined = if let Ok(joined) = tokio::time::timeout(READ_DEADLINE, &mut task).await {
            joined
        } else {
            interrupt.interrupt();
            task.await
        };
        joined.unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }
}

/// Every read runs these: parsed once a connection.
fn run(conn: &Connection, sql: &str) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute([])
}

#[cfg(test)]
mod tests {
    use calseta_domain::Timestamp;
    use rusqlite::StatementStatus;

    use crate::{DataDir, Store, StoreError};

    /// A primary key, bound, beside partial indexes: what SQLite would plan anew for each value.
    const SQL: &str = "SELECT DISTINCT e.ref2 FROM alert_indicator l \
        JOIN job e ON e.ref = l.indicator_id \
        WHERE l.alert_id = ?1 AND e.kind = 'enrich' AND e.state != 'dead'";

    #[tokio::test]
    async fn a_statement_is_parsed_once_a_connection() {
        let dir = tempfile::tempdir().unwrap();
        let dir = DataDir::take(dir.path()).unwrap();
        let store = Store::open(dir, Timestamp::from_millis(1)).unwrap();
        for n in 0..3_i64 {
            let parsed_again = store.read(move |tx| {
                let mut statement = tx.conn.prepare_cached(SQL)?;
                assert!(!statement.exists([n])?);
                Ok::<_, StoreError>(statement.get_status(StatementStatus::RePrepare))
            });
            assert_eq!(
                parsed_again.await.unwrap(),
                0,
                "parsing costs more than the read"
            );
        }
    }
}
