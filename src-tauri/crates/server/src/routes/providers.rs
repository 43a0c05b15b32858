//! `/v1/enrichment-providers`.

use axum::extract::State;
use calseta_contract::Patch;
use calseta_contract::provider::{
    ProviderPatch, ProviderRequest, ProviderTestRequest, ProviderTestView, ProviderView,
};
use calseta_domain::{ErrorCode, ProviderId};
use calseta_engine::{Principal, ProviderListQuery};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Caller, EnrichmentsRead, Human, TestProvider};
use crate::operation::{
    Kind, Noun, Operation, PAGE, Parameter, about, delete, get, list_parameters, patch, post,
};
use crate::page::{Id, Query};
use crate::reply::{Created, NoContent, One, Page};

const PROVIDER: &str = r#"{"provider_name":"greynoise","display_name":"GreyNoise Community","supported_indicator_types":["ip"],"base_url":"https://api.greynoise.io","auth_type":"api_key","http_config":{"steps":[{"name":"lookup","method":"GET","url":"{{base_url}}/v3/community/{{indicator.value}}","headers":{"key":"{{auth.api_key}}"},"expected_status":[200],"not_found_status":[404]}]},"malice_rules":{"rules":[{"field":"classification","operator":"==","value":"malicious","verdict":"Malicious"}],"default_verdict":"Benign","not_found_verdict":"Pending"},"cache_ttl_by_type":{"ip":3600}}"#;
const PATCH: &str = r#"{"is_active":true,"mode":"off","base_url":"http://127.0.0.1:9","auth_config":{"api_key":"k"}}"#;
const TEST: &str = r#"{"indicator_type":"ip","indicator_value":"203.0.113.7"}"#;

list_parameters! {
    /// `GET /v1/enrichment-providers`.
    Providers => [PAGE, &[
        Parameter::new("is_active", Kind::Bool, "Whether it is asked."),
        Parameter::new("is_builtin", Kind::Bool, "Whether it came with the product."),
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Providers,
        [
            get("/v1/enrichment-providers", "list_enrichment_providers", list)
                .says("List enrichment providers", "Built-in and own ones. Credentials are never shown, only whether they are there."),
            post("/v1/enrichment-providers", "create_enrichment_provider", create)
                .says("Add an enrichment provider", "A definition of HTTP steps; nothing of it is code. An address on this machine is granted by the human who makes it; one in a private range needs `allow_private`.")
                .example(PROVIDER)
                .fails(&[ErrorCode::DuplicateProvider]),
            get("/v1/enrichment-providers/{uuid}", "get_enrichment_provider", show)
                .says("Read an enrichment provider", "One provider."),
            patch("/v1/enrichment-providers/{uuid}", "update_enrichment_provider", change)
                .says("Change an enrichment provider", "Absent fields keep their value. `auth_config` replaces all credentials; `null` removes them. Of a built-in provider the definition cannot be changed.")
                .example(PATCH)
                .fails(&[ErrorCode::BuiltinRestricted]),
            delete("/v1/enrichment-providers/{uuid}", "delete_enrichment_provider", remove)
                .says("Delete an enrichment provider", "Own ones only. Its answers go with it, and the verdicts that rested on them.")
                .fails(&[ErrorCode::BuiltinRestricted]),
            post("/v1/enrichment-providers/{uuid}/test", "test_enrichment_provider", test)
                .says("Try an enrichment provider", "Asks once, whether it is active or not, and shows every step. Every credential is masked; nothing is stored.")
                .example(TEST),
            post("/v1/enrichment-providers/{uuid}/activate", "activate_enrichment_provider", activate)
                .says("Switch an enrichment provider on", "It is asked from now on."),
            post("/v1/enrichment-providers/{uuid}/deactivate", "deactivate_enrichment_provider", deactivate)
                .says("Switch an enrichment provider off", "It is not asked any more; what it said stays."),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<EnrichmentsRead>,
    query: Query<Providers>,
) -> Answer<Page<ProviderView>> {
    let number = query.page()?;
    let wanted = ProviderListQuery {
        is_active: query.parsed("is_active", "true or false")?,
        is_builtin: query.parsed("is_builtin", "true or false")?,
    };
    let all = app.engine.providers(wanted).await?;
    Ok(Page::of_all(all, number, &query))
}

async fn create(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<ProviderRequest>,
) -> Answer<Created<ProviderView>> {
    let provider = app.engine.create_provider(&caller.0, body.value).await?;
    Ok(Created::noting(provider, &body.ignored))
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

async fn remove(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<ProviderId>,
) -> Answer<NoContent> {
    app.engine.delete_provider(&caller.0, id).await?;
    Ok(NoContent)
}

async fn test(
    State(app): State<App>,
    caller: Human<TestProvider>,
    Id(id): Id<ProviderId>,
    body: Json<ProviderTestRequest>,
) -> Answer<One<ProviderTestView>> {
    let tested = app.engine.test_provider(&caller.0, id, body.value).await?;
    Ok(One::noting(tested, &body.ignored))
}

async fn switch(
    app: &App,
    by: &Principal,
    id: ProviderId,
    is_active: bool,
) -> Answer<One<ProviderView>> {
    let change = ProviderPatch {
        is_active: Patch::Set(is_active),
        ..ProviderPatch::default()
    };
    Ok(One::new(app.engine.patch_provider(by, id, change).await?))
}

async fn activate(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<ProviderId>,
) -> Answer<One<ProviderView>> {
    switch(&app, &caller.0, id, true).await
}

async fn deactivate(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<ProviderId>,
) -> Answer<One<ProviderView>> {
    switch(&app, &caller.0, id, false).await
}
