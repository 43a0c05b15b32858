//! Deliver: frozen bytes to agents, signed, at least once, each agent on its own.
//!
//! A delivery is taken in hand and its attempt's row written in one commit, before anything is
//! sent. What an attempt's outcome means is decided by `calseta_domain::retry`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use calseta_domain::signature::{self, SigningSecret};
use calseta_domain::{Decision, Outcome, Timestamp, retry};
use calseta_egress::{Answer, Audience, Grant, Outbound, Overflow, SendError};
use calseta_store::WriteTx;
use calseta_store::tables::Reads;
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::delivery::{self, AttemptOutcome, ClaimedDelivery, Settled};
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::secret::{self, SealedSecret};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Map, json};
use tokio::sync::Notify;

use super::{calm_down, pause};
use crate::agent_checks::previous_secret;
use crate::agents::{AUTH_FIELD, PREVIOUS_FIELD, SIGNING_FIELD, secret_owner};
use crate::clock::jitter;
use crate::start::Inner;
use crate::vault::DoesNotOpen;
use crate::{Problem, grants};

/// Attempts at once to one agent.
const PER_AGENT: usize = 4;
/// Attempts at once in all.
const IN_ALL: usize = 64;
/// An agent's answer is read up to here; the rest is not wanted.
const ANSWER_BYTES: usize = 64 * 1024;
/// What of it is kept.
const EXCERPT_BYTES: usize = 4 * 1024;

/// Who has how many attempts under way.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    by_agent: Mutex<HashMap<i64, usize>>,
    freed: Notify,
}

impl InFlight {
    fn free(&self, agent: i64) -> usize {
        let by_agent = self.by_agent.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = by_agent.values().sum();
        let own = by_agent.get(&agent).copied().unwrap_or(0);
        PER_AGENT
            .saturating_sub(own)
            .min(IN_ALL.saturating_sub(all))
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

/// What an attempt needs of its agent, still sealed.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    agent: AgentRow,
    auth: Option<SealedSecret>,
    signing: Option<SealedSecret>,
    previous: Option<SealedSecret>,
    grants: Vec<Grant>,
}

impl Envelope {
    pub(crate) fn read(tx: &impl Reads, agent: &AgentRow) -> Result<Self, Problem> {
        let owner = secret_owner(agent.uuid);
        Ok(Self {
            auth: secret::get(tx, &owner, AUTH_FIELD)?,
            signing: secret::get(tx, &owner, SIGNING_FIELD)?,
            previous: secret::get(tx, &owner, PREVIOUS_FIELD)?,
            grants: grants::of(tx, Audience::Agent)?,
            agent: agent.clone(),
        })
    }
}

pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        let due = inner.store.read(|tx| delivery::due_agents(tx)).await;
        let due = match due {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(error = %error, "looking for due deliveries");
                if calm_down(&inner).await {
                    continue;
                }
                return;
            }
        };
        let now = inner.clock.now();
        let wanted: Vec<(i64, usize)> = due
            .iter()
            .filter(|(_, at)| *at <= now)
            .map(|(agent, _)| (*agent, inner.deliveries.free(*agent)))
            .filter(|(_, free)| *free > 0)
            .collect();
        if inner.stop.is_cancelled() {
            return;
        }
        if wanted.is_empty() {
            let next = due.iter().map(|(_, at)| *at).filter(|at| *at > now).min();
            let wake = async {
                tokio::select! {
                    () = inner.store.delivery_wake() => {},
                    () = inner.deliveries.freed.notified() => {},
                }
            };
            if pause(&inner, wake, next).await {
                continue;
            }
            return;
        }
        if let Err(problem) = start(&inner, wanted, now).await {
            tracing::warn!(error = problem.message, "claiming deliveries");
            if !calm_down(&inner).await {
                return;
            }
        }
    }
}

