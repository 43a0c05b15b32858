//! Clock: what was only for a while ends. Snoozed alerts come back, suppressions are over, and
//! changes that can no longer be taken back are forgotten.
//!
//! What ends and its event are one commit, so each ends once, whenever the process stops.

use std::sync::Arc;

use calseta_domain::Timestamp;
use calseta_store::tables::event::Actor;
use calseta_store::tables::{change, suppression, triage};
use calseta_store::{StoreError, WriteTx};
use serde_json::{Map, json};

use super::{calm_down, pause};
use crate::changes::Change;
use crate::start::Inner;
use crate::triage::DAY_MS;
use crate::{Problem, suppressions};

/// Alerts that come back in one commit.
const TOGETHER: u32 = 200;
/// How long a change is kept: longer than it can be taken back, so that a late try is told why not.
const CHANGES_KEPT_MS: i64 = 7 * DAY_MS;
/// Changes that one commit forgets.
const CHANGES_TOGETHER: u32 = 100;
/// How often old changes are looked for.
const FORGET_EVERY_MS: i64 = 3600 * 1000;

pub(super) async fn run(inner: Arc<Inner>) {
    let mut forget_at = inner.clock.now();
    while !inner.stop.is_cancelled() {
        let go_on = match step(&inner, &mut forget_at).await {
            Ok(Step::Worked) => true,
            Ok(Step::Idle { next }) => {
                pause(&inner, inner.clock_changed.notified(), Some(next)).await
            }
            Err(problem) => {
                tracing::warn!(error = problem.message, "ending what is over");
                calm_down(&inner).await
            }
        };
        if !go_on {
            return;
        }
    }
}

/// What one look at the clock came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something ended; there may be more.
    Worked,
    /// Nothing ends before `next`.
    Idle { next: Timestamp },
}

/// Ends some of what is over.
pub(crate) async fn step(inner: &Arc<Inner>, forget_at: &mut Timestamp) -> Result<Step, Problem> {
    let now = inner.clock.now();
    // Looking first costs no commit when there is nothing to do.
    let (next, is_over) = inner
        .store
        .read(move |tx| {
            let wakes = [triage::next_wake(tx)?, suppression::next_end(tx, now)?];
            let next = wakes.into_iter().flatten().min();
            Ok::<_, StoreError>((next, !suppression::ended(tx, now)?.is_empty()))
        })
        .await?;
    if is_over || next.is_some_and(|at| at <= now) {
        inner
            .store
            .write(move |tx: &WriteTx<'_>| end_some(tx, now))
            .await?;
        return Ok(Step::Worked);
    }
    if *forget_at <= now {
        let before = now.plus_millis(-CHANGES_KEPT_MS);
        let more = inner
            .store
            .write(move |tx: &WriteTx<'_>| change::drop_old(tx, before, CHANGES_TOGETHER))
            .await?;
        if !more {
            *forget_at = now.plus_millis(FORGET_EVERY_MS);
        }
        return Ok(Step::Worked);
    }
    let next = next.map_or(*forget_at, |next| next.min(*forget_at));
    Ok(Step::Idle { next })
}

fn end_some(tx: &WriteTx<'_>, now: Timestamp) -> Result<(), Problem> {
    let change = Change {
        actor: Actor::system(),
        at: now,
    };
    for (alert, until) in triage::end_snoozes(tx, now, TOGETHER)? {
        let mut detail = Map::new();
        detail.insert("snoozed_until".to_owned(), json!([until, null]));
        let object = ("alert", Some(alert.uuid()));
        change.append_to(tx, "alert.updated", object, Some(alert), detail)?;
    }
    if let Some(row) = suppression::ended(tx, now)?.first() {
        suppressions::end_by_clock(tx, row, &change)?;
    }
    Ok(())
}
