//! What is done with an alert: its work anew, more indicators, agents told, the end of it.

use axum::extract::State;
use calseta_contract::alert::{
    DispatchExplanation, DispatchedAgentView, EnrichView, TriggeredAgentsView,
};
use calseta_contract::indicator::{AlertIndicatorsRequest, AlertIndicatorsView, RelationshipGraph};
use calseta_domain::{AgentId, AlertId, ErrorCode};
use calseta_engine::{MAX_SIBLINGS, Problem};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AgentsWrite, AlertsRead, AlertsWrite, App, Caller, EnrichAlert, Human};
use crate::operation::{
    Kind, Noun, Operation, Parameter, about, delete, get, list_parameters, post,
};
use crate::page::{Id, Query};
use crate::reply::{Accepted, Created, NoContent, One, Rows};

const INDICATORS: &str = r#"{"indicators":[{"type":"ip","value":"203.0.113.7"},{"type":"domain","value":"evil.example"}]}"#;
/// Siblings an indicator when nothing is said.
const DEFAULT_SIBLINGS: u64 = 10;

list_parameters! {
    /// `POST …/indicators`.
    AddIndicators => [&[Parameter::new("enrich", Kind::Bool, "Ask the providers about them, and tell the agents anew; `true` when nothing is said.")]];
    /// `GET …/relationship-graph`.
    Graph => [&[Parameter::new("sibling_limit", Kind::Number { default: Some(DEFAULT_SIBLINGS), min: 1, max: MAX_SIBLINGS as u64 }, "Other alerts an indicator, newest first.")]];
    /// `POST …/dispatch-agent`.
    Dispatch => [&[Parameter::new("agent_uuid", Kind::Uuid, "The agent.").required()]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Alerts,
        [
            delete("/v1/alerts/{uuid}", "delete_alert", remove)
                .says("Delete an alert", "With its findings; its indicators stay, and the log keeps what happened."),
            post("/v1/alerts/{uuid}/enrich", "enrich_alert", enrich)
                .says("Do an alert's work anew", "Indicators are extracted and looked up again, and agents are told anew when it is done. A failed lookup never takes a verdict away."),
            post("/v1/alerts/{uuid}/indicators", "add_alert_indicators", add_indicators)
                .says("Add indicators to an alert", "1 to 100, in canonical form; those that it has already are counted apart.")
                .example(INDICATORS),
            get("/v1/alerts/{uuid}/relationship-graph", "get_relationship_graph", graph)
                .says("Read an alert's neighbourhood", "Its indicators and the other alerts that have them."),
            post("/v1/alerts/{uuid}/trigger-agents", "trigger_agents", trigger)
                .says("Tell the agents that match", "Evaluates every active agent's filter now; each delivery is a new generation."),
            post("/v1/alerts/{uuid}/dispatch-agent", "dispatch_agent", dispatch)
                .says("Tell one agent", "Whatever its filter says.")
                .fails(&[ErrorCode::AgentInactive]),
            get("/v1/alerts/{uuid}/dispatch-explanation", "explain_dispatch", explain)
                .says("Explain who is told", "Each agent's filter against this alert, clause by clause."),
        ],
    )
}

async fn remove(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<AlertId>,
) -> Answer<NoContent> {
    app.engine.delete_alert(&caller.0, id).await?;
    Ok(NoContent)
}

async fn enrich(
    State(app): State<App>,
    caller: Caller<EnrichAlert>,
    Id(id): Id<AlertId>,
) -> Answer<Accepted<EnrichView>> {
    Ok(Accepted::new(app.engine.enrich_alert(&caller.0, id).await?))
}

async fn add_indicators(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
    query: Query<AddIndicators>,
    body: Json<AlertIndicatorsRequest>,
) -> Answer<Created<AlertIndicatorsView>> {
    let enrich = query.parsed("enrich", "true or false")?.unwrap_or(true);
    let engine = &app.engine;
    let added = engine
        .add_indicators(&caller.0, id, body.value, enrich)
        .await?;
    Ok(Created::noting(added, &body.ignored))
}

async fn graph(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
    query: Query<Graph>,
) -> Answer<One<RelationshipGraph>> {
    let limit = query.number(
        "sibling_limit",
        DEFAULT_SIBLINGS,
        1,
        u64::from(MAX_SIBLINGS),
    )?;
    let limit = u32::try_from(limit).unwrap_or(MAX_SIBLINGS);
    Ok(One::new(app.engine.relationship_graph(id, limit).await?))
}

async fn trigger(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AlertId>,
) -> Answer<Accepted<TriggeredAgentsView>> {
    Ok(Accepted::new(
        app.engine.trigger_agents(&caller.0, id).await?,
    ))
}

async fn dispatch(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AlertId>,
    query: Query<Dispatch>,
) -> Answer<Accepted<DispatchedAgentView>> {
    let agent: AgentId = query
        .parsed("agent_uuid", "a uuid")?
        .ok_or_else(|| Problem::field("agent_uuid", "name the agent"))?;
    Ok(Accepted::new(
        app.engine.dispatch_agent(&caller.0, id, agent).await?,
    ))
}

async fn explain(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
) -> Answer<Rows<DispatchExplanation>> {
    Ok(Rows(app.engine.dispatch_explanation(id).await?))
}
