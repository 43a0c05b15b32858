//! `/v1/sources` and the payloads that they rejected.

use axum::extract::State;
use calseta_contract::ingest::IngestView;
use calseta_contract::source::{RejectView, SourcePatch, SourceRequest, SourceView};
use calseta_domain::{ErrorCode, RejectId, SourceId};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, AlertsRead, App, Caller, Human};
use crate::operation::{Noun, Operation, about, delete, get, patch, post};
use crate::page::{Id, IdPair, Paged, Query};
use crate::reply::{Created, NoContent, One, Page, Rows};

const SOURCE: &str = r#"{"source_name":"wazuh","display_name":"Wazuh","field_map":{"title":"rule.description","severity":"rule.level","severity_map":{"12":"High"},"occurred_at":"timestamp"},"webhook_secret":"0123456789abcdef"}"#;
const PATCH: &str = r#"{"display_name":"Wazuh, Berlin","is_active":false}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Sources,
        [
            get("/v1/sources", "list_sources", list)
                .says("List sources", "Where alerts may come from. Secrets are never shown, only whether they are there."),
            post("/v1/sources", "create_source", create)
                .says("Add a source", "An own source on the generic form, with a map of its fields; its alerts go to `/v1/ingest/{source_name}`.")
                .example(SOURCE)
                .fails(&[ErrorCode::DuplicateSource]),
            get("/v1/sources/{uuid}", "get_source", show)
                .says("Read a source", "One source."),
            patch("/v1/sources/{uuid}", "update_source", change)
                .says("Change a source", "An inactive source takes nothing in: senders are told to come back later. With a `webhook_secret` its payloads must be signed; `null` takes the secret away.")
                .example(PATCH)
                .fails(&[ErrorCode::BuiltinRestricted]),
            delete("/v1/sources/{uuid}", "delete_source", remove)
                .says("Delete a source", "Own ones only; its alerts stay.")
                .fails(&[ErrorCode::BuiltinRestricted]),
            get("/v1/sources/{uuid}/rejects", "list_rejects", rejects)
                .says("List rejected payloads", "Newest first; the latest 1,000 of a source are kept."),
            post("/v1/sources/{uuid}/rejects/{reject}/replay", "replay_reject", replay)
                .says("Play a rejected payload again", "Through the whole pipeline, as it came; when it is taken it is no longer a reject.")
                .fails(&[ErrorCode::InvalidPayload, ErrorCode::PayloadTooDeep, ErrorCode::InvalidJson, ErrorCode::IngestPaused]),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Paged>,
) -> Answer<Page<SourceView>> {
    let number = query.page()?;
    Ok(Page::of_all(app.engine.sources().await?, number, &query))
}

async fn create(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<SourceRequest>,
) -> Answer<Created<SourceView>> {
    let source = app.engine.create_source(&caller.0, body.value).await?;
    Ok(Created::noting(source, &body.ignored))
}

async fn show(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<SourceId>,
) -> Answer<One<SourceView>> {
    Ok(One::new(app.engine.source(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<SourceId>,
    body: Json<SourcePatch>,
) -> Answer<One<SourceView>> {
    let source = app.engine.patch_source(&caller.0, id, body.value).await?;
    Ok(One::noting(source, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<SourceId>,
) -> Answer<NoContent> {
    app.engine.delete_source(&caller.0, id).await?;
    Ok(NoContent)
}

async fn rejects(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<SourceId>,
    query: Query<Paged>,
) -> Answer<Page<RejectView>> {
    let number = query.page()?;
    let listed = app.engine.rejects(id, number).await?;
    Ok(Page::numbered(listed, number, &query))
}

async fn replay(
    State(app): State<App>,
    caller: Human<Admin>,
    IdPair(source, reject): IdPair<SourceId, RejectId>,
) -> Answer<Rows<IngestView, 202>> {
    Ok(Rows(
        app.engine.replay_reject(&caller.0, source, reject).await?,
    ))
}
