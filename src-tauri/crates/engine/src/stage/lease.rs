//! Lease: takes back what this process has in hand for longer than any work may take.
//!
//! Leases are counted on the awake clock: a laptop that slept with work in hand has lost none of it.
//! Whoever still works on what was taken back is refused by its token.

use std::future;
use std::sync::Arc;

use calseta_domain::Timestamp;
use calseta_store::WriteTx;
use calseta_store::tables::delivery::Lease;
use calseta_store::tables::job;

use super::{calm_down, pause};
use crate::start::Inner;
use crate::{Problem, quarantine};

pub(super) async fn run(inner: Arc<Inner>) {
    while !inner.stop.is_cancelled() {
        let go_on = match step(&inner).await {
            Ok(next) => pause(&inner, future::pending(), next).await,
            Err(problem) => {
                tracing::warn!(error = problem.message, "looking for leases that ended");
                calm_down(&inner).await
            }
        };
        if !go_on {
            return;
        }
    }
}

/// Takes back what is beyond its lease; when the next one ends.
pub(crate) async fn step(inner: &Arc<Inner>) -> Result<Option<Timestamp>, Problem> {
    let (boot, awake, now) = (
        inner.store.boot(),
        inner.clock.awake_millis(),
        inner.clock.now(),
    );
    let first = inner
        .store
        .read(move |tx| Ok::<_, Problem>(job::first_lease(tx, boot)?))
        .await?;
    match first {
        None => Ok(None),
        Some(until) if until > awake => Ok(Some(now.plus_millis(until - awake))),
        Some(_) => {
            let lease = Lease {
                boot,
                until_awake_ms: awake,
            };
            let taken = inner
                .store
                .write_at("lease", move |tx: &WriteTx<'_>| {
                    Ok::<_, Problem>(job::sweep(tx, lease, now)?)
                })
                .await?;
            tracing::warn!(count = taken, "work hung and was taken back");
            quarantine::note_new(inner).await?;
            Ok(Some(now))
        }
    }
}
