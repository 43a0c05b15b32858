//! `/v1/api-keys`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use calseta_contract::api_key::ApiKeyRequest;
use calseta_domain::ApiKeyId;
use http::StatusCode;

use crate::answer::{Answer, data, data_ignoring, no_content, page};
use crate::body::Payload;
use crate::caller::{Admin, App, Caller};
use crate::page::{Id, QueryPairs};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/api-keys", get(list).post(create))
        .route("/v1/api-keys/{uuid}", get(show).delete(revoke))
}

async fn list(State(app): State<App>, _: Caller<Admin>, query: QueryPairs) -> Answer {
    let number = query.page()?;
    page(
        app.engine.api_keys(number).await?,
        Some(number.page),
        number.page_size,
    )
}

async fn create(State(app): State<App>, caller: Caller<Admin>, body: Payload) -> Answer {
    let (request, ignored): (ApiKeyRequest, _) = body.json()?;
    let key = app.engine.create_api_key(&caller.0, request).await?;
    data_ignoring(StatusCode::CREATED, key, &ignored)
}

async fn show(State(app): State<App>, _: Caller<Admin>, Id(id): Id<ApiKeyId>) -> Answer {
    data(StatusCode::OK, app.engine.api_key(id).await?)
}

async fn revoke(State(app): State<App>, caller: Caller<Admin>, Id(id): Id<ApiKeyId>) -> Answer {
    app.engine.revoke_api_key(&caller.0, id).await?;
    no_content()
}
