//! Deliver: frozen bytes to agents, signed, at least once, each agent on its own.
//!
//! A delivery is taken in hand and its attempt's row written in one commit, before anything is
//! sent. `plan` says for whom there is what to do, `attempt` does it, `settle` judges how it ended:
//! the message by its schedule, the agent by its breaker.

mod attempt;
mod plan;
mod settle;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use calseta_domain::breaker::{Health, Reach};
use calseta_domain::{Outcome, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::backlog::{self, Waiting};
use calseta_store::tables::breaker::{self, AwakeMark};
use calseta_store::tables::delivery::{self, AttemptOutcome, ClaimedDelivery, Lease};
use futures_util::FutureExt as _;
use tokio::sync::Notify;

pub(crate) use attempt::{Envelope, attempt};

use super::{calm_down, pause};
use crate::Problem;
use crate::clock::jitter;
use crate::start::Inner;
use plan::{Plan, Work, plan};
use settle::{Ended, settle};

/// Attempts at once in all.
const IN_ALL: usize = 64;
/// After so many probes that failed, the next oldest message is the probe: one that an agent cannot
/// stomach must not hold up the others.
const PROBES_A_MESSAGE: u32 = 3;
/// The messages that probes go round.
const PROBE_MESSAGES: u32 = 100;
/// What a delivery's lease is longer than its agent's deadline: signing, and storing the outcome.
const LEASE_SLACK: Duration = Duration::from_secs(30);

/// How long one of an agent's deliveries may be in hand.
pub(crate) fn lease(inner: &Inner, agent: &AgentRow) -> Lease {
    inner.lease(Duration::from_secs(agent.timeout_seconds.into()) + LEASE_SLACK)
}

/// Who has how many attempts under way.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    by_agent: Mutex<HashMap<i64, usize>>,
    freed: Notify,
    /// Whose turn is first.
    turn: AtomicUsize,
}

impl InFlight {
    /// Whether nothing is under way.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        let by_agent = self.by_agent.lock().unwrap_or_else(PoisonError::into_inner);
        by_agent.is_empty()
    }

    /// The plan for now.
    fn plan(&self, waiting: &[Waiting], now: Timestamp) -> Plan {
        let by_agent = self.by_agent.lock().unwrap_or_else(PoisonError::into_inner);
        let room = IN_ALL.saturating_sub(by_agent.values().sum());
        let free = |agent: &Waiting| {
            let own = by_agent.get(&agent.agent).copied().unwrap_or(0);
            (agent.max_in_flight as usize).saturating_sub(own)
        };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        plan(waiting, free, (room, turn), now)
    }
}

/// A place among the attempts under way; given back when dropped, also by a panic.
struct Slot {
    inner: Arc<Inner>,
    agent: i64,
}

impl Slot {
    fn take(inner: &Arc<Inner>, agent: i64) -> Self {
        let mut by_agent = inner
            .deliveries
            .by_agent
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *by_agent.entry(agent).or_default() += 1;
        Self {
            inner: Arc::clone(inner),
            agent,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let in_flight = &self.inner.deliveries;
        let mut by_agent = in_flight
            .by_agent
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_agent.get_mut(&self.agent) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                by_agent.remove(&self.agent);
            }
        }
        drop(by_agent);
        in_flight.freed.notify_one();
    }
}

/// A delivery in hand with what its attempt needs.
type InHand = (ClaimedDelivery, Envelope);

pub(super) async fn run(inner: Arc<Inner>) {
    while !inner.stop.is_cancelled() {
        let go_on = match step(&inner).await {
            Ok(Step::Worked) => true,
            Ok(Step::Idle { next }) => {
                let wake = async {
                    tokio::select! {
                        () = inner.store.delivery_wake() => {},
                        () = inner.deliveries.freed.notified() => {},
                    }
                };
                pause(&inner, wake, next).await
            }
            Err(problem) => {
                tracing::warn!(error = problem.message, "looking for due deliveries");
                calm_down(&inner).await
            }
        };
        if !go_on {
            return;
        }
    }
}

/// What one look at the due deliveries came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Some were parked or begun; there may be more.
    Worked,
    /// Nothing can begin before `next`, or before an attempt ends.
    Idle { next: Option<Timestamp> },
}

