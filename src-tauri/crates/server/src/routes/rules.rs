//! `/v1/detection-rules`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use calseta_contract::detection_rule::{RulePatch, RuleRequest};
use calseta_domain::DetectionRuleId;
use http::StatusCode;

use crate::answer::{Answer, data, data_ignoring, no_content, page};
use crate::body::Payload;
use crate::caller::{Admin, AlertsRead, App, Caller};
use crate::page::{Id, QueryPairs};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/detection-rules", get(list).post(create))
        .route(
            "/v1/detection-rules/{uuid}",
            get(show).patch(change).delete(remove),
        )
}

async fn list(State(app): State<App>, _: Caller<AlertsRead>, query: QueryPairs) -> Answer {
    let number = query.page()?;
    page(
        app.engine.rules(number).await?,
        Some(number.page),
        number.page_size,
    )
}

async fn create(State(app): State<App>, caller: Caller<Admin>, body: Payload) -> Answer {
    let (request, ignored): (RuleRequest, _) = body.json()?;
    data_ignoring(
        StatusCode::CREATED,
        app.engine.create_rule(&caller.0, request).await?,
        &ignored,
    )
}

async fn show(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<DetectionRuleId>,
) -> Answer {
    data(StatusCode::OK, app.engine.rule(id).await?)
}

async fn change(
    State(app): State<App>,
    caller: Caller<Admin>,
    Id(id): Id<DetectionRuleId>,
    body: Payload,
) -> Answer {
    let (patch, ignored): (RulePatch, _) = body.json()?;
    data_ignoring(
        StatusCode::OK,
        app.engine.patch_rule(&caller.0, id, patch).await?,
        &ignored,
    )
}

async fn remove(
    State(app): State<App>,
    caller: Caller<Admin>,
    Id(id): Id<DetectionRuleId>,
) -> Answer {
    app.engine.delete_rule(&caller.0, id).await?;
    no_content()
}
