//! `/v1/enrichment-providers`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use calseta_contract::provider::ProviderPatch;
use calseta_domain::ProviderId;
use calseta_engine::Listed;
use http::StatusCode;

use crate::answer::{Answer, data, data_ignoring, page};
use crate::body::Payload;
use crate::caller::{Admin, App, Caller, EnrichmentsRead};
use crate::page::{Id, MAX_PAGE_SIZE};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/enrichment-providers", get(list))
        .route("/v1/enrichment-providers/{uuid}", get(show).patch(change))
}

async fn list(State(app): State<App>, _: Caller<EnrichmentsRead>) -> Answer {
    let all = app.engine.providers().await?;
    let total = all.len() as u64;
    page(Listed::counted(all, total), Some(1), MAX_PAGE_SIZE)
}

async fn show(
    State(app): State<App>,
    _: Caller<EnrichmentsRead>,
    Id(id): Id<ProviderId>,
) -> Answer {
    data(StatusCode::OK, app.engine.provider(id).await?)
}

async fn change(
    State(app): State<App>,
    caller: Caller<Admin>,
    Id(id): Id<ProviderId>,
    body: Payload,
) -> Answer {
    let (patch, ignored): (ProviderPatch, _) = body.json()?;
    data_ignoring(
        StatusCode::OK,
        app.engine.patch_provider(&caller.0, id, patch).await?,
        &ignored,
    )
}
