//! `/v1/agents`.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use calseta_contract::agent::{AgentPatch, AgentRequest};
use calseta_domain::AgentId;
use calseta_engine::{DeliveryListQuery, Listed};
use http::StatusCode;

use crate::answer::{Answer, data, data_ignoring, no_content, page};
use crate::body::Payload;
use crate::caller::{AgentsRead, AgentsWrite, App, Caller};
use crate::page::{Id, QueryPairs};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/agents", get(list).post(create))
        .route("/v1/agents/{uuid}", get(show).patch(change).delete(remove))
        .route("/v1/agents/{uuid}/test", post(test))
        .route("/v1/agents/{uuid}/deliveries", get(deliveries))
}

async fn list(State(app): State<App>, _: Caller<AgentsRead>, query: QueryPairs) -> Answer {
    let number = query.page()?;
    let all = app.engine.agents().await?;
    let total = all.len() as u64;
    let skip = usize::try_from(number.offset()).unwrap_or(usize::MAX);
    let take = usize::try_from(number.page_size).unwrap_or(usize::MAX);
    let rows = all.into_iter().skip(skip).take(take).collect();
    page(
        Listed::counted(rows, total),
        Some(number.page),
        number.page_size,
    )
}

async fn create(State(app): State<App>, caller: Caller<AgentsWrite>, body: Payload) -> Answer {
    let (request, ignored): (AgentRequest, _) = body.json()?;
    let agent = app.engine.create_agent(&caller.0, request).await?;
    data_ignoring(StatusCode::CREATED, agent, &ignored)
}

async fn show(State(app): State<App>, _: Caller<AgentsRead>, Id(id): Id<AgentId>) -> Answer {
    data(StatusCode::OK, app.engine.agent(id).await?)
}

async fn change(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    body: Payload,
) -> Answer {
    let (patch, ignored): (AgentPatch, _) = body.json()?;
    data_ignoring(
        StatusCode::OK,
        app.engine.patch_agent(&caller.0, id, patch).await?,
        &ignored,
    )
}

async fn remove(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
) -> Answer {
    app.engine.delete_agent(&caller.0, id).await?;
    no_content()
}

async fn test(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    body: Payload,
) -> Answer {
    let request = body.json_or_default()?;
    data(
        StatusCode::OK,
        app.engine.test_agent(&caller.0, id, request).await?,
    )
}

async fn deliveries(
    State(app): State<App>,
    _: Caller<AgentsRead>,
    Id(id): Id<AgentId>,
    query: QueryPairs,
) -> Answer {
    let number = query.page()?;
    let request = DeliveryListQuery {
        agent: Some(id),
        alert: query.parsed("alert_uuid", "a uuid")?,
        state: query.get("state").map(str::to_owned),
    };
    page(
        app.engine.deliveries(request, number).await?,
        Some(number.page),
        number.page_size,
    )
}
