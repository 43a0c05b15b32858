//! Deliveries: reading them, sending again, testing an agent.

use std::collections::BTreeMap;
use std::sync::Arc;

use calseta_contract::agent::{AgentTestRequest, AgentTestView};
use calseta_contract::delivery::{AttemptView, DeliveryView};
use calseta_domain::{AgentId, AlertId, DeliveryId, ErrorCode, Outcome, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::delivery::{
    self, AttemptRow, ClaimedDelivery, DeliveryFilter, DeliveryRow, NewDelivery, Settled,
};
use calseta_store::tables::{Reads, agent, alert, backlog, finding};

use crate::delivery_verbs::probe_now;
use crate::stage::deliver::{self, Envelope};
use crate::views::Evidence;
use crate::{Engine, Listed, PageNumber, Principal, Problem, alerts, payload};

/// What stands in the place of a secret.
const MASK: &str = "********";
/// The states a list can be filtered by.
const STATES: &[&str] = &[
    "due",
    "in_flight",
    "parked",
    "delivered",
    "dead",
    "cancelled",
];

/// Which deliveries.
#[derive(Debug, Clone, Default)]
pub struct DeliveryListQuery {
    /// Of this agent.
    pub agent: Option<AgentId>,
    /// Of this alert.
    pub alert: Option<AlertId>,
    /// In this state.
    pub state: Option<String>,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made then or earlier.
    pub to: Option<Timestamp>,
}

fn view(tx: &impl Reads, row: DeliveryRow) -> Result<DeliveryView, Problem> {
    let attempts = delivery::attempts(tx, row.id)?
        .into_iter()
        .map(attempt)
        .collect();
    let finding_uuids = finding::of_delivery(tx, row.id)?;
    Ok(DeliveryView {
        uuid: row.uuid,
        webhook_id: row.uuid.webhook_id(),
        alert_uuid: row.alert,
        alert_title: row.alert_title,
        agent_uuid: row.agent,
        state: row.state,
        generation: row.generation,
        trigger: row.trigger,
        body_sha256: alerts::hex(row.body_sha256),
        body_bytes: row.body_bytes,
        next_attempt_at: row.next_at,
        dead_reason: row.dead_reason,
        delivered_at: row.delivered_at,
        finding_uuids,
        created_at: row.created_at,
        attempts,
        request_headers: None,
    })
}

fn attempt(row: AttemptRow) -> AttemptView {
    AttemptView {
        n: row.n,
        is_probe: row.is_probe,
        started_at: row.started_at,
        ended_at: row.ended_at,
        outcome: row.outcome,
        status_code: row.status_code,
        remote_ip: row.remote_ip,
        duration_ms: row.duration_ms,
        response_excerpt: row.response_excerpt,
        error: row.error,
    }
}

/// The headers of the newest attempt, those that are secret masked.
fn request_headers(
    tx: &impl Reads,
    agent: i64,
    view: &DeliveryView,
) -> Result<BTreeMap<String, String>, Problem> {
    let mut headers = BTreeMap::new();
    let mut put = |name: &str, value: String| headers.insert(name.to_owned(), value);
    put("content-type", "application/json".to_owned());
    put("webhook-id", view.webhook_id.clone());
    if let Some(attempt) = view.attempts.iter().max_by_key(|attempt| attempt.n) {
        let seconds = attempt.started_at.millis().div_euclid(1000);
        put("webhook-timestamp", seconds.to_string());
        put("webhook-signature", format!("v1,{MASK}"));
        put("x-calseta-attempt", attempt.n.to_string());
    }
    if let Some(name) = agent::by_row(tx, agent)?.and_then(|agent| agent.auth_header_name) {
        put(&name.to_ascii_lowercase(), MASK.to_owned());
    }
    Ok(headers)
}

/// The alert that a body names: what a body says and does not exist is a field's fault.
fn named_alert(tx: &WriteTx<'_>, id: AlertId) -> Result<alert::AlertRow, Problem> {
    alerts::row(tx, id).map_err(|problem| match problem.code {
        ErrorCode::NotFound => Problem::field("alert_uuid", "names no alert; check the uuid"),
        _ => problem,
    })
}

impl Engine {
    /// `GET /v1/deliveries` and `GET /v1/agents/{uuid}/deliveries`, newest first.
    pub async fn deliveries(
        &self,
        query: DeliveryListQuery,
        page: PageNumber,
    ) -> Result<Listed<DeliveryView>, Problem> {
        if let Some(state) = &query.state
            && !STATES.contains(&&**state)
        {
            return Err(Problem::word("state", "state", state, STATES));
        }
        self.inner
            .store
            .read(move |tx| {
                let agent = match query.agent {
                    Some(id) => Some(
                        agent::by_uuid(tx, id)?
                            .ok_or_else(|| Problem::not_found("agent"))?
                            .id,
                    ),
                    None => None,
                };
                let alert = match query.alert {
                    Some(id) => Some(alerts::row(tx, id)?.id),
                    None => None,
                };
                let filter = DeliveryFilter {
                    agent,
                    alert,
                    state: query.state,
                    from: query.from,
                    to: query.to,
                };
                let (rows, total) = delivery::page(tx, &filter, page.page_size, page.offset())?;
                let rows = rows
                    .into_iter()
                    .map(|row| view(tx, row))
                    .collect::<Result<_, _>>()?;
                Ok::<_, Problem>(Listed::counted(rows, total))
            })
            .await
    }

    /// `GET /v1/deliveries/{uuid}`.
    pub async fn delivery(&self, id: DeliveryId) -> Result<DeliveryView, Problem> {
        self.inner
            .store
            .read(move |tx| {
                let row =
                    delivery::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("delivery"))?;
                let agent = row.agent_row;
                let mut view = view(tx, row)?;
                view.request_headers = Some(request_headers(tx, agent, &view)?);
                Ok(view)
            })
            .await
    }

    /// `GET /v1/deliveries/{uuid}/body`: the bytes as they are sent.
    pub async fn delivery_body(&self, id: DeliveryId) -> Result<Vec<u8>, Problem> {
        self.inner
            .store
            .read(move |tx| {
                let row =
                    delivery::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("delivery"))?;
                delivery::body(tx, row.id)?.ok_or_else(|| Problem::not_found("delivery"))
            })
            .await
    }

    /// `POST …/redeliver {mode: as_sent}` and `POST …/retry-now`: same id, same bytes, a new attempt.
    pub async fn redeliver_as_sent(&self, by: &Principal, id: DeliveryId) -> Result<(), Problem> {
        by.need(calseta_domain::Scope::AgentsWrite)?;
        let now = self.inner.clock.now();
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row =
                    delivery::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("delivery"))?;
                // In flight already: that attempt is what was asked for.
                backlog::take_up(tx, row.id, now)?;
                // Behind an open breaker it waits for the probe, so the probe is now.
                probe_now(tx, row.agent_row, now)
            })
            .await
    }

    /// `POST …/redeliver {mode: current}`: a new delivery with the data of now.
    pub async fn redeliver_current(
        &self,
        by: &Principal,
        id: DeliveryId,
    ) -> Result<DeliveryView, Problem> {
        by.need(calseta_domain::Scope::AgentsWrite)?;
        let (inner, base_url, now) = (
            Arc::clone(&self.inner),
            self.base_url(),
            self.inner.clock.now(),
        );
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let old =
                    delivery::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("delivery"))?;
                let alert = old
                    .alert_row
                    .map(|row| alert::by_row(tx, row))
                    .transpose()?
                    .flatten();
                let alert = alert.ok_or_else(|| {
                    Problem::new(
                        ErrorCode::InvalidTransition,
                        "the alert of this delivery is gone, so there is no current data; send it as_sent",
                    )
                })?;
                let generation = alert::next_generation(tx, alert.id)?;
                let providers = inner.provider_set();
                let evidence = Evidence::read(tx, alert.id, |id| providers.name(id))?;
                let frozen =
                    payload::of_alert(tx, &inner, (&alert, &evidence), (&base_url, false), now)?;
                let uuid = inner.ids.next();
                delivery::insert(
                    tx,
                    &NewDelivery {
                        uuid,
                        alert: Some(alert.id),
                        agent: old.agent_row,
                        generation,
                        trigger: "redeliver",
                        payload: delivery::put_payload(tx, frozen.sha256, &frozen.body)?,
                        created_at: now,
                    },
                )?;
                let row =
                    delivery::by_uuid(tx, uuid)?.ok_or_else(|| Problem::not_found("delivery"))?;
                view(tx, row)
            })
            .await
    }

    /// `POST /v1/agents/{uuid}/test`: one attempt through the real builder and guard, recorded.
    pub async fn test_agent(
        &self,
        by: &Principal,
        id: AgentId,
        request: AgentTestRequest,
    ) -> Result<AgentTestView, Problem> {
        by.need(calseta_domain::Scope::AgentsWrite)?;
        let (claimed, envelope) = self.claim_test(id, request.alert_uuid).await?;
        let delivery_uuid = claimed.uuid;
        let (outcome, attempt) = deliver::attempt(&self.inner, &claimed, envelope).await;
        let settled = match outcome {
            Outcome::Ok => Settled::Delivered,
            _ => Settled::Dead("a test is sent once".to_owned()),
        };
        let (boot, now) = (self.inner.store.boot(), self.inner.clock.now());
        let stored = attempt.clone();
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                delivery::settle(tx, &claimed, boot, (&stored, &settled, 1), now)?;
                Ok::<_, Problem>(())
            })
            .await?;
        Ok(AgentTestView {
            delivered: outcome == Outcome::Ok,
            status_code: attempt.status_code,
            duration_ms: attempt.duration_ms,
            error: attempt.error,
            delivery_uuid,
        })
    }

    async fn claim_test(
        &self,
        id: AgentId,
        alert_uuid: Option<AlertId>,
    ) -> Result<(ClaimedDelivery, Envelope), Problem> {
        let (inner, base_url, now) = (
            Arc::clone(&self.inner),
            self.base_url(),
            self.inner.clock.now(),
        );
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let agent = agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))?;
                let alert = alert_uuid.map(|id| named_alert(tx, id)).transpose()?;
                let frozen = match &alert {
                    Some(row) => {
                        let providers = inner.provider_set();
                        let evidence = Evidence::read(tx, row.id, |id| providers.name(id))?;
                        payload::of_alert(tx, &inner, (row, &evidence), (&base_url, true), now)?
                    }
                    None => payload::made_up("calseta", &base_url, now)?,
                };
                let row = delivery::insert(
                    tx,
                    &NewDelivery {
                        uuid: inner.ids.next(),
                        alert: alert.as_ref().map(|row| row.id),
                        agent: agent.id,
                        generation: alert.as_ref().map_or(0, |row| row.generation),
                        trigger: "test",
                        payload: delivery::put_payload(tx, frozen.sha256, &frozen.body)?,
                        created_at: now,
                    },
                )?
                .ok_or_else(|| Problem::new(ErrorCode::Internal, "the test was not stored"))?;
                let lease = deliver::lease(&inner, &agent);
                let claimed = delivery::take(tx, row, (lease, false), now)?;
                Ok::<_, Problem>((claimed, Envelope::read(tx, &agent)?))
            })
            .await
    }
}
