//! Agents and what was delivered to them.

use calseta_contract::ListMeta;
use calseta_contract::agent::{
    AgentPatch, AgentRequest, AgentTestRequest, AgentTestView, AgentView,
};
use calseta_contract::delivery::DeliveryView;
use calseta_domain::{AgentId, DeliveryId};
use serde_json::{Map, Value, json};

use super::Failure;
use super::request::{get, send, tell};
use super::transport;

/// Agents that are read at once: more than anybody runs on one machine.
const AGENTS_PAGE: u32 = 200;
/// Deliveries of an agent that are read at once.
const DELIVERIES_PAGE: u32 = 100;

/// What the register form holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AgentDraft {
    /// Its name.
    pub(crate) name: String,
    /// Where alerts are posted.
    pub(crate) webhook_url: String,
    /// The Authorization value; empty for none.
    pub(crate) auth_header: String,
    /// A severity's word; empty for any.
    pub(crate) min_severity: String,
    /// Known sources; empty for any.
    pub(crate) source_names: Vec<String>,
    /// Tags, as typed: separated by commas.
    pub(crate) tags: String,
    /// Whether an address in a private range is meant.
    pub(crate) allow_private: bool,
}

impl AgentDraft {
    /// The filter that the draft describes; an empty one lets everything through.
    pub(crate) fn trigger_filter(&self) -> Map<String, Value> {
        let mut filter = Map::new();
        if !self.min_severity.is_empty() {
            filter.insert("min_severity".to_owned(), json!(self.min_severity));
        }
        if !self.source_names.is_empty() {
            filter.insert("source_names".to_owned(), json!(self.source_names));
        }
        let tags: Vec<&str> = self
            .tags
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .collect();
        if !tags.is_empty() {
            filter.insert("tags".to_owned(), json!(tags));
        }
        filter
    }
}

/// Every agent.
pub(crate) async fn list_agents() -> Result<Vec<AgentView>, Failure> {
    let path = format!("/v1/agents?page_size={AGENTS_PAGE}");
    Ok(get::<Vec<AgentView>, Value>(&path).await?.data)
}

/// One agent.
pub(crate) async fn get_agent(id: AgentId) -> Result<AgentView, Failure> {
    Ok(get::<AgentView, Value>(&format!("/v1/agents/{id}"))
        .await?
        .data)
}

/// Registers an agent; the answer carries its signing secret, this once.
pub(crate) async fn create_agent(draft: &AgentDraft) -> Result<AgentView, Failure> {
    let auth_header = Some(draft.auth_header.clone()).filter(|value| !value.is_empty());
    let request = AgentRequest {
        name: draft.name.trim().to_owned(),
        webhook_url: Some(draft.webhook_url.trim().to_owned()),
        auth_header,
        trigger_filter: Some(Value::Object(draft.trigger_filter())),
        allow_private: draft.allow_private,
        ..AgentRequest::default()
    };
    send("POST", "/v1/agents", &request).await
}

/// Changes an agent.
pub(crate) async fn patch_agent(id: AgentId, patch: &AgentPatch) -> Result<AgentView, Failure> {
    send("PATCH", &format!("/v1/agents/{id}"), patch).await
}

/// Deletes an agent; its findings stay.
pub(crate) async fn delete_agent(id: AgentId) -> Result<(), Failure> {
    tell("DELETE", &format!("/v1/agents/{id}"), None).await
}

/// Sends a marked test payload through the real builder and guard.
pub(crate) async fn test_agent(id: AgentId) -> Result<AgentTestView, Failure> {
    send(
        "POST",
        &format!("/v1/agents/{id}/test"),
        &AgentTestRequest::default(),
    )
    .await
}

/// What was delivered to an agent, newest first.
pub(crate) async fn deliveries(id: AgentId) -> Result<Vec<DeliveryView>, Failure> {
    let path = format!("/v1/agents/{id}/deliveries?page_size={DELIVERIES_PAGE}");
    Ok(get::<Vec<DeliveryView>, Value>(&path).await?.data)
}

/// Sends a delivery once more: the same body, or one made anew.
pub(crate) async fn redeliver(id: DeliveryId, current: Redelivery) -> Result<(), Failure> {
    let body = json!({ "mode": current.word() }).to_string();
    tell(
        "POST",
        &format!("/v1/deliveries/{id}/redeliver"),
        Some(&body),
    )
    .await
}

/// Which body a redelivery carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redelivery {
    /// The stored bytes, under the same webhook id.
    AsSent,
    /// A new body with what is known now, under a new id.
    Current,
}

impl Redelivery {
    const fn word(self) -> &'static str {
        match self {
            Self::AsSent => "as_sent",
            Self::Current => "current",
        }
    }
}

/// The bytes of a delivery, exactly as they are sent.
pub(crate) async fn delivery_body(id: DeliveryId) -> Result<String, Failure> {
    let path = format!("/v1/deliveries/{id}/body");
    let answer = transport::send("GET", &path, None).await?;
    if (200..300).contains(&answer.status) {
        return Ok(answer.body);
    }
    let request = format!("GET {path}");
    Err(Failure::from_answer(&request, answer.status, &answer.body))
}

/// Does not wait for the schedule.
pub(crate) async fn retry_now(id: DeliveryId) -> Result<(), Failure> {
    tell(
        "POST",
        &format!("/v1/deliveries/{id}/retry-now"),
        Some("{}"),
    )
    .await
}

/// Switches an agent on again and takes up what was held back or given up.
pub(crate) async fn enable_agent(id: AgentId) -> Result<(), Failure> {
    let body = json!({ "recover": true });
    tell(
        "POST",
        &format!("/v1/agents/{id}/enable"),
        Some(&body.to_string()),
    )
    .await
}

/// Takes up what is `parked` or `dead`.
pub(crate) async fn recover_agent(id: AgentId, state: &str) -> Result<(), Failure> {
    let body = json!({ "state": state });
    tell(
        "POST",
        &format!("/v1/agents/{id}/recover"),
        Some(&body.to_string()),
    )
    .await
}

/// How many deliveries are in a state.
pub(crate) async fn count_deliveries(state: &str) -> Result<u64, Failure> {
    let path = format!("/v1/deliveries?state={state}&page_size=1");
    let page = get::<Vec<Value>, ListMeta>(&path).await?;
    Ok(page.meta.total.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_without_restrictions_is_an_empty_filter() {
        assert!(AgentDraft::default().trigger_filter().is_empty());
    }

    #[test]
    fn tags_are_split_and_trimmed() {
        let draft = AgentDraft {
            tags: " vpn, ,identity ".to_owned(),
            ..AgentDraft::default()
        };
        assert_eq!(draft.trigger_filter()["tags"], json!(["vpn", "identity"]));
    }
}