/// Takes due deliveries in hand and starts their attempts.
async fn start(
    inner: &Arc<Inner>,
    wanted: Vec<(i64, usize)>,
    now: Timestamp,
) -> Result<(), Problem> {
    let boot = inner.store.boot();
    let claimed = inner
        .store
        .write_at("deliver.claim", move |tx: &WriteTx<'_>| {
            let (mut claimed, mut room) = (Vec::new(), IN_ALL);
            for (row, free) in wanted {
                let Some(agent) = agent::by_row(tx, row)? else {
                    continue;
                };
                let envelope = Envelope::read(tx, &agent)?;
                for one in delivery::claim(tx, row, boot, free.min(room), now)? {
                    room -= 1;
                    claimed.push((one, envelope.clone()));
                }
            }
            Ok::<_, Problem>(claimed)
        })
        .await?;
    for (delivery, envelope) in claimed {
        let slot = Slot::take(inner, delivery.agent);
        let inner = Arc::clone(inner);
        inner.tasks.clone().spawn(async move {
            deliver(&inner, delivery, envelope).await;
            drop(slot);
        });
    }
    Ok(())
}

async fn deliver(inner: &Arc<Inner>, claimed: ClaimedDelivery, envelope: Envelope) {
    let agent = envelope.agent.clone();
    let (outcome, attempt) = tokio::select! {
        done = self::attempt(inner, &claimed, envelope) => done,
        // A stop gives what is in flight its time; what is cut off after that is `unknown` at the
        // next start, and sent again with the same id.
        () = stopped_for_good(inner) => return,
    };
    let now = inner.clock.now();
    let decision = retry::next(claimed.attempt, &outcome, now, jitter());
    let boot = inner.store.boot();
    let stored = inner
        .store
        .write_at("deliver.settle", move |tx: &WriteTx<'_>| {
            settle(tx, &claimed, &agent, (&attempt, &decision), boot, now)
        })
        .await;
    if let Err(problem) = stored {
        tracing::error!(
            error = problem.message,
            "an attempt's outcome could not be stored"
        );
    }
}

/// How long an attempt may go on after a stop was asked for.
const STOP_GRACE: Duration = Duration::from_secs(5);

async fn stopped_for_good(inner: &Inner) {
    inner.stop.cancelled().await;
    tokio::time::sleep(STOP_GRACE).await;
}

