//! What an agent would be sent about an alert now, and how much each part of it weighs.

use std::collections::BTreeMap;
use std::sync::Arc;

use calseta_contract::triage::{AgentPayloadView, SectionTokens};
use calseta_domain::{AgentId, AlertId, ErrorCode};
use calseta_store::tables::agent;
use serde_json::value::RawValue;

use crate::views::Evidence;
use crate::{Engine, Problem, alerts, payload, tokens};

impl Engine {
    /// `GET /v1/alerts/{uuid}/agent-payload`: made by what makes deliveries. Every agent is sent the
    /// same; naming one only checks that it is there.
    pub async fn agent_payload(
        &self,
        id: AlertId,
        agent: Option<AgentId>,
    ) -> Result<AgentPayloadView, Problem> {
        let (inner, base_url) = (Arc::clone(&self.inner), self.base_url());
        let now = inner.clock.now();
        let frozen = self
            .inner
            .store
            .read(move |tx| {
                if let Some(agent) = agent {
                    agent::by_uuid(tx, agent)?.ok_or_else(|| Problem::not_found("agent"))?;
                }
                let row = alerts::row(tx, id)?;
                let providers = inner.provider_set();
                let evidence = Evidence::read(tx, row.id, |id| providers.name(id))?;
                payload::of_alert(tx, &inner, (&row, &evidence), (&base_url, false), now)
            })
            .await?;
        let body = String::from_utf8(frozen.body).map_err(|_| unreadable())?;
        let counted = self.inner.tasks.spawn_blocking(move || weigh(id, body));
        counted.await.map_err(|_| unreadable())?
    }
}

fn unreadable() -> Problem {
    Problem::new(ErrorCode::Internal, "the payload could not be counted")
}

fn weigh(alert_uuid: AlertId, body: String) -> Result<AgentPayloadView, Problem> {
    let sections: BTreeMap<String, &RawValue> =
        serde_json::from_str(&body).map_err(|_| unreadable())?;
    let mut tokens_by_section: Vec<SectionTokens> = sections
        .into_iter()
        .map(|(section, value)| SectionTokens {
            tokens: tokens::count(&format!("\"{section}\":{},", value.get())),
            section,
        })
        .collect();
    tokens_by_section.sort_by(|a, b| b.tokens.cmp(&a.tokens).then(a.section.cmp(&b.section)));
    Ok(AgentPayloadView {
        alert_uuid,
        body_bytes: body.len() as u64,
        tokens: tokens_by_section.iter().map(|part| part.tokens).sum(),
        tokens_by_section,
        body: alerts::raw_value(body)?,
    })
}
