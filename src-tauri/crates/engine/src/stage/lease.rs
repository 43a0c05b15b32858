//! Lease: takes back what this process has in hand for longer than any work may take.
//!
//! Leases are counted on the awake clock: a laptop that slept with work in hand has lost none of it.
//! Whoever still works on what was taken back is refused by its token.
//!
//! It also makes due what a clock that was set back since has put too far away.

use std::future;
use std::sync::Arc;

use calseta_domain::{Timestamp, breaker, retry};
use calseta_store::WriteTx;
use calseta_store::tables::backlog::{self, LongestWaits};
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

/// The longest that anything can have been told to wait. Jobs wait a minute for lookups, and a
/// provider may ask for less; an hour is far beyond both.
const LONGEST: LongestWaits = LongestWaits {
    delivery_ms: retry::LONGEST_WAIT_MS,
    probe_ms: breaker::MAX_ASKED_MS,
    job_ms: 3_600_000,
};

/// Makes due what nobody can have put so far away.
async fn fetch_back(inner: &Arc<Inner>) -> Result<(), Problem> {
    let now = inner.clock.now();
    loop {
        let is_stranded = inner
            .store
            .read(move |tx| Ok::<_, Problem>(backlog::is_stranded(tx, LONGEST, now)?))
            .await?;
        if !is_stranded {
            return Ok(());
        }
        tracing::warn!("the clock was set back; what was put off by it is due now");
        inner
            .store
            .write_at("clock.back", move |tx: &WriteTx<'_>| {
                Ok::<_, Problem>(backlog::fetch_back(tx, LONGEST, now)?)
            })
            .await?;
    }
}

/// Takes back what is beyond its lease; when the next one ends.
pub(crate) async fn step(inner: &Arc<Inner>) -> Result<Option<Timestamp>, Problem> {
    fetch_back(inner).await?;
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