fn settle(
    tx: &WriteTx<'_>,
    claimed: &ClaimedDelivery,
    agent: &AgentRow,
    (attempt, decision): (&AttemptOutcome, &Decision),
    boot: i64,
    now: Timestamp,
) -> Result<(), Problem> {
    let (settled, gone) = match decision {
        Decision::Delivered => (Settled::Delivered, false),
        Decision::RetryAt(at) => (Settled::Due(*at), false),
        Decision::Dead {
            reason,
            disable_agent,
        } => (Settled::Dead(reason.clone()), *disable_agent),
    };
    if !delivery::settle(tx, claimed, boot, (attempt, &settled), now)? {
        return Ok(());
    }
    let (state, next_at) = match &settled {
        Settled::Delivered => ("delivered", None),
        Settled::Due(at) => ("due", Some(*at)),
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
    append(
        tx,
        ("delivery.updated", "delivery", claimed.uuid.uuid()),
        claimed.alert,
        detail,
        now,
    )?;
    if gone {
        agent::disable(tx, agent.id, now)?;
        let mut detail = Map::new();
        detail.insert("name".to_owned(), json!(agent.name));
        detail.insert("what".to_owned(), json!("disabled: it answered 410 Gone"));
        append(
            tx,
            ("agent.updated", "agent", agent.uuid.uuid()),
            None,
            detail,
            now,
        )?;
    }
    Ok(())
}

fn append(
    tx: &WriteTx<'_>,
    (kind, object, uuid): (&str, &str, uuid::Uuid),
    alert: Option<calseta_domain::AlertId>,
    detail: Map<String, serde_json::Value>,
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

/// Makes one attempt. Never fails: what goes wrong is the outcome.
pub(crate) async fn attempt(
    inner: &Inner,
    claimed: &ClaimedDelivery,
    envelope: Envelope,
) -> (Outcome, AttemptOutcome) {
    let started = tokio::time::Instant::now();
    let now = inner.clock.now();
    let headers = match headers(inner, claimed, &envelope, now) {
        Ok(headers) => headers,
        Err(error) => return failed(Outcome::Blocked, error.to_string(), started),
    };
    let sent = inner
        .egress
        .send(Outbound {
            audience: Audience::Agent,
            method: Method::POST,
            url: envelope.agent.webhook_url.clone(),
            headers,
            body: Bytes::from(claimed.body.clone()),
            grants: envelope.grants,
            deadline: Duration::from_secs(envelope.agent.timeout_seconds.into()),
            max_response_bytes: ANSWER_BYTES,
            overflow: Overflow::Truncate,
        })
        .await;
    match sent {
        Ok(answer) => answered(&answer, now),
        Err(error) => {
            let outcome = match &error {
                SendError::Blocked(_) => Outcome::Blocked,
                SendError::Timeout => Outcome::Timeout,
                SendError::Connect(_) | SendError::Transport(_) => Outcome::Connect,
                SendError::Tls(_) => Outcome::Tls,
                SendError::TooLarge => Outcome::TooLarge,
            };
            failed(outcome, error.to_string(), started)
        }
    }
}

fn failed(
    outcome: Outcome,
    error: String,
    started: tokio::time::Instant,
) -> (Outcome, AttemptOutcome) {
    let attempt = AttemptOutcome {
        outcome: outcome.word(),
        status_code: None,
        remote_ip: None,
        duration_ms: millis(started.elapsed()),
        response_excerpt: None,
        error: Some(error),
    };
    (outcome, attempt)
}

fn millis(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn answered(answer: &Answer, now: Timestamp) -> (Outcome, AttemptOutcome) {
    let ok = (200..300).contains(&answer.status);
    let outcome = if ok {
        Outcome::Ok
    } else {
        let named = answer
            .headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        Outcome::Http {
            status: answer.status,
            retry_after_ms: named.and_then(|value| retry::parse_retry_after(value, now)),
        }
    };
    let excerpt = &answer.body[..answer.body.len().min(EXCERPT_BYTES)];
    let attempt = AttemptOutcome {
        outcome: outcome.word(),
        status_code: Some(answer.status),
        remote_ip: answer.remote.map(|address| address.ip().to_string()),
        duration_ms: millis(answer.elapsed),
        response_excerpt: (!excerpt.is_empty())
            .then(|| String::from_utf8_lossy(excerpt).into_owned()),
        error: (!ok).then(|| format!("the agent answered {}", answer.status)),
    };
    (outcome, attempt)
}

/// Why an attempt's headers could not be made.
#[derive(Debug, thiserror::Error)]
enum HeaderProblem {
    #[error(transparent)]
    Sealed(#[from] DoesNotOpen),
    #[error("the agent has no signing secret; rotate it")]
    NoSecret,
    #[error("a stored header cannot be sent; enter it again")]
    Invalid,
}

fn headers(
    inner: &Inner,
    claimed: &ClaimedDelivery,
    envelope: &Envelope,
    now: Timestamp,
) -> Result<HeaderMap, HeaderProblem> {
    let owner = secret_owner(envelope.agent.uuid);
    let sealed = envelope.signing.as_ref().ok_or(HeaderProblem::NoSecret)?;
    let opened = inner.vault.unseal(&owner, SIGNING_FIELD, sealed)?;
    let mut secrets = vec![SigningSecret::parse(&opened).map_err(|_| HeaderProblem::NoSecret)?];
    // A previous secret that does not open is no reason to send nothing.
    let previous = envelope
        .previous
        .as_ref()
        .and_then(|sealed| inner.vault.unseal(&owner, PREVIOUS_FIELD, sealed).ok())
        .and_then(|text| previous_secret(&text, now));
    secrets.extend(previous);
    let id = claimed.uuid.webhook_id();
    let seconds = now.millis().div_euclid(1000);
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let mut put = |name: &'static str, value: String| {
        let value = HeaderValue::from_str(&value).map_err(|_| HeaderProblem::Invalid)?;
        headers.insert(HeaderName::from_static(name), value);
        Ok::<_, HeaderProblem>(())
    };
    put(
        "webhook-signature",
        signature::sign_all(&secrets, &id, seconds, &claimed.body),
    )?;
    put("webhook-timestamp", seconds.to_string())?;
    put("x-calseta-attempt", claimed.attempt.to_string())?;
    put("webhook-id", id)?;
    if let (Some(name), Some(sealed)) = (&envelope.agent.auth_header_name, &envelope.auth) {
        let opened = inner.vault.unseal(&owner, AUTH_FIELD, sealed)?;
        let mut value = HeaderValue::from_str(&opened).map_err(|_| HeaderProblem::Invalid)?;
        value.set_sensitive(true);
        let name = HeaderName::try_from(name.as_str()).map_err(|_| HeaderProblem::Invalid)?;
        headers.insert(name, value);
    }
    Ok(headers)
}
