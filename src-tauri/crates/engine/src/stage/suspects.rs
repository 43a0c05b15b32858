//! Suspects: jobs that were in hand when the process ended twice in a row. One of them may be what
//! ends it, so at the start they are worked off one by one, before anything else is in hand: the one
//! that does it a third time is alone in quarantine, and the others drain.

use std::sync::Arc;
use std::time::Duration;

use calseta_store::WriteTx;
use calseta_store::tables::job::{self, JobKind, JobRow};

use super::{enrich, matching};
use crate::Problem;
use crate::start::Inner;

/// How long one may take alone; one that takes longer has not ended the process.
const ALONE: Duration = Duration::from_secs(5);
/// How long all of them may keep the other work waiting.
const IN_ALL: Duration = Duration::from_secs(30);

/// Works them off, as far as time allows; the rest goes with the others.
pub(super) async fn work_off(inner: &Arc<Inner>) {
    let until = tokio::time::Instant::now() + IN_ALL;
    while tokio::time::Instant::now() < until && !inner.stop.is_cancelled() {
        match next(inner).await {
            Ok(Some(job)) => work(inner, job).await,
            Ok(None) => return,
            Err(problem) => {
                tracing::warn!(error = problem.message, "looking for suspected jobs");
                return;
            }
        }
    }
}

/// Takes the most suspected job in hand.
pub(crate) async fn next(inner: &Arc<Inner>) -> Result<Option<JobRow>, Problem> {
    let lease = inner.lease(IN_ALL + ALONE);
    inner
        .store
        .write_at("suspect.claim", move |tx: &WriteTx<'_>| {
            Ok::<_, Problem>(job::claim_suspect(tx, lease)?)
        })
        .await
}

async fn work(inner: &Arc<Inner>, job: JobRow) {
    tracing::warn!(
        job.kind = job.kind.as_str(),
        "working on a suspected job alone"
    );
    let kept = job.clone();
    let done = match job.kind {
        JobKind::Match => tokio::time::timeout(ALONE, matching::one(inner, job)).await,
        JobKind::Enrich => tokio::time::timeout(ALONE, enrich::alone(inner, job)).await,
    };
    if done.is_ok() {
        return;
    }
    let (boot, now) = (inner.store.boot(), inner.clock.now());
    let back = inner
        .store
        .write(move |tx: &WriteTx<'_>| job::retry(tx, &kept, boot, now, "it took too long alone"));
    if let Err(error) = back.await {
        tracing::error!(error = %error, "a suspected job could not be put back; it is after its lease");
    }
}
