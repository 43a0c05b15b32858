//! The stages: loops that find due work in rows, do it outside any transaction and finish it in one.
//!
//! A wake-up is a hint and may be missed; the rows are the truth, so every loop also wakes when the
//! next row is due and at least every [`SAFETY_TICK`]. A stage that panics loses one piece of work
//! for one lease, never the loop. `suspects` and `lease` look after work that ends the process, breaks
//! off or hangs.

pub(crate) mod clock;
pub(crate) mod deliver;
mod enrich;
mod index;
pub(crate) mod lease;
pub(crate) mod matching;
pub(crate) mod storage;
pub(crate) mod suspects;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use calseta_domain::Timestamp;
use futures_util::FutureExt as _;

pub(crate) use enrich::alerts_follow;

use crate::start::Inner;

/// The longest a loop sleeps.
const SAFETY_TICK: Duration = Duration::from_secs(30);
/// How long a loop waits after the store failed it.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// Starts every stage on the engine's tracker. What may have ended the process before is worked off
/// first, so that nothing else is in hand when it does so again.
pub(crate) fn run(inner: &Arc<Inner>) {
    supervise(inner, "index", index::run);
    supervise(inner, "clock", clock::run);
    supervise(inner, "anchor", crate::anchors::run);
    supervise(inner, "storage", storage::run);
    supervise(inner, "egress log", crate::egress_log::run);
    supervise(inner, "retention", crate::retention::run);
    supervise(inner, "backup", crate::backups::run);
    supervise(inner, "lease", lease::run);
    let starting = Arc::clone(inner);
    inner.tasks.spawn(async move {
        suspects::work_off(&starting).await;
        supervise(&starting, "match", matching::run);
        supervise(&starting, "enrich", enrich::run);
        supervise(&starting, "deliver", deliver::run);
    });
}

/// Runs work to its end; in words why not, when it panics.
async fn unbroken<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .map_err(|panic| {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            text.unwrap_or_else(|| "it panicked".to_owned())
        })
}

/// Keeps a stage's loop running: one that panicked is reported and started again.
fn supervise<F, R>(inner: &Arc<Inner>, name: &'static str, stage: F)
where
    F: Fn(Arc<Inner>) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let inner = Arc::clone(inner);
    let tracker = inner.tasks.clone();
    tracker.spawn(async move {
        loop {
            let ended = inner.tasks.spawn(stage(Arc::clone(&inner))).await;
            let Err(error) = ended else { return };
            tracing::error!(stage = name, error = %error, "a stage stopped; starting it again");
            if !calm_down(&inner).await {
                return;
            }
        }
    });
}

/// Waits for a wake-up, for the next due row or for the tick. `false` when it is time to stop.
async fn pause(inner: &Inner, wake: impl Future<Output = ()>, next: Option<Timestamp>) -> bool {
    let until = next.map_or(SAFETY_TICK, |at| {
        let ms = at
            .millis()
            .saturating_sub(inner.clock.now().millis())
            .max(0);
        Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(SAFETY_TICK)
    });
    tokio::select! {
        () = inner.stop.cancelled() => false,
        () = wake => true,
        () = tokio::time::sleep(until) => true,
    }
}

/// Waits a little after an error, so that a full disk is not asked a thousand times a second.
async fn calm_down(inner: &Inner) -> bool {
    tokio::select! {
        () = inner.stop.cancelled() => false,
        () = tokio::time::sleep(AFTER_ERROR) => true,
    }
}
