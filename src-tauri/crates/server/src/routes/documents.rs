//! `/v1/context-documents`.

use axum::extract::State;
use calseta_contract::context_document::{
    DocumentPatch, DocumentRequest, DocumentSummary, DocumentView,
};
use calseta_domain::DocumentId;
use calseta_engine::{Direction, DocumentFilter, DocumentSort};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsRead, AlertsWrite, App, Caller, Human};
use crate::operation::{Noun, Operation, about, delete, get, patch, post};
use crate::page::{Id, Paged, Query};
use crate::reply::{Created, NoContent, One, Page};

const DOCUMENT: &str = r##"{"title":"Phishing runbook","document_type":"runbook","content":"# First steps","tags":["phishing"],"targeting_rules":{"match_any":[{"field":"severity","op":"eq","value":"High"}]}}"##;
const PATCH: &str = r##"{"title":"Phishing runbook 2","content":"# First steps, in order","description":null,"tags":[]}"##;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::ContextDocuments,
        [
            get("/v1/context-documents", "list_context_documents", list)
                .says("List context documents", "Newest first."),
            post("/v1/context-documents", "create_context_document", create)
                .says(
                    "Add a context document",
                    "A document that is neither global nor has rules applies to nothing.",
                )
                .example(DOCUMENT),
            get("/v1/context-documents/{uuid}", "get_context_document", show)
                .says("Read a context document", "With its content."),
            patch(
                "/v1/context-documents/{uuid}",
                "update_context_document",
                change,
            )
            .says(
                "Change a context document",
                "Absent fields keep their value, `null` clears. Changed content is a new version.",
            )
            .example(PATCH),
            delete(
                "/v1/context-documents/{uuid}",
                "delete_context_document",
                remove,
            )
            .says(
                "Delete a context document",
                "Payloads that were sent keep their copy.",
            ),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Paged>,
) -> Answer<Page<DocumentSummary>> {
    let number = query.page()?;
    Ok(Page::numbered(
        app.engine
            .list_documents(
                DocumentFilter::default(),
                (DocumentSort::Title, Direction::Ascending),
                number,
            )
            .await?,
        number,
        &query,
    ))
}

async fn create(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    body: Json<DocumentRequest>,
) -> Answer<Created<DocumentView>> {
    let document = app.engine.create_document(&caller.0, body.value).await?;
    Ok(Created::noting(document, &body.ignored))
}

async fn show(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<DocumentId>,
) -> Answer<One<DocumentView>> {
    Ok(One::new(app.engine.document(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<DocumentId>,
    body: Json<DocumentPatch>,
) -> Answer<One<DocumentView>> {
    let document = app.engine.patch_document(&caller.0, id, body.value).await?;
    Ok(One::noting(document, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<DocumentId>,
) -> Answer<NoContent> {
    app.engine.delete_document(&caller.0, id).await?;
    Ok(NoContent)
}
