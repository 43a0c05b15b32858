//! Why an agent was told of an alert, or was not: everything that decides it, in words.

use std::sync::Arc;

use calseta_contract::alert::{DispatchExplanation, TraceClause};
use calseta_domain::AlertId;
use calseta_domain::breaker::Health;
use calseta_egress::{Audience, Grant};
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::alert::AlertRow;
use calseta_store::tables::delivery::{self, DeliveryFilter, DeliveryRow};

use crate::dispatch::{matches, subject};
use crate::grants::{self, GrantState};
use crate::start::Inner;
use crate::{Engine, Problem, agents, alerts};

/// Deliveries of the alert that are looked at for each agent: the newest tells how it stands.
const NEWEST: u64 = 1;

impl Engine {
    /// `GET /v1/alerts/{uuid}/dispatch-explanation`: what every agent's filter says of the alert,
    /// what else keeps it from being told, and what it was sent already.
    pub async fn dispatch_explanation(
        &self,
        id: AlertId,
    ) -> Result<Vec<DispatchExplanation>, Problem> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .store
            .read(move |tx| {
                let row = alerts::row(tx, id)?;
                let granted = grants::of(tx, Audience::Agent)?;
                let mut explained = Vec::new();
                for agent in agent::all(tx)? {
                    let filter = DeliveryFilter {
                        agent: Some(agent.id),
                        alert: Some(row.id),
                        ..DeliveryFilter::default()
                    };
                    let (sent, count) = delivery::page(tx, &filter, NEWEST, 0)?;
                    let sent = sent.into_iter().next().map(|newest| (newest, count));
                    explained.push(explain(&inner, agent, (&row, &granted), sent));
                }
                Ok::<_, Problem>(explained)
            })
            .await
    }
}

fn clause(text: impl Into<String>, holds: bool) -> TraceClause {
    TraceClause {
        text: text.into(),
        holds,
    }
}

fn explain(
    inner: &Inner,
    agent: AgentRow,
    (row, granted): (&AlertRow, &[Grant]),
    sent: Option<(DeliveryRow, u64)>,
) -> DispatchExplanation {
    let mut trace = vec![if agent.is_active {
        clause("the agent is switched on", true)
    } else {
        clause("the agent is switched off", false)
    }];
    let target = calseta_egress::judge(&agent.webhook_url, Audience::Agent);
    let grant = target.map_or(GrantState::Pending, |target| {
        grants::state(&target, granted)
    });
    if grant == GrantState::Pending {
        let text = "its address waits for a person to allow it; nothing is sent there before";
        trace.push(clause(text, false));
    }
    if let Some(text) = ill(agent.health) {
        trace.push(clause(text, false));
    }
    match agents::filter(inner, &agent).map(|filter| filter.explain(&subject(row))) {
        None => {
            let text = "the agent's filter cannot be read; store it again";
            trace.push(clause(text, false));
        }
        Some(clauses) => trace.extend(
            clauses
                .into_iter()
                .map(|said| clause(said.text, said.holds)),
        ),
    }
    trace.push(when(row, sent));
    DispatchExplanation {
        agent_uuid: agent.uuid,
        matched: agent.is_active && matches(inner, &agent, row),
        agent_name: agent.name,
        trace,
    }
}

/// Why nothing is sent to an agent that is on, in words; `None` when it is well.
fn ill(health: Health) -> Option<&'static str> {
    match health {
        Health::Open => Some("it failed too often; what it is sent waits until it answers a probe"),
        Health::HalfOpen => {
            Some("it failed too often; one delivery is tried to see whether it is back")
        }
        Health::Disabled => {
            Some("it was taken out of use after it failed; enable it to send again")
        }
        Health::Closed => None,
    }
}

/// What the agent was sent of the alert already.
fn when(row: &AlertRow, sent: Option<(DeliveryRow, u64)>) -> TraceClause {
    let Some((newest, count)) = sent else {
        return if row.enriched_at.is_none() {
            clause(
                "its enrichment is not over; agents are told after it",
                false,
            )
        } else {
            clause("it was never sent to this agent", false)
        };
    };
    let times = if count == 1 {
        String::new()
    } else {
        format!(" ({count} times in all)")
    };
    let reason = newest.dead_reason.as_deref().unwrap_or("no reason is kept");
    match (newest.state.as_str(), newest.delivered_at) {
        ("delivered", Some(at)) => clause(format!("it was delivered at {at}{times}"), true),
        ("due" | "in_flight", _) => clause(format!("it is being sent{times}"), true),
        ("parked", _) => clause(format!("it waits until the agent is back{times}"), false),
        ("dead", _) => clause(format!("sending it was given up: {reason}{times}"), false),
        (other, _) => clause(format!("its newest delivery is {other}{times}"), false),
    }
}
