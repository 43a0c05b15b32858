//! `/v1/context-documents`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use calseta_contract::context_document::{DocumentPatch, DocumentRequest};
use calseta_domain::DocumentId;
use http::StatusCode;

use crate::answer::{Answer, data, data_ignoring, no_content, page};
use crate::body::Payload;
use crate::caller::{AlertsRead, AlertsWrite, App, Caller};
use crate::page::{Id, QueryPairs};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/context-documents", get(list).post(create))
        .route(
            "/v1/context-documents/{uuid}",
            get(show).patch(change).delete(remove),
        )
}

async fn list(State(app): State<App>, _: Caller<AlertsRead>, query: QueryPairs) -> Answer {
    let number = query.page()?;
    page(
        app.engine.documents(number).await?,
        Some(number.page),
        number.page_size,
    )
}

async fn create(State(app): State<App>, caller: Caller<AlertsWrite>, body: Payload) -> Answer {
    let (request, ignored): (DocumentRequest, _) = body.json()?;
    let document = app.engine.create_document(&caller.0, request).await?;
    data_ignoring(StatusCode::CREATED, document, &ignored)
}

async fn show(State(app): State<App>, _: Caller<AlertsRead>, Id(id): Id<DocumentId>) -> Answer {
    data(StatusCode::OK, app.engine.document(id).await?)
}

async fn change(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<DocumentId>,
    body: Payload,
) -> Answer {
    let (patch, ignored): (DocumentPatch, _) = body.json()?;
    data_ignoring(
        StatusCode::OK,
        app.engine.patch_document(&caller.0, id, patch).await?,
        &ignored,
    )
}

async fn remove(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<DocumentId>,
) -> Answer {
    app.engine.delete_document(&caller.0, id).await?;
    no_content()
}
