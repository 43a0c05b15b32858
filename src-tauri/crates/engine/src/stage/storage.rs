//! Storage: keeps the write-ahead log short, and notices that the disk is full and that it is not
//! any more.
//!
//! A full disk cannot be noted in the event log while it lasts; `GET /health` says so then, and the
//! event comes with the first write that succeeds.

use std::sync::Arc;
use std::time::Duration;

use calseta_domain::Timestamp;
use calseta_store::tables::event::Actor;
use calseta_store::{MAX_LOG_BYTES, StorageFacts, StoreError, WriteTx};
use serde_json::{Map, Value, json};

use crate::Problem;
use crate::changes::Change;
use crate::start::Inner;

/// How often the log's length is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often a full disk is asked whether it takes writes again: ingest goes on by itself, this is
/// for a product that nobody writes to at the moment.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A log of this many bytes is emptied when nobody has written since the last look.
const IDLE_LOG_BYTES: u64 = 1024 * 1024;
/// A log of this many bytes is emptied although others write: before it reaches its bound.
const BUSY_LOG_BYTES: u64 = MAX_LOG_BYTES / 2;
/// How long the log may be over its bound before that is an alarm, in milliseconds: a backup of a
/// large database reads for about this long.
const OVER_MS: i64 = 30_000;

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    log_bytes: u64,
    over_since: Option<Timestamp>,
    full_since: Option<Timestamp>,
    refused_before: u64,
}

pub(super) async fn run(inner: Arc<Inner>) {
    let mut seen = Seen::default();
    loop {
        let facts = step(&inner, &mut seen).await;
        let wait = if facts.is_full {
            PROBE_EVERY
        } else {
            LOOK_EVERY
        };
        tokio::select! {
            () = inner.stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {},
        }
    }
}

/// One look.
pub(crate) async fn step(inner: &Arc<Inner>, seen: &mut Seen) -> StorageFacts {
    let facts = disk(inner, seen).await;
    log(inner, seen, facts).await;
    facts
}

/// Whether the disk takes writes, and the event when it does again.
async fn disk(inner: &Arc<Inner>, seen: &mut Seen) -> StorageFacts {
    let before = inner.store.storage();
    if before.is_full {
        let now = inner.clock.now();
        seen.full_since.get_or_insert(now);
        // Its answer is in the facts.
        drop(inner.store.probe().await);
    }
    let facts = inner.store.storage();
    if facts.is_full || facts.refused == seen.refused_before {
        return facts;
    }
    let mut detail = Map::new();
    detail.insert(
        "refused".to_owned(),
        json!(facts.refused - seen.refused_before),
    );
    detail.insert("since".to_owned(), json!(seen.full_since));
    if say(inner, "storage.freed", detail).await.is_ok() {
        seen.refused_before = facts.refused;
        seen.full_since = None;
    }
    inner.store.storage()
}

async fn log(inner: &Arc<Inner>, seen: &mut Seen, facts: StorageFacts) {
    let is_idle = facts.log_bytes == seen.log_bytes;
    let is_due = is_idle && facts.log_bytes > IDLE_LOG_BYTES || facts.log_bytes > BUSY_LOG_BYTES;
    if is_due && !facts.is_full {
        match inner.store.empty_log().await {
            Ok(_) | Err(StoreError::Closed) => {}
            Err(error) => tracing::warn!(error = %error, "the write-ahead log was not emptied"),
        }
    }
    let bytes = inner.store.storage().log_bytes;
    seen.log_bytes = bytes;
    let was_alarming = inner.is_log_over();
    if bytes <= MAX_LOG_BYTES {
        seen.over_since = None;
        inner.set_log_over(false);
        if was_alarming {
            let noted = say(inner, "storage.log_emptied", bytes_of(bytes)).await;
            drop(noted);
        }
        return;
    }
    let now = inner.clock.now();
    let since = *seen.over_since.get_or_insert(now);
    if !was_alarming && now.millis() - since.millis() >= OVER_MS {
        inner.set_log_over(true);
        tracing::error!(
            bytes,
            "the write-ahead log is over its bound: something reads the database and does not end"
        );
        drop(say(inner, "storage.log_over", bytes_of(bytes)).await);
    }
}

