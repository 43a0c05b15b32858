//! `/v1/deliveries`.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use calseta_domain::DeliveryId;
use calseta_engine::{DeliveryListQuery, Problem};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use crate::answer::{Answer, data, page};
use crate::body::Payload;
use crate::caller::{AgentsRead, AgentsWrite, App, Caller};
use crate::page::{Id, QueryPairs};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/deliveries", get(list))
        .route("/v1/deliveries/{uuid}", get(show))
        .route("/v1/deliveries/{uuid}/body", get(body))
        .route("/v1/deliveries/{uuid}/redeliver", post(redeliver))
        .route("/v1/deliveries/{uuid}/retry-now", post(retry_now))
}

async fn list(State(app): State<App>, _: Caller<AgentsRead>, query: QueryPairs) -> Answer {
    let number = query.page()?;
    let request = DeliveryListQuery {
        agent: query.parsed("agent_uuid", "a uuid")?,
        alert: query.parsed("alert_uuid", "a uuid")?,
        state: query.get("state").map(str::to_owned),
    };
    page(
        app.engine.deliveries(request, number).await?,
        Some(number.page),
        number.page_size,
    )
}

async fn show(State(app): State<App>, _: Caller<AgentsRead>, Id(id): Id<DeliveryId>) -> Answer {
    data(StatusCode::OK, app.engine.delivery(id).await?)
}

async fn body(State(app): State<App>, _: Caller<AgentsRead>, Id(id): Id<DeliveryId>) -> Answer {
    let bytes = app.engine.delivery_body(id).await?;
    let mut response = Response::new(Body::from(bytes));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// Body of `POST …/redeliver`.
#[derive(Debug, Deserialize)]
struct RedeliverRequest {
    mode: String,
}

async fn redeliver(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<DeliveryId>,
    body: Payload,
) -> Answer {
    let (request, _): (RedeliverRequest, _) = body.json()?;
    match &*request.mode {
        "as_sent" => {
            app.engine.redeliver_as_sent(&caller.0, id).await?;
            data(StatusCode::ACCEPTED, app.engine.delivery(id).await?)
        }
        "current" => data(
            StatusCode::ACCEPTED,
            app.engine.redeliver_current(&caller.0, id).await?,
        ),
        other => Err(Problem::word("mode", "mode", other, &["as_sent", "current"]).into()),
    }
}

async fn retry_now(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<DeliveryId>,
) -> Answer {
    app.engine.redeliver_as_sent(&caller.0, id).await?;
    data(StatusCode::ACCEPTED, app.engine.delivery(id).await?)
}
