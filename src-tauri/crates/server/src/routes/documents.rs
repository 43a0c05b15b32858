//! `/v1/context-documents`: as JSON, or as a file that becomes Markdown, with every version.

use axum::extract::{FromRequest, Request, State};
use calseta_contract::context_document::{
    DocumentPatch, DocumentRequest, DocumentSummary, DocumentVersionView, DocumentView,
};
use calseta_domain::{DocumentId, ErrorCode};
use calseta_engine::{DocumentFilter, DocumentForm, DocumentSort, Upload};
use serde_json::json;

use super::alerts::SORT_ORDER;
use crate::answer::{Answer, Failure};
use crate::body::{Json, Part, parts, wants_multipart};
use crate::caller::{AlertsRead, AlertsWrite, App, Caller, Human};
use crate::operation::{
    Argument, Facts, Kind, Noun, Operation, PAGE, Parameter, Schemas, about, delete, get,
    list_parameters, patch, post,
};
use crate::page::{Id, IdVersion, Paged, Query};
use crate::reply::{Created, NoContent, One, Page};

const DOCUMENT: &str = r##"{"title":"Phishing runbook","document_type":"runbook","content":"# First steps","tags":["phishing"],"targeting_rules":{"match_any":[{"field":"severity","op":"eq","value":"High"}]}}"##;
const PATCH: &str = r##"{"title":"Phishing runbook 2","content":"# First steps, in order","description":null,"tags":[]}"##;

/// The document types, as they are asked for.
const TYPES: &[(&str, &str)] = &[
    ("runbook", "runbook"),
    ("ir_plan", "ir_plan"),
    ("sop", "sop"),
    ("playbook", "playbook"),
    ("detection_guide", "detection_guide"),
    ("other", "other"),
];
const SORTS: &[(&str, DocumentSort)] = &[
    ("title", DocumentSort::Title),
    ("document_type", DocumentSort::DocumentType),
    ("updated_at", DocumentSort::UpdatedAt),
    ("created_at", DocumentSort::CreatedAt),
];