fn bytes_of(bytes: u64) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("bytes".to_owned(), json!(bytes));
    detail.insert("bound".to_owned(), json!(MAX_LOG_BYTES));
    detail
}

async fn say(
    inner: &Arc<Inner>,
    kind: &'static str,
    detail: Map<String, Value>,
) -> Result<(), Problem> {
    let change = Change {
        actor: Actor::system(),
        at: inner.clock.now(),
    };
    inner
        .store
        .write(move |tx: &WriteTx<'_>| change.append(tx, kind, ("storage", None), detail))
        .await
}

impl Inner {
    fn is_log_over(&self) -> bool {
        self.log_over.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn set_log_over(&self, is_over: bool) {
        self.log_over
            .store(is_over, std::sync::atomic::Ordering::Relaxed);
    }

    /// How the disk fares, in a word for `GET /health`.
    pub(crate) fn storage_word(&self) -> &'static str {
        if self.store.storage().is_full {
            "full"
        } else if self.is_log_over() {
            "log_over"
        } else {
            "ok"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use calseta_store::tables::{retention, setting};
    use calseta_store::{MAX_LOG_BYTES, StoreError, WriteTx};

    use super::{OVER_MS, Seen, step};
    use crate::tests::{World, world};

    /// Bytes of one row that makes the log longer.
    const PIECE: usize = 4 * 1024 * 1024;

    /// Pieces that are more than the bound.
    const PIECES: u64 = MAX_LOG_BYTES / PIECE as u64 + 4;

    async fn grow(world: &World, until: u64) {
        let store = &world.engine.inner.store;
        for n in 0..PIECES {
            if store.storage().log_bytes > until {
                return;
            }
            store
                .write(move |tx: &WriteTx<'_>| {
                    // Another text each time: what is the same is not written again.
                    let text = format!("{n:016}").repeat(PIECE / 16);
                    setting::put(tx, "large", &text)
                })
                .await
                .unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_reader_that_does_not_end_is_an_alarm_and_its_end_is_the_end_of_it() {
        let world = world().await;
        let (inner, mut seen) = (world.engine.inner.clone(), Seen::default());
        // The control: without one, however much is written, there is nothing to say.
        grow(&world, MAX_LOG_BYTES).await;
        step(&inner, &mut seen).await;
        assert!(inner.store.storage().log_bytes < MAX_LOG_BYTES);
        let (release, held) = mpsc::channel::<()>();
        let (begun, begin) = mpsc::channel::<()>();
        let reader = inner.clone();
        let pinned = inner.tasks.spawn(async move {
            reader
                .store
                .read(move |tx| {
                    retention::progress(tx)?;
                    let _told = begun.send(());
                    let _ended = held.recv();
                    Ok::<_, StoreError>(())
                })
                .await
        });
        begin.recv().unwrap();
        grow(&world, MAX_LOG_BYTES).await;
        let facts = inner.store.storage();
        assert!(facts.log_bytes > MAX_LOG_BYTES, "{facts:?}");
        step(&inner, &mut seen).await;
        assert_eq!(inner.storage_word(), "ok", "a backup may take this long");
        world.clock.advance_millis(OVER_MS);
        step(&inner, &mut seen).await;
        assert_eq!(world.engine.health().await.storage, "log_over");
        assert_eq!(world.engine.health().await.status, "degraded");
        drop(release);
        drop(pinned.await);
        step(&inner, &mut seen).await;
        assert_eq!(world.engine.health().await.storage, "ok");
        let kinds: Vec<_> = world
            .events(&world.analyst)
            .await
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        assert_eq!(kinds, ["storage.log_over", "storage.log_emptied"]);
    }
}
