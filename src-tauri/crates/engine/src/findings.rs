//! Findings: rows of their own, immutable, author = key.

mod accept;
mod checks;
mod review;

use std::sync::Arc;

use calseta_contract::finding::{AuthorView, FindingRequest, FindingView, Verification};
use calseta_domain::{AlertId, DeliveryId, ErrorCode, FindingId};
use calseta_store::WriteTx;
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::event::{self, NewEvent};
use calseta_store::tables::finding::{self, FindingRow, NewFinding};
use calseta_store::tables::{Reads, delivery};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::findings::accept::{Accepted, accept};
use crate::findings::checks::Cited;
use crate::idempotency::{self, Once};
use crate::start::Inner;
use crate::{Engine, Principal, Problem, RequestKey, alerts};

/// A stored field by its name on the wire.
fn field<T: serde::de::DeserializeOwned>(content: &Map<String, Value>, name: &str) -> Option<T> {
    content
        .get(name)
        .and_then(|value| serde_json::from_value(value.clone()).ok())
}

fn view(row: FindingRow) -> FindingView {
    let actions: Vec<String> = field(&row.content, "recommended_actions").unwrap_or_default();
    let details: Option<Map<String, Value>> = field(&row.content, "details");
    FindingView {
        uuid: row.uuid,
        id: row.uuid,
        summary: row.summary,
        confidence: row.confidence,
        confidence_level: row.confidence_level,
        verdict: row.verdict,
        proposed_classification: field(&row.content, "proposed_classification"),
        recommended_action: actions.first().cloned(),
        recommended_actions: actions,
        evidence: details.clone(),
        details: details.unwrap_or_default(),
        citations: field(&row.content, "citations").unwrap_or_default(),
        not_checked: field(&row.content, "not_checked").unwrap_or_default(),
        proposed_actions: field(&row.content, "proposed_actions").unwrap_or_default(),
        usage: field(&row.content, "usage"),
        supersedes: field(&row.content, "supersedes"),
        agent_name: row.author_name.clone(),
        author: AuthorView {
            key_uuid: row.key,
            key_prefix: row.key_prefix,
            agent_uuid: row.agent,
            name: row.author_name,
        },
        claimed_agent_name: field(&row.content, "claimed_agent_name"),
        delivery_uuid: row.delivery,
        posted_at: row.posted_at,
        superseded_by: row.superseded_by,
        verification: Verification::default(),
        citation_checks: Vec::new(),
        review: row.review.map(review::view),
        is_hidden: row.is_hidden,
    }
}

/// A finding of an alert, with how its citations compare.
fn checked<R: Reads>(
    tx: &R,
    inner: &Inner,
    alert: &AlertRow,
    row: FindingRow,
) -> Result<FindingView, Problem> {
    let mut finding = view(row);
    Cited::new(tx, inner, alert).check(&mut finding)?;
    Ok(finding)
}

/// An alert's findings, oldest first.
pub(crate) fn of_alert<R: Reads>(
    tx: &R,
    inner: &Inner,
    alert: &AlertRow,
) -> Result<Vec<FindingView>, Problem> {
    let mut cited = Cited::new(tx, inner, alert);
    let rows = finding::of_alert(tx, alert.id)?;
    let mut findings: Vec<FindingView> = rows.into_iter().map(view).collect();
    for finding in &mut findings {
        cited.check(finding)?;
    }
    Ok(findings)
}

/// `msg_` and a uuid without dashes.
fn delivery_of(webhook_id: &str) -> Option<DeliveryId> {
    webhook_id
        .strip_prefix("msg_")
        .and_then(|hex| Uuid::try_parse(hex).ok())
        .map(DeliveryId::new)
}

