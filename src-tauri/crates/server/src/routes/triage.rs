//! What is asked about one alert while it is triaged: what an agent would be sent about it.

use axum::extract::State;
use calseta_contract::triage::AgentPayloadView;
use calseta_domain::{AgentId, AlertId};

use crate::answer::Answer;
use crate::caller::{AlertsRead, App, Caller};
use crate::operation::{Kind, Noun, Operation, Parameter, about, get, list_parameters};
use crate::page::{Id, Query};
use crate::reply::One;

list_parameters! {
    /// `GET …/agent-payload`.
    Payload => [&[Parameter::new("agent_uuid", Kind::Uuid, "The agent that would be told; every agent is sent the same.")]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Alerts,
        [
            get("/v1/alerts/{uuid}/agent-payload", "get_agent_payload", payload)
                .says("Read what an agent would be sent", "The body of the webhook as it would be built now, with an estimate of its tokens, in all and for each of its parts."),
        ],
    )
}

async fn payload(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
    query: Query<Payload>,
) -> Answer<One<AgentPayloadView>> {
    let agent: Option<AgentId> = query.parsed("agent_uuid", "a uuid")?;
    Ok(One::new(app.engine.agent_payload(id, agent).await?))
}
