//! `/v1/egress/grants`.

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get};
use calseta_contract::grant::GrantRequest;
use http::StatusCode;
use uuid::Uuid;

use crate::answer::{Answer, data, data_ignoring, no_content};
use crate::body::Payload;
use crate::caller::{Admin, App, Caller};
use crate::page::Id;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/egress/grants", get(list).post(create))
        .route("/v1/egress/grants/{uuid}", delete(remove))
}

async fn list(State(app): State<App>, caller: Caller<Admin>) -> Answer {
    data(StatusCode::OK, app.engine.grants(&caller.0).await?)
}

async fn create(State(app): State<App>, caller: Caller<Admin>, body: Payload) -> Answer {
    let (request, ignored): (GrantRequest, _) = body.json()?;
    data_ignoring(
        StatusCode::CREATED,
        app.engine.create_grant(&caller.0, request).await?,
        &ignored,
    )
}

async fn remove(State(app): State<App>, caller: Caller<Admin>, Id(id): Id<Uuid>) -> Answer {
    app.engine.delete_grant(&caller.0, id).await?;
    no_content()
}