/// Parks what cannot be sent, takes in hand what can, and starts its attempts.
pub(crate) async fn step(inner: &Arc<Inner>) -> Result<Step, Problem> {
    let now = inner.clock.now();
    let waiting = inner
        .store
        .read(|tx| Ok::<_, Problem>(backlog::waiting(tx)?))
        .await?;
    let plan = inner.deliveries.plan(&waiting, now);
    if plan.work.is_empty() {
        return Ok(Step::Idle { next: plan.next });
    }
    let taker = Arc::clone(inner);
    let claimed = inner
        .store
        .write_at("deliver.claim", move |tx: &WriteTx<'_>| {
            let mut claimed = Vec::new();
            for (row, work) in plan.work {
                // What was read may have changed since: the row of now decides.
                let Some(agent) = agent::by_row(tx, row)? else {
                    continue;
                };
                let lease = lease(&taker, &agent);
                claimed.extend(begin(tx, &agent, (work, lease), now)?);
            }
            Ok::<_, Problem>(claimed)
        })
        .await?;
    for in_hand in claimed {
        let slot = Slot::take(inner, in_hand.0.agent);
        let inner = Arc::clone(inner);
        inner.tasks.clone().spawn(async move {
            deliver(&inner, in_hand).await;
            drop(slot);
        });
    }
    Ok(Step::Worked)
}

/// Does what was planned for one agent, as far as it still fits; what is in hand now.
fn begin(
    tx: &WriteTx<'_>,
    agent: &AgentRow,
    (work, lease): (Work, Lease),
    now: Timestamp,
) -> Result<Vec<InHand>, Problem> {
    let claimed = match (work, agent.health) {
        (Work::Park, Health::Open | Health::HalfOpen | Health::Disabled) => {
            backlog::park(tx, agent.id)?;
            Vec::new()
        }
        (Work::Probe, Health::Open) if agent.is_active => {
            let mut row = breaker::of_agent(tx, agent.id)?;
            let skip = (row.breaker.probes / PROBES_A_MESSAGE) % PROBE_MESSAGES;
            let Some(oldest) = backlog::oldest_parked(tx, agent.id, skip)? else {
                return Ok(Vec::new());
            };
            row.breaker = row.breaker.probing();
            breaker::put(tx, agent.id, &row, now)?;
            vec![delivery::take(tx, oldest, (lease, true), now)?]
        }
        (Work::Send(limit), Health::Closed) if agent.is_active => {
            backlog::release(tx, agent.id, now)?;
            delivery::claim(tx, agent.id, lease, limit, now)?
        }
        (Work::Park | Work::Probe | Work::Send(_), _) => Vec::new(),
    };
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let envelope = Envelope::read(tx, agent)?;
    Ok(claimed
        .into_iter()
        .map(|one| (one, envelope.clone()))
        .collect())
}

/// Makes an attempt and stores how it ended, however that is.
async fn deliver(inner: &Arc<Inner>, (claimed, envelope): InHand) {
    let agent = envelope.agent.clone();
    let sending = async {
        let kept = envelope.clone();
        let (outcome, attempt) = attempt(inner, &claimed, envelope).await;
        (outcome, settle::reach(&kept, &attempt), attempt)
    };
    let ended = tokio::select! {
        ended = AssertUnwindSafe(sending).catch_unwind() => ended,
        // A stop gives what is in flight its time; what is cut off after that is `unknown` at the
        // next start, and sent again with the same id.
        () = stopped_for_good(inner) => return,
    };
    let (outcome, reach, attempt) = ended.unwrap_or_else(|_| {
        tracing::error!("an attempt broke off; the message is sent again");
        broken_off()
    });
    let ended = Ended {
        outcome,
        attempt,
        reach,
        jitter: jitter(),
        mark: AwakeMark {
            awake_ms: inner.clock.awake_millis(),
            boot: inner.store.boot(),
        },
        now: inner.clock.now(),
    };
    // Until it is stored nobody else takes the delivery up: a full disk must not make it be sent
    // twice once there is room.
    loop {
        let (claimed, agent, ended) = (claimed.clone(), agent.clone(), ended.clone());
        let stored = inner
            .store
            .write_at("deliver.settle", move |tx: &WriteTx<'_>| {
                settle(tx, &claimed, &agent, &ended)
            })
            .await;
        let Err(problem) = stored else { return };
        tracing::error!(
            error = problem.message,
            "an attempt's outcome could not be stored; trying again"
        );
        if !calm_down(inner).await {
            return;
        }
    }
}

fn broken_off() -> (Outcome, Reach, AttemptOutcome) {
    let attempt = AttemptOutcome {
        outcome: Outcome::Unknown.word(),
        status_code: None,
        remote_ip: None,
        duration_ms: 0,
        response_excerpt: None,
        error: Some("the attempt broke off inside this program".to_owned()),
    };
    (Outcome::Unknown, Reach::Near, attempt)
}

/// How long an attempt may go on after a stop was asked for.
const STOP_GRACE: Duration = Duration::from_secs(5);

async fn stopped_for_good(inner: &Inner) {
    inner.stop.cancelled().await;
    tokio::time::sleep(STOP_GRACE).await;
}
