//! Looking after an agent: its secret, whether it can be reached, what its filter would take, its
//! backlog.

use axum::extract::State;
use calseta_contract::agent::{
    AgentView, EnableRequest, PreviewRequest, PreviewView, ProbeView, RotatedSecretView,
};
use calseta_domain::{AgentId, ErrorCode, Timestamp};
use calseta_engine::{Backlog, Problem, Waits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::body::{Json, OptionalJson};
use crate::caller::{AgentsWrite, App, Caller, Human};
use crate::operation::{Noun, Operation, about, post};
use crate::page::Id;
use crate::reply::One;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Agents,
        [
            post("/v1/agents/preview", "preview_trigger_filter", preview)
                .says("Try a trigger filter", "Which alerts of the last days it would have taken, with near misses and the clause that failed.")
                .example(r#"{"trigger_filter":{"min_severity":"High"},"days":7}"#),
            post("/v1/agents/{uuid}/rotate-secret", "rotate_agent_secret", rotate)
                .says("Replace an agent's signing secret", "The new one is in the answer, once. For 24 hours both sign, so that the agent can change over."),
            post("/v1/agents/{uuid}/enable", "enable_agent", enable)
                .says("Take an agent up again", "Active, with its breaker closed: what is parked is sent, the oldest first. `recover` takes up what was given up too.")
                .example(r#"{"recover":true}"#)
                .fails(&[ErrorCode::InvalidEndpointUrl]),
            post("/v1/agents/{uuid}/probe", "probe_agent", probe)
                .says("Look whether an agent answers", "Connects to its address, as a delivery would, and sends no alert."),
            post("/v1/agents/{uuid}/recover", "recover_deliveries", recover)
                .says("Take up an agent's backlog", "Dead deliveries are due again, each under its own id and with its whole schedule before it; behind an open breaker they are parked. For parked ones the next probe is now. Doing it twice changes nothing.")
                .example(r#"{"state":"dead","from_time":"2025-01-15T00:00:00Z"}"#),
        ],
    )
}

async fn preview(
    State(app): State<App>,
    _: Caller<AgentsWrite>,
    body: Json<PreviewRequest>,
) -> Answer<One<PreviewView>> {
    let preview = app.engine.preview_filter(body.value).await?;
    Ok(One::noting(preview, &body.ignored))
}

async fn rotate(
    State(app): State<App>,
    caller: Human<AgentsWrite>,
    Id(id): Id<AgentId>,
) -> Answer<One<RotatedSecretView>> {
    Ok(One::new(
        app.engine.rotate_agent_secret(&caller.0, id).await?,
    ))
}

async fn enable(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    OptionalJson(request): OptionalJson<EnableRequest>,
) -> Answer<One<AgentView>> {
    let enabled = app.engine.enable_agent(&caller.0, id, request).await?;
    Ok(One::new(enabled))
}

async fn probe(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
) -> Answer<One<ProbeView>> {
    Ok(One::new(app.engine.probe_agent(&caller.0, id).await?))
}

/// Deliveries that can be taken up again.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum BacklogState {
    /// Held back by the breaker.
    Parked,
    /// Given up.
    Dead,
}

/// Body of `POST /v1/agents/{uuid}/recover`.
#[derive(Debug, Deserialize, ToSchema)]
struct RecoverRequest {
    /// Which.
    state: BacklogState,
    /// Made then or later.
    #[serde(default)]
    from_time: Option<Timestamp>,
    /// Made then or earlier.
    #[serde(default)]
    to_time: Option<Timestamp>,
}

/// Answer to `POST /v1/agents/{uuid}/recover`.
#[derive(Debug, Serialize, ToSchema)]
struct RecoveredView {
    /// Deliveries that are due again.
    count: u64,
}

async fn recover(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    body: Json<RecoverRequest>,
) -> Answer<One<RecoveredView>> {
    let (from, to) = (body.value.from_time, body.value.to_time);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::field("from_time", "must not be after to_time").into());
    }
    let state = match body.value.state {
        BacklogState::Parked => Waits::Parked,
        BacklogState::Dead => Waits::Dead,
    };
    let backlog = Backlog { state, from, to };
    let engine = &app.engine;
    let count = engine.recover_deliveries(&caller.0, id, backlog).await?;
    Ok(One::noting(RecoveredView { count }, &body.ignored))
}
