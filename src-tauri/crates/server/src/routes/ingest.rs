//! `POST /v1/ingest/{source}` and `POST /v1/alerts`.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use calseta_contract::ingest::{IngestRequest, IngestView};
use calseta_domain::ErrorCode;
use calseta_engine::Problem;
use http::request::Parts;
use serde_json::{Map, json};

use crate::answer::Answer;
use crate::body::{IngestPayload, Json, MAX_INGEST_BYTES};
use crate::caller::{App, Asked, Caller, Ingest};
use crate::operation::{
    Argument, Facts, IDEMPOTENCY_KEY, Noun, Operation, Parameter, Schemas, about, post,
};
use crate::reply::Accepted;

/// The largest `payload` of `POST /v1/alerts`.
const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;
/// What a sender may say in headers.
const HEADERS: &[Parameter] = &[IDEMPOTENCY_KEY];

const ALERT: &str = r#"{"title":"Impossible travel","severity":"High","src_ip":"203.0.113.7"}"#;
const WRAPPED: &str =
    r#"{"source_name":"generic","payload":{"title":"Impossible travel","severity":"High"}}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Ingest,
        [
            post("/v1/ingest/{source}", "ingest_alert", ingest)
                .says("Send an alert", "In the form of its source. An alert that repeats one which is still open is counted there (`deduplicated`). A bundle of several is answered with the first; all of them are in `meta.alerts`.")
                .example(ALERT)
                .headers(HEADERS)
                .fails(&[ErrorCode::SourceNotAllowed, ErrorCode::IngestPaused, ErrorCode::UnknownSource, ErrorCode::InvalidSignature, ErrorCode::InvalidPayload, ErrorCode::PayloadTooDeep, ErrorCode::IdempotencyConflict]),
            post("/v1/alerts", "create_alert", create)
                .says("Send an alert, naming its source", "The same pipeline as `POST /v1/ingest/{source}`, with the source in the body.")
                .example(WRAPPED)
                .headers(HEADERS)
                .fails(&[ErrorCode::SourceNotAllowed, ErrorCode::IngestPaused, ErrorCode::InvalidPayload, ErrorCode::PayloadTooDeep, ErrorCode::IdempotencyConflict]),
        ],
    )
}

/// The source in the path. A name that is no UTF-8 is a source that nobody has.
#[derive(Debug)]
struct SourceName(String);

impl FromRequestParts<App> for SourceName {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let path: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, app).await;
        Ok(Self(path.map_or_else(|_| String::new(), |Path(name)| name)))
    }
}

impl Argument for SourceName {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}

async fn ingest(
    State(app): State<App>,
    caller: Caller<Ingest>,
    SourceName(source): SourceName,
    asked: Asked,
    IngestPayload(body): IngestPayload,
) -> Answer<Accepted<IngestView>> {
    let key = body.request_key()?;
    let (engine, by, headers) = (&app.engine, &caller.0, &body.headers);
    let taken = engine
        .ingest_signed(by, &source, &body.bytes, key, headers)
        .await;
    accepted(taken.inspect_err(|problem| {
        if problem.code == ErrorCode::InvalidSignature {
            let prefix = by.api_key().map(|key| key.prefix.clone());
            asked.refused(&app, "invalid_signature", prefix);
        }
    })?)
}

/// `POST /v1/alerts`: the same pipeline, the source named in the body.
async fn create(
    State(app): State<App>,
    caller: Caller<Ingest>,
    body: Json<IngestRequest, MAX_INGEST_BYTES>,
) -> Answer<Accepted<IngestView>> {
    let key = body.payload.request_key()?;
    let request = body.value;
    let payload = request.payload.get();
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(Problem::new(ErrorCode::PayloadTooLarge, "payload is larger than 1 MB").into());
    }
    if !payload.trim_start().starts_with('{') {
        return Err(Problem::field("payload", "must be an object").into());
    }
    let (name, bytes) = (&request.source_name, payload.as_bytes());
    let taken = app.engine.ingest(&caller.0, name, bytes, key).await;
    let taken = taken.map_err(|problem| match problem.code {
        ErrorCode::UnknownSource => {
            let known = problem
                .details
                .get("known_sources")
                .cloned()
                .unwrap_or_default();
            let known: Vec<String> = serde_json::from_value(known).unwrap_or_default();
            Problem::unknown_source_in_body(&request.source_name, &known)
        }
        _ => problem,
    })?;
    accepted(taken)
}

fn accepted((views, is_replay): (Vec<IngestView>, bool)) -> Answer<Accepted<IngestView>> {
    let mut meta = Map::new();
    if views.len() > 1 {
        // A vendor's bundle: the first is `data`, all of them are named.
        meta.insert("alerts".to_owned(), json!(views));
    }
    let first: Option<IngestView> = views.into_iter().next();
    let first =
        first.ok_or_else(|| Problem::new(ErrorCode::InvalidPayload, "no alert in the body"))?;
    Ok(Accepted::with_meta(first, meta).replayed(is_replay))
}
