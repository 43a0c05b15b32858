//! What a person does to one alert besides changing it: notes, snoozing, marks, checklists; what
//! is related to it, and what an agent would be told of it.

use calseta_contract::alert::{
    DispatchExplanation, DispatchedAgentView, EnrichView, TriggeredAgentsView,
};
use calseta_contract::related::RelatedView;
use calseta_contract::triage::{
    AgentPayloadView, ChecklistMark, ChecklistRequest, FlagsRequest, NoteRequest, NoteView,
    SnoozeRequest,
};
use calseta_domain::{AgentId, AlertId, DocumentId, Timestamp};
use serde_json::{Value, json};

use super::Failure;
use super::changes::{Changed, change, erase};
use super::request::{get, send};

/// Adds a note; it can be taken back.
pub(crate) async fn add_note(alert: AlertId, text: &str) -> Result<NoteView, Failure> {
    let request = NoteRequest {
        text: text.to_owned(),
    };
    send("POST", &format!("/v1/alerts/{alert}/notes"), &request).await
}

/// Keeps an alert out of what waits until then.
pub(crate) async fn snooze(alert: AlertId, until: Timestamp) -> Result<Changed, Failure> {
    change(
        "PUT",
        &format!("/v1/alerts/{alert}/snooze"),
        &SnoozeRequest { until },
    )
    .await
}

/// Wakes an alert.
pub(crate) async fn wake(alert: AlertId) -> Result<Changed, Failure> {
    erase(&format!("/v1/alerts/{alert}/snooze")).await
}

/// Marks an alert as read or not, flagged or not. `unread: false` says that it was just opened.
pub(crate) async fn set_flags(alert: AlertId, flags: FlagsRequest) -> Result<Changed, Failure> {
    change("PUT", &format!("/v1/alerts/{alert}/flags"), &flags).await
}

/// Ticks an item of a document's checklist for this alert, or takes the tick away.
pub(crate) async fn set_checklist(
    alert: AlertId,
    document: DocumentId,
    item: u64,
    done: bool,
) -> Result<ChecklistMark, Failure> {
    let path = format!("/v1/alerts/{alert}/checklist/{document}/{item}");
    send("PUT", &path, &ChecklistRequest { done }).await
}

/// Alerts that have something in common with this one, and what its rule has led to lately.
pub(crate) async fn related(alert: AlertId, limit: u32) -> Result<RelatedView, Failure> {
    let path = format!("/v1/alerts/{alert}/related?limit={limit}");
    Ok(get::<RelatedView, Value>(&path).await?.data)
}

/// The bytes that an agent would be sent now; without an agent, what any would be sent.
pub(crate) async fn agent_payload(
    alert: AlertId,
    agent: Option<AgentId>,
) -> Result<AgentPayloadView, Failure> {
    let of = agent
        .map(|id| format!("?agent_uuid={id}"))
        .unwrap_or_default();
    let path = format!("/v1/alerts/{alert}/agent-payload{of}");
    Ok(get::<AgentPayloadView, Value>(&path).await?.data)
}

/// Why each agent was, or was not, told of an alert.
pub(crate) async fn dispatch_explanation(
    alert: AlertId,
) -> Result<Vec<DispatchExplanation>, Failure> {
    let path = format!("/v1/alerts/{alert}/dispatch-explanation");
    Ok(get::<Vec<DispatchExplanation>, Value>(&path).await?.data)
}

/// Tells one agent of an alert, whatever its filter.
pub(crate) async fn dispatch_agent(
    alert: AlertId,
    agent: AgentId,
) -> Result<DispatchedAgentView, Failure> {
    let path = format!("/v1/alerts/{alert}/dispatch-agent?agent_uuid={agent}");
    send("POST", &path, &json!({})).await
}

/// Tells every agent whose filter lets the alert pass.
pub(crate) async fn trigger_agents(alert: AlertId) -> Result<TriggeredAgentsView, Failure> {
    let path = format!("/v1/alerts/{alert}/trigger-agents");
    send("POST", &path, &json!({})).await
}

/// Looks an alert's indicators up again, where an answer is stale.
pub(crate) async fn enrich_alert(alert: AlertId) -> Result<EnrichView, Failure> {
    send("POST", &format!("/v1/alerts/{alert}/enrich"), &json!({})).await
}
