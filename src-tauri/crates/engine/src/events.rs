//! The event log, for those who may read it.

use std::time::Duration;

use calseta_contract::event::EventBatch;
use calseta_domain::Scope;
use calseta_store::tables::event;

use crate::{Engine, Principal, Problem, views};

/// Events an answer.
const MAX_EVENTS: u32 = 500;
/// The longest poll.
const MAX_WAIT: Duration = Duration::from_secs(25);

/// Every noun of an event's type (its part before the dot) and the scope that reads it: the one
/// that reads the thing itself.
pub(crate) const NOUNS: &[(&str, Scope)] = &[
    ("alert", Scope::AlertsRead),
    ("finding", Scope::AlertsRead),
    ("rule", Scope::AlertsRead),
    ("document", Scope::AlertsRead),
    ("source", Scope::AlertsRead),
    ("view", Scope::AlertsRead),
    ("suppression", Scope::AlertsRead),
    ("indicator", Scope::EnrichmentsRead),
    ("provider", Scope::EnrichmentsRead),
    ("extraction", Scope::EnrichmentsRead),
    ("delivery", Scope::AgentsRead),
    ("agent", Scope::AgentsRead),
    ("approval", Scope::ApprovalsWrite),
    ("run", Scope::WorkflowsRead),
    ("workflow", Scope::WorkflowsRead),
    ("job", Scope::Admin),
    ("mapping", Scope::Admin),
    ("key", Scope::Admin),
    ("settings", Scope::Admin),
    ("grant", Scope::Admin),
    ("secret", Scope::Admin),
    ("auth", Scope::Admin),
    ("backup", Scope::Admin),
    ("storage", Scope::Admin),
    ("retention", Scope::Admin),
];

/// Which events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRange {
    /// Those after this one; `None` for none, to learn where the log ends now.
    pub after: Option<i64>,
    /// How long to wait for the first, at most 25 s.
    pub wait: Duration,
}

/// The first parts of the event types that a caller may read.
fn nouns(by: &Principal) -> Vec<&'static str> {
    NOUNS
        .iter()
        .filter(|(_, scope)| by.has(*scope))
        .map(|(noun, _)| *noun)
        .collect()
}

impl Engine {
    /// Events after a place, waiting for the first when there is none yet.
    pub async fn events(&self, by: &Principal, range: EventRange) -> Result<EventBatch, Problem> {
        let newest = *self.inner.store.event_seq().borrow();
        let Some(after) = range.after else {
            return Ok(EventBatch {
                events: Vec::new(),
                next_after: newest,
                reset: false,
            });
        };
        // After a restore the log may end before the place that the reader knows. A reader may also
        // have seen a commit that is not announced yet: only the log itself can tell the two apart.
        if after > newest {
            let stored = self
                .inner
                .store
                .read(|tx| Ok::<_, Problem>(event::newest(tx)?))
                .await?;
            if after > stored {
                return Ok(EventBatch {
                    events: Vec::new(),
                    next_after: stored,
                    reset: true,
                });
            }
        }
        let nouns = nouns(by);
        let deadline = tokio::time::Instant::now() + range.wait.min(MAX_WAIT);
        let mut seen = after;
        loop {
            let mut changes = self.inner.store.event_seq();
            let newest = *changes.borrow_and_update();
            if newest > seen {
                let wanted = nouns.clone();
                let rows = self
                    .inner
                    .store
                    .read(move |tx| Ok::<_, Problem>(event::after(tx, seen, &wanted, MAX_EVENTS)?))
                    .await?;
                if let Some(last) = rows.last() {
                    let next_after = last.seq;
                    let events = rows.into_iter().map(views::event).collect();
                    return Ok(EventBatch {
                        events,
                        next_after,
                        reset: false,
                    });
                }
                seen = newest;
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { break },
                () = tokio::time::sleep_until(deadline) => break,
                () = self.inner.stop.cancelled() => break,
            }
        }
        Ok(EventBatch {
            events: Vec::new(),
            next_after: seen,
            reset: false,
        })
    }
}
