//! One attempt: the frozen bytes, signed, with a deadline for all of it. What goes wrong is its outcome.

use std::time::Duration;

use bytes::Bytes;
use calseta_domain::signature::{self, SigningSecret};
use calseta_domain::{Outcome, Timestamp, retry};
use calseta_egress::{Answer, Audience, Grant, Outbound, Overflow, SendError};
use calseta_store::tables::Reads;
use calseta_store::tables::agent::AgentRow;
use calseta_store::tables::delivery::{AttemptOutcome, ClaimedDelivery};
use calseta_store::tables::secret::{self, SealedSecret};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::agent_checks::previous_secret;
use crate::agents::{AUTH_FIELD, PREVIOUS_FIELD, SIGNING_FIELD, secret_owner};
use crate::start::Inner;
use crate::vault::DoesNotOpen;
use crate::{Problem, grants};

/// An agent's answer is read up to here; the rest is not wanted.
const ANSWER_BYTES: usize = 64 * 1024;
/// What of it is kept.
const EXCERPT_BYTES: usize = 4 * 1024;

/// What an attempt needs of its agent, still sealed.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(super) agent: AgentRow,
    auth: Option<SealedSecret>,
    signing: Option<SealedSecret>,
    previous: Option<SealedSecret>,
    pub(super) grants: Vec<Grant>,
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
    let deadline = Duration::from_secs(envelope.agent.timeout_seconds.into());
    let sent = inner
        .egress
        .send(Outbound {
            audience: Audience::Agent,
            method: Method::POST,
            url: envelope.agent.webhook_url.clone(),
            headers,
            body: Bytes::from(claimed.body.clone()),
            grants: envelope.grants,
            deadline,
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
