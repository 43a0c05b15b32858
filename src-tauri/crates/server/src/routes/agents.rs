//! `/v1/agents`.

use axum::extract::State;
use calseta_contract::agent::{
    AgentPatch, AgentRequest, AgentTestRequest, AgentTestView, AgentView,
};
use calseta_contract::delivery::DeliveryView;
use calseta_domain::{AgentId, ErrorCode};
use calseta_engine::DeliveryListQuery;

use super::deliveries::{DELIVERY_STATES, FROM, STATE, TO};
use crate::answer::Answer;
use crate::body::{Json, OptionalJson};
use crate::caller::{AgentsRead, AgentsWrite, App, Caller, Human};
use crate::operation::{
    Kind, Noun, Operation, PAGE, Parameter, about, delete, get, list_parameters, patch, post,
};
use crate::page::{Id, Paged, Query};
use crate::reply::{Created, NoContent, One, Page};

const AGENT: &str = r#"{"name":"triage","webhook_url":"http://127.0.0.1:9000/webhook","trigger_filter":{"min_severity":"High","source_names":["generic"],"tags":["phishing"]},"timeout_seconds":30}"#;
const PATCH: &str =
    r#"{"description":null,"is_active":false,"trigger_filter":{"min_severity":"Low"}}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Agents,
        [
            get("/v1/agents", "list_agents", list)
                .says("List agents", "Every registered agent, with its filter, its grant and the state of its breaker."),
            post("/v1/agents", "create_agent", create)
                .says("Register an agent", "The answer holds `signing_secret`, once: the agent verifies its webhooks with it. A loopback address is granted when a human key registers it; with an agent's key it stays `grant: pending`. v1.1.0's names (`endpoint_url`, `auth_header_name`, `trigger_on_*`) are accepted.")
                .example(AGENT)
                .fails(&[ErrorCode::InvalidEndpointUrl]),
            get("/v1/agents/{uuid}", "get_agent", show)
                .says("Read an agent", "One agent. Secrets are never part of it."),
            patch("/v1/agents/{uuid}", "update_agent", change)
                .says("Change an agent", "Absent fields keep their value, `null` clears.")
                .example(PATCH)
                .fails(&[ErrorCode::InvalidEndpointUrl]),
            delete("/v1/agents/{uuid}", "delete_agent", remove)
                .says("Delete an agent", "Ends its deliveries and its keys with it."),
            post("/v1/agents/{uuid}/test", "test_agent", test)
                .says("Send a test webhook", "Sends at once, outside the schedule; the payload has `\"test\": true`. Without `alert_uuid` a test alert is made up.")
                .example(r#"{"alert_uuid":null}"#)
                .fails(&[ErrorCode::AgentInactive]),
            get("/v1/agents/{uuid}/deliveries", "list_agent_deliveries", deliveries)
                .says("List an agent's deliveries", "Newest first, with every attempt."),
        ],
    )
}

list_parameters! {
    /// `GET /v1/agents/{uuid}/deliveries`.
    AgentDeliveries => [PAGE, &[
        Parameter::new("alert_uuid", Kind::Uuid, "Only of this alert."),
        STATE,
        FROM,
        TO,
    ]];
}

async fn list(
    State(app): State<App>,
    _: Caller<AgentsRead>,
    query: Query<Paged>,
) -> Answer<Page<AgentView>> {
    let number = query.page()?;
    Ok(Page::of_all(app.engine.agents().await?, number, &query))
}

async fn create(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    body: Json<AgentRequest>,
) -> Answer<Created<AgentView>> {
    let agent = app.engine.create_agent(&caller.0, body.value).await?;
    Ok(Created::noting(agent, &body.ignored))
}

async fn show(
    State(app): State<App>,
    _: Caller<AgentsRead>,
    Id(id): Id<AgentId>,
) -> Answer<One<AgentView>> {
    Ok(One::new(app.engine.agent(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    body: Json<AgentPatch>,
) -> Answer<One<AgentView>> {
    let agent = app.engine.patch_agent(&caller.0, id, body.value).await?;
    Ok(One::noting(agent, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<AgentsWrite>,
    Id(id): Id<AgentId>,
) -> Answer<NoContent> {
    app.engine.delete_agent(&caller.0, id).await?;
    Ok(NoContent)
}

async fn test(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    OptionalJson(request): OptionalJson<AgentTestRequest>,
) -> Answer<One<AgentTestView>> {
    Ok(One::new(
        app.engine.test_agent(&caller.0, id, request).await?,
    ))
}

async fn deliveries(
    State(app): State<App>,
    _: Caller<AgentsRead>,
    Id(id): Id<AgentId>,
    query: Query<AgentDeliveries>,
) -> Answer<Page<DeliveryView>> {
    let number = query.page()?;
    let request = DeliveryListQuery {
        agent: Some(id),
        alert: query.parsed("alert_uuid", "a uuid")?,
        state: query.word("state", DELIVERY_STATES)?.map(str::to_owned),
        from: query.time("from_time")?,
        to: query.time("to_time")?,
    };
    let listed = app.engine.deliveries(request, number).await?;
    Ok(Page::numbered(listed, number, &query))
}
