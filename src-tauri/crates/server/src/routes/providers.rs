//! `/v1/enrichment-providers`.

use axum::extract::State;
use calseta_contract::provider::{ProviderPatch, ProviderView};
use calseta_domain::{ErrorCode, ProviderId};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Caller, EnrichmentsRead, Human};
use crate::operation::{Noun, Operation, about, get, patch};
use crate::page::{Id, Paged, Query};
use crate::reply::{One, Page};

const PATCH: &str = r#"{"is_active":true,"mode":"off","base_url":"http://127.0.0.1:9","auth_config":{"api_key":"k"}}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Providers,
        [
            get("/v1/enrichment-providers", "list_enrichment_providers", list)
                .says("List enrichment providers", "Built-in and own ones. Credentials are never shown, only whether they are there."),
            get("/v1/enrichment-providers/{uuid}", "get_enrichment_provider", show)
                .says("Read an enrichment provider", "One provider."),
            patch("/v1/enrichment-providers/{uuid}", "update_enrichment_provider", change)
                .says("Change an enrichment provider", "Absent fields keep their value. `auth_config` replaces all credentials; `null` removes them. Of a built-in provider the definition cannot be changed.")
                .example(PATCH)
                .fails(&[ErrorCode::BuiltinRestricted]),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<EnrichmentsRead>,
    query: Query<Paged>,
) -> Answer<Page<ProviderView>> {
    let number = query.page()?;
    Ok(Page::of_all(
        app.engine
            .providers(calseta_engine::ProviderListQuery::default())
            .await?,
        number,
        &query,
    ))
}

async fn show(
    State(app): State<App>,
    _: Caller<EnrichmentsRead>,
    Id(id): Id<ProviderId>,
) -> Answer<One<ProviderView>> {
    Ok(One::new(app.engine.provider(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<ProviderId>,
    body: Json<ProviderPatch>,
) -> Answer<One<ProviderView>> {
    let provider = app.engine.patch_provider(&caller.0, id, body.value).await?;
    Ok(One::noting(provider, &body.ignored))
}
