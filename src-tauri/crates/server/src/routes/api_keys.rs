//! `/v1/api-keys`.

use axum::extract::State;
use calseta_contract::api_key::{ApiKeyPatch, ApiKeyRequest, ApiKeyView};
use calseta_domain::{ApiKeyId, ErrorCode};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Caller, Human};
use crate::operation::{Noun, Operation, about, delete, get, patch, post};
use crate::page::{Id, Paged, Query};
use crate::reply::{Created, NoContent, One, Page};

const KEY: &str = r#"{"name":"triage agent","scopes":["alerts:read","alerts:write"],"key_type":"human","expires_at":"2099-01-01T00:00:00Z","allowed_sources":["generic"]}"#;

const PATCH: &str = r#"{"scopes":["alerts:read"],"allowed_sources":null}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::ApiKeys,
        [
            get("/v1/api-keys", "list_api_keys", list)
                .says("List API keys", "Active keys, newest first. The keys themselves are never shown."),
            post("/v1/api-keys", "create_api_key", create)
                .says("Make an API key", "The answer holds `key`, once. `key_type: agent` with `agent_uuid` binds it to an agent: what it posts is that agent's. An agent's key can never delete, grant, decide or change settings, whatever its scopes.")
                .example(KEY),
            get("/v1/api-keys/{uuid}", "get_api_key", show)
                .says("Read an API key", "A key, revoked ones too."),
            patch("/v1/api-keys/{uuid}", "update_api_key", change)
                .says("Change an API key", "Scopes, sources, whether it works; `null` as `allowed_sources` allows all. Name, type and expiry stay as they are. The last key of a human with the scope `admin` cannot be taken away.")
                .example(PATCH)
                .fails(&[ErrorCode::LastAdminKey]),
            delete("/v1/api-keys/{uuid}", "revoke_api_key", revoke)
                .says("Revoke an API key", "The next request with it is refused. The row is kept for the log.")
                .fails(&[ErrorCode::LastAdminKey]),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<Admin>,
    query: Query<Paged>,
) -> Answer<Page<ApiKeyView>> {
    let number = query.page()?;
    Ok(Page::numbered(
        app.engine.api_keys(number).await?,
        number,
        &query,
    ))
}

async fn create(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<ApiKeyRequest>,
) -> Answer<Created<ApiKeyView>> {
    let key = app.engine.create_api_key(&caller.0, body.value).await?;
    Ok(Created::noting(key, &body.ignored))
}

async fn show(
    State(app): State<App>,
    _: Caller<Admin>,
    Id(id): Id<ApiKeyId>,
) -> Answer<One<ApiKeyView>> {
    Ok(One::new(app.engine.api_key(id).await?))
}

async fn revoke(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<ApiKeyId>,
) -> Answer<NoContent> {
    app.engine.revoke_api_key(&caller.0, id).await?;
    Ok(NoContent)
}

async fn change(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<ApiKeyId>,
    body: Json<ApiKeyPatch>,
) -> Answer<One<ApiKeyView>> {
    let key = app.engine.patch_api_key(&caller.0, id, body.value).await?;
    Ok(One::noting(key, &body.ignored))
}
