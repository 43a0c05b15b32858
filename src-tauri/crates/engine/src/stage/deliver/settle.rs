//! What an attempt's end comes to: for the message by `calseta_domain::retry`, for the agent by its
//! breaker, both in the commit that says how it ended.

use calseta_domain::breaker::{Attempted, Breaker, Health, Reach, refuses_message};
use calseta_domain::{AlertId, Decision, Outcome, Timestamp, retry};
use calseta_egress::{AddressClass, Audience, classify, judge};
use calseta_store::WriteTx;
use calseta_store::tables::agent::AgentRow;
use calseta_store::tables::breaker::{self, AwakeMark, BreakerRow};
use calseta_store::tables::delivery::{self, AttemptOutcome, ClaimedDelivery, Settled};
use calseta_store::tables::event::{self, Actor, NewEvent};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::attempt::Envelope;
use crate::Problem;
use crate::changes::named;

/// An attempt that ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) attempt: AttemptOutcome,
    pub(super) reach: Reach,
    /// A random number in -1..=1.
    pub(super) jitter: f64,
    /// The awake clock of this process.
    pub(super) mark: AwakeMark,
    pub(super) now: Timestamp,
}

/// How far an agent is: by who answered, else by its address as it was given or granted.
pub(super) fn reach(envelope: &Envelope, attempt: &AttemptOutcome) -> Reach {
    let is_near = |class| matches!(class, AddressClass::Loopback | AddressClass::Private);
    let answered = attempt.remote_ip.as_deref().and_then(|ip| ip.parse().ok());
    let near = match answered {
        Some(ip) => is_near(classify(ip)),
        None => judge(&envelope.agent.webhook_url, Audience::Agent).is_ok_and(|target| {
            let granted = |class| {
                envelope
                    .grants
                    .contains(&target.grant_as(Audience::Agent, class))
            };
            target.class().map_or_else(
                || granted(AddressClass::Loopback) || granted(AddressClass::Private),
                is_near,
            )
        }),
    };
    if near { Reach::Near } else { Reach::Far }
}

/// Stores it. Nothing when the delivery is no longer in this worker's hand.
pub(super) fn settle(
    tx: &WriteTx<'_>,
    claimed: &ClaimedDelivery,
    agent: &AgentRow,
    ended: &Ended,
) -> Result<(), Problem> {
    let BreakerRow { breaker, mark } = breaker::of_agent(tx, agent.id)?;
    // A probe finds out about the agent. It counts against the message only when the agent judged
    // the message, or nobody knows what became of it.
    let counts =
        !claimed.is_probe || refuses_message(&ended.outcome) || ended.outcome == Outcome::Unknown;
    let spent = claimed.spent + u32::from(counts);
    let after = breaker.clone().after(&Attempted {
        outcome: &ended.outcome,
        error: ended
            .attempt
            .error
            .as_deref()
            .unwrap_or("no reason is known"),
        is_probe: claimed.is_probe,
        reach: ended.reach,
        awake_ms: ended.mark.since(mark),
        now: ended.now,
    });
    let settled = match retry::next(spent.max(1), &ended.outcome, ended.now, ended.jitter) {
        Decision::Delivered => Settled::Delivered,
        Decision::RetryAt(at) if after.health == Health::Closed => Settled::Due(at),
        Decision::RetryAt(_) => Settled::Parked,
        Decision::Dead { reason } => Settled::Dead(reason),
    };
    let given = (&ended.attempt, &settled, spent);
    if !delivery::settle(tx, claimed, ended.mark.boot, given, ended.now)? {
        return Ok(());
    }
    told(tx, claimed, agent, (&settled, &ended.attempt), ended.now)?;
    if after == breaker {
        return Ok(());
    }
    let row = BreakerRow {
        mark: ended.mark,
        breaker: after,
    };
    breaker::put(tx, agent.id, &row, ended.now)?;
    changed(tx, agent, (breaker.health, &row.breaker), ended.now)
}

/// The event of an attempt's end.
fn told(
    tx: &WriteTx<'_>,
    claimed: &ClaimedDelivery,
    agent: &AgentRow,
    (settled, attempt): (&Settled, &AttemptOutcome),
    now: Timestamp,
) -> Result<(), Problem> {
    let (state, next_at) = match settled {
        Settled::Delivered => ("delivered", None),
        Settled::Due(at) => ("due", Some(*at)),
        Settled::Parked => ("parked", None),
        Settled::Dead(_) => ("dead", None),
    };
    let mut detail = Map::new();
    detail.insert("state".to_owned(), json!(["in_flight", state]));
    detail.insert("agent_name".to_owned(), json!(agent.name));
    detail.insert("agent_uuid".to_owned(), json!(agent.uuid));
    detail.insert("attempt".to_owned(), json!(claimed.attempt));
    detail.insert("outcome".to_owned(), json!(attempt.outcome));
    detail.insert("status_code".to_owned(), json!(attempt.status_code));
    detail.insert("next_attempt_at".to_owned(), json!(next_at));
    let object = ("delivery", claimed.uuid.uuid());
    append(tx, ("delivery.updated", object), claimed.alert, detail, now)
}

/// The event of a breaker that opened, closed or gave the agent up. That a probe is under way, or
/// that one more failed, is told by the delivery's own event.
fn changed(
    tx: &WriteTx<'_>,
    agent: &AgentRow,
    (before, after): (Health, &Breaker),
    now: Timestamp,
) -> Result<(), Problem> {
    let stands = |health| match health {
        Health::HalfOpen => Health::Open,
        other => other,
    };
    if stands(before) == stands(after.health) {
        return Ok(());
    }
    let what = match after.health {
        Health::Closed => "back: what was parked is sent",
        Health::Open | Health::HalfOpen => "paused by its circuit breaker",
        Health::Disabled => "disabled",
    };
    let mut detail = named(&agent.name, what);
    detail.insert("health".to_owned(), json!([before, after.health]));
    detail.insert("cause".to_owned(), json!(after.cause));
    detail.insert("reason".to_owned(), json!(after.reason));
    let object = ("agent", agent.uuid.uuid());
    append(tx, ("agent.updated", object), None, detail, now)
}

fn append(
    tx: &WriteTx<'_>,
    (kind, (object, uuid)): (&str, (&str, Uuid)),
    alert: Option<AlertId>,
    detail: Map<String, Value>,
    at: Timestamp,
) -> Result<(), Problem> {
    let actor = Actor::system();
    event::append(
        tx,
        NewEvent {
            at,
            actor: &actor,
            kind,
            object: (object, Some(uuid)),
            alert,
            detail,
        },
    )?;
    Ok(())
}
