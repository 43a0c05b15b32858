//! One module a noun: extract, one call to the engine, the view.

mod agent_checks;
mod agents;
mod alert_parts;
mod alert_work;
mod alerts;
mod api_keys;
mod backups;
mod changes;
mod deliveries;
mod documentation;
mod documents;
mod egress;
mod enrichments;
mod events;
mod findings;
mod health;
mod indicators;
mod ingest;
mod jobs;
mod mappings;
mod metrics;
mod providers;
mod retention;
mod rules;
mod search;
mod security;
mod settings;
mod sources;
mod suppressions;
mod triage;
mod ui;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use calseta_domain::ErrorCode;
use calseta_engine::Problem;
use http::{Method, Uri};

use crate::answer::Failure;
use crate::caller::App;
use crate::operation::Operation;
use crate::ui_files::UiFiles;

/// Every route, declared once. Everything else that is said about them is a view of this.
pub(crate) fn table() -> Vec<Operation> {
    [
        ingest::operations(),
        alerts::operations(),
        alert_parts::operations(),
        alert_work::operations(),
        triage::operations(),
        changes::operations(),
        suppressions::operations(),
        findings::operations(),
        search::operations(),
        indicators::operations(),
        mappings::operations(),
        rules::operations(),
        documents::operations(),
        enrichments::operations(),
        providers::operations(),
        agents::operations(),
        agent_checks::operations(),
        deliveries::operations(),
        jobs::operations(),
        sources::operations(),
        api_keys::operations(),
        events::operations(),
        security::operations(),
        metrics::operations(),
        settings::operations(),
        backups::operations(),
        retention::operations(),
        egress::operations(),
        health::operations(),
        documentation::operations(),
        ui::operations(),
    ]
    .concat()
}

/// All routes. Without a UI every unknown path is a 404.
pub(crate) fn router(app: App, ui: Option<UiFiles>) -> Router {
    let mount =
        |router: Router<App>, operation: Operation| router.route(operation.path, operation.mounted);
    table()
        .into_iter()
        .fold(Router::new(), mount)
        .with_state(app)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback_service(Router::new().fallback(fallback).with_state(ui))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    Failure(Problem::new(
        ErrorCode::MethodNotAllowed,
        format!(
            "{} cannot be called with {method}; see the Allow header",
            uri.path()
        ),
    ))
    .into_response()
}

/// The window's files, for a browser that asks for a page; else a 404.
async fn fallback(State(ui): State<Option<UiFiles>>, method: Method, uri: Uri) -> Response {
    let api = ["/v1/", "/ui/", "/mcp", "/health", "/docs", "/openapi.json"]
        .iter()
        .any(|path| uri.path().starts_with(path));
    match ui {
        Some(files) if method == Method::GET && !api => files.serve(uri.path()),
        _ => Failure(Problem::new(
            ErrorCode::NotFound,
            format!("there is no {}", uri.path()),
        ))
        .into_response(),
    }
}
