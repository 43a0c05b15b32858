//! `/v1/suppressions`: what stays out of the queue for a while.

use axum::extract::State;
use calseta_contract::suppression::{
    SuppressionPatch, SuppressionPreview, SuppressionPreviewRequest, SuppressionRequest,
    SuppressionView,
};
use calseta_domain::SuppressionId;

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsRead, AlertsWrite, App, Caller, Human};
use crate::operation::{Noun, Operation, about, delete, get, patch, post};
use crate::page::{Id, Paged, Query};
use crate::reply::{Created, NoContent, One, Page};

const SUPPRESSION: &str = r#"{"name":"Paris proxy","q":"rule:\"impossible travel\" ip:203.0.113.7","expires_at":"2099-01-22T10:00:00Z","reason":"The office's new proxy; the rule is being mended."}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Suppressions,
        [
            get("/v1/suppressions", "list_suppressions", list)
                .says("List suppressions", "Newest first, those that are over too, with how many alerts each has hidden."),
            post("/v1/suppressions", "create_suppression", create)
                .says("Suppress alerts", "Alerts that come in from now on and match stay out of the queue, the counts of views and notifications until it ends: at most 90 days, 7 when nothing is said. They are kept, counted, enriched and sent to agents as always; `is:suppressed` finds them. The query may test fields only.")
                .example(SUPPRESSION),
            post("/v1/suppressions/preview", "preview_suppression", preview)
                .says("Preview a suppression", "What it would have hidden in the last days, and how many of these were closed as a true positive.")
                .example(r#"{"q":"rule:\"impossible travel\" ip:203.0.113.7","days":30}"#),
            get("/v1/suppressions/{uuid}", "get_suppression", show)
                .says("Read a suppression", "One suppression."),
            patch("/v1/suppressions/{uuid}", "update_suppression", change)
                .says("Change a suppression", "Absent fields keep their value, `null` clears the reason. Alerts that are hidden already stay so.")
                .example(r#"{"expires_at":"2099-01-29T10:00:00Z"}"#),
            delete("/v1/suppressions/{uuid}", "delete_suppression", remove)
                .says("End a suppression", "The alerts that it hid come back to the queue."),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Paged>,
) -> Answer<Page<SuppressionView>> {
    let number = query.page()?;
    let all = app.engine.suppressions().await?;
    Ok(Page::of_all(all, number, &query))
}

async fn create(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    body: Json<SuppressionRequest>,
) -> Answer<Created<SuppressionView>> {
    let engine = &app.engine;
    let made = engine.create_suppression(&caller.0, body.value).await?;
    Ok(Created::noting(made, &body.ignored))
}

async fn preview(
    State(app): State<App>,
    _: Human<AlertsRead>,
    body: Json<SuppressionPreviewRequest>,
) -> Answer<One<SuppressionPreview>> {
    let preview = app.engine.preview_suppression(body.value).await?;
    Ok(One::noting(preview, &body.ignored))
}

async fn show(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<SuppressionId>,
) -> Answer<One<SuppressionView>> {
    Ok(One::new(app.engine.suppression(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<SuppressionId>,
    body: Json<SuppressionPatch>,
) -> Answer<One<SuppressionView>> {
    let engine = &app.engine;
    let changed = engine.patch_suppression(&caller.0, id, body.value).await?;
    Ok(One::noting(changed, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<SuppressionId>,
) -> Answer<NoContent> {
    app.engine.delete_suppression(&caller.0, id).await?;
    Ok(NoContent)
}