list_parameters! {
    /// `GET /v1/context-documents`.
    Documents => [PAGE, &[
        Parameter::new("document_type", Kind::Words(&["runbook", "ir_plan", "sop", "playbook", "detection_guide", "other"]), "Any of these."),
        Parameter::new("is_global", Kind::Bool, "Whether it applies to every alert."),
        Parameter::new("sort_by", Kind::Word(&["title", "document_type", "updated_at", "created_at"]), "`created_at` when nothing is said."),
        SORT_ORDER,
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::ContextDocuments,
        [
            get("/v1/context-documents", "list_context_documents", list)
                .says("List context documents", "Without their content; newest first unless sorted otherwise."),
            post("/v1/context-documents", "create_context_document", create)
                .says("Add a context document", "As JSON, or as `multipart/form-data` with a `file` (Markdown, text, HTML, PDF or DOCX) that becomes Markdown. A document that is neither global nor has rules applies to nothing.")
                .example(DOCUMENT)
                .fails(&[ErrorCode::UnsupportedFormat]),
            get("/v1/context-documents/{uuid}", "get_context_document", show)
                .says("Read a context document", "With its content."),
            patch("/v1/context-documents/{uuid}", "update_context_document", change)
                .says("Change a context document", "Absent fields keep their value, `null` clears. Changed content is a new version.")
                .example(PATCH),
            delete("/v1/context-documents/{uuid}", "delete_context_document", remove)
                .says("Delete a context document", "Payloads that were sent keep their copy."),
            get("/v1/context-documents/{uuid}/versions", "list_document_versions", versions)
                .says("List a document's versions", "Newest first, without their content."),
            get("/v1/context-documents/{uuid}/versions/{version}", "get_document_version", version)
                .says("Read a document's version", "With its content."),
            post("/v1/context-documents/{uuid}/versions/{version}/restore", "restore_document_version", restore)
                .says("Restore a document's version", "Its content becomes the newest version; nothing is lost."),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Documents>,
) -> Answer<Page<DocumentSummary>> {
    let number = query.page()?;
    let filter = DocumentFilter {
        document_type: query.each_word("document_type", TYPES)?,
        is_global: query.parsed("is_global", "true or false")?,
    };
    let sort = query
        .word("sort_by", SORTS)?
        .unwrap_or(DocumentSort::CreatedAt);
    let order = (sort, query.direction()?);
    let listed = app.engine.list_documents(filter, order, number).await?;
    Ok(Page::numbered(listed, number, &query))
}

/// A new document, as JSON or as a file with fields.
#[derive(Debug)]
enum NewDocument {
    Written(Box<Json<DocumentRequest>>),
    Uploaded(Upload, Box<DocumentForm>),
}

impl<S: Send + Sync> FromRequest<S> for NewDocument {
    type Rejection = Failure;
    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if !wants_multipart(request.headers()) {
            let json = Json::from_request(request, state).await?;
            return Ok(Self::Written(Box::new(json)));
        }
        let (mut form, mut upload) = (DocumentForm::default(), None);
        for part in parts(request).await? {
            let field = match &*part.name {
                "file" => {
                    upload = Some(upload_of(part));
                    continue;
                }
                "title" => &mut form.title,
                "document_type" => &mut form.document_type,
                "is_global" => &mut form.is_global,
                "description" => &mut form.description,
                "tags" => &mut form.tags,
                "targeting_rules" => &mut form.targeting_rules,
                _ => continue,
            };
            *field = Some(part.text()?);
        }
        let upload = upload.ok_or_else(|| {
            calseta_engine::Problem::field("file", "send the document's file in this field")
        })?;
        Ok(Self::Uploaded(upload, Box::new(form)))
    }
}

fn upload_of(part: Part) -> Upload {
    Upload {
        file_name: part.file_name,
        content_type: part.content_type,
        bytes: part.bytes.to_vec(),
    }
}

impl Argument for NewDocument {
    fn describe(facts: &mut Facts, schemas: &mut Schemas) {
        Json::<DocumentRequest>::describe(facts, schemas);
        let text = |text: &str| json!({"type": "string", "description": text});
        let schema = schemas.named("DocumentUpload".to_owned(), |_| {
            json!({
                "type": "object",
                "description": "A file with what is said about it.",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "Markdown, text, HTML, PDF or DOCX, at most 10 MB."},
                    "title": text("The file's name without its ending when absent."),
                    "document_type": {"type": "string", "enum": TYPES.iter().map(|(word, _)| *word).collect::<Vec<_>>(), "description": "`other` when absent."},
                    "is_global": {"type": "string", "enum": ["true", "false"], "description": "Whether it applies to every alert."},
                    "description": text("One line about it."),
                    "tags": text("A JSON list of texts, or texts with commas between them."),
                    "targeting_rules": text("`{match_any, match_all}` as JSON."),
                },
            })
        });
        if let Some(body) = &mut facts.body {
            body.content.push(("multipart/form-data", schema));
        }
    }
}

async fn create(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    body: NewDocument,
) -> Answer<Created<DocumentView>> {
    match body {
        NewDocument::Written(json) => {
            let document = app.engine.create_document(&caller.0, json.value).await?;
            Ok(Created::noting(document, &json.ignored))
        }
        NewDocument::Uploaded(upload, form) => {
            let document = app.engine.upload_document(&caller.0, upload, *form).await?;
            Ok(Created::new(document))
        }
    }
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

async fn versions(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<DocumentId>,
    query: Query<Paged>,
) -> Answer<Page<DocumentVersionView>> {
    let number = query.page()?;
    let listed = app.engine.document_versions(id, number).await?;
    Ok(Page::numbered(listed, number, &query))
}

async fn version(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    IdVersion(id, version): IdVersion<DocumentId>,
) -> Answer<One<DocumentVersionView>> {
    Ok(One::new(app.engine.document_version(id, version).await?))
}

async fn restore(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    IdVersion(id, version): IdVersion<DocumentId>,
) -> Answer<One<DocumentView>> {
    Ok(One::new(
        app.engine.restore_document(&caller.0, id, version).await?,
    ))
}