/// What says whether a post repeats an earlier one.
pub struct PostedWith {
    /// `Idempotency-Key`.
    pub key: Option<RequestKey>,
    /// `webhook-id`: the delivery that is answered.
    pub webhook_id: Option<String>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for PostedWith {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostedWith")
            .field("webhook_id", &self.webhook_id)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// `POST /v1/alerts/{uuid}/findings`. Every post is kept, but a repetition (same
    /// `Idempotency-Key`, or same agent or key, `webhook-id` and body) gives the first one back. The flag
    /// says whether it was one.
    pub async fn post_finding(
        &self,
        by: &Principal,
        id: AlertId,
        request: FindingRequest,
        posted: PostedWith,
    ) -> Result<(FindingView, bool), Problem> {
        let mut accepted = accept(request)?;
        let linked = posted.webhook_id.as_deref().and_then(delivery_of);
        accepted.delivery = accepted.delivery.or(linked);
        let repeat_key = linked.map(|delivery| {
            let mut hash = Sha256::new();
            // An agent's next key is still the agent.
            match by.api_key().and_then(|key| key.agent) {
                Some(agent) => {
                    hash.update(b"agent");
                    hash.update(agent.to_be_bytes());
                }
                None => hash.update(by.key_row().to_be_bytes()),
            }
            hash.update(id.uuid().as_bytes());
            hash.update(delivery.uuid().as_bytes());
            hash.update(&posted.body);
            <[u8; 32]>::from(hash.finalize())
        });
        let (inner, by) = (Arc::clone(&self.inner), by.clone());
        let now = inner.clock.now();
        let once = self
            .inner
            .store
            .write_at("finding", move |tx: &WriteTx<'_>| {
                if let Some(first) = idempotency::replay(tx, &by, posted.key.as_ref(), now)? {
                    return Ok::<_, Problem>(Once::Replayed(first));
                }
                if let Some(key) = repeat_key
                    && let Some(first) = finding::by_repeat_key(tx, key)?
                {
                    let alert = alerts::row(tx, id)?;
                    return Ok(Once::Replayed(checked(tx, &inner, &alert, first)?));
                }
                let stored = insert(tx, &by, id, &accepted, (repeat_key, inner.ids.next(), now))?;
                let alert = alerts::row(tx, id)?;
                let view = checked(tx, &inner, &alert, stored)?;
                idempotency::remember(tx, &by, posted.key.as_ref(), (201, &view), now)?;
                Ok(Once::Fresh(view))
            })
            .await?;
        Ok(match once {
            Once::Fresh(view) => (view, false),
            Once::Replayed(view) => (view, true),
        })
    }

    /// `GET /v1/alerts/{uuid}/findings`.
    pub async fn findings(&self, id: AlertId) -> Result<Vec<FindingView>, Problem> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .store
            .read(move |tx| of_alert(tx, &inner, &alerts::row(tx, id)?))
            .await
    }
}

fn insert(
    tx: &WriteTx<'_>,
    by: &Principal,
    id: AlertId,
    accepted: &Accepted,
    (repeat_key, uuid, now): (Option<[u8; 32]>, FindingId, calseta_domain::Timestamp),
) -> Result<FindingRow, Problem> {
    let row = alerts::row(tx, id)?;
    // An agent answers what it was sent itself.
    let agent = by.api_key().and_then(|key| key.agent);
    let delivery = match accepted.delivery {
        None => None,
        Some(delivery) => delivery::by_uuid(tx, delivery)?
            .filter(|delivery| delivery.alert == Some(id))
            .filter(|delivery| agent.is_none_or(|agent| agent == delivery.agent_row))
            .map(|delivery| delivery.id),
    };
    if let Some(earlier) = accepted.supersedes {
        own_earlier(tx, by, id, earlier)?;
    }
    let actor = by.actor();
    finding::insert(
        tx,
        &NewFinding {
            uuid,
            alert: row.id,
            key: by.api_key().map(|key| key.id),
            agent: by.api_key().and_then(|key| key.agent),
            author_name: &actor.name,
            key_prefix: actor.key_prefix.as_deref(),
            summary: &accepted.summary,
            confidence: accepted.confidence,
            confidence_level: accepted.level.as_deref(),
            verdict: accepted.verdict.as_deref(),
            content: &accepted.content,
            delivery,
            repeat_key,
            posted_at: now,
        },
    )?;
    alert::touch(tx, row.id, now)?;
    let mut detail = Map::new();
    let summary: String = accepted.summary.chars().take(120).collect();
    detail.insert("agent_name".to_owned(), json!(actor.name));
    detail.insert("summary".to_owned(), json!(summary));
    detail.insert("verdict".to_owned(), json!(accepted.verdict));
    detail.insert("confidence".to_owned(), json!(accepted.confidence));
    detail.insert("confidence_level".to_owned(), json!(accepted.level));
    detail.insert("alert_title".to_owned(), json!(row.title));
    if let Some(hidden_by) = row.suppressed_by {
        // Whoever notifies people leaves it out.
        detail.insert("suppressed_by".to_owned(), json!(hidden_by));
    }
    event::append(
        tx,
        NewEvent {
            at: now,
            actor: &actor,
            kind: "finding.created",
            object: ("finding", Some(uuid.uuid())),
            alert: Some(id),
            detail,
        },
    )?;
    let stored = finding::by_uuid(tx, uuid)?;
    stored.ok_or_else(|| Problem::new(ErrorCode::Internal, "the finding was not stored"))
}

/// A finding may replace an own earlier one about the same alert, nobody else's.
fn own_earlier(
    tx: &WriteTx<'_>,
    by: &Principal,
    alert: AlertId,
    earlier: FindingId,
) -> Result<(), Problem> {
    let same_alert = finding::alert_of(tx, earlier)? == Some(alert);
    let row = finding::by_uuid(tx, earlier)?;
    let own = row.is_some_and(|row| row.key == by.api_key().map(|key| key.uuid));
    if same_alert && own {
        return Ok(());
    }
    Err(Problem::field(
        "supersedes",
        "must be an own earlier finding about this alert",
    ))
}
