//! `POST /v1/ingest/{source}` and `POST /v1/alerts`.

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::routing::post;
use calseta_contract::ingest::{IngestRequest, IngestView};
use calseta_domain::ErrorCode;
use calseta_engine::{Principal, Problem, RequestKey};
use http::StatusCode;
use serde_json::json;

use crate::answer::{Answer, data_meta, object, replayed};
use crate::body::IngestPayload;
use crate::caller::{App, Caller, Ingest};

/// The largest `payload` of `POST /v1/alerts`.
const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/ingest/{source}", post(ingest))
}

async fn ingest(
    State(app): State<App>,
    caller: Caller<Ingest>,
    source: Result<Path<String>, PathRejection>,
    IngestPayload(body): IngestPayload,
) -> Answer {
    // A name that is no UTF-8 is a source that nobody has.
    let source = source.map_or_else(|_| String::new(), |Path(name)| name);
    let key = body.request_key()?;
    accept(&app, &caller.0, (&source, &body.bytes), key).await
}

/// `POST /v1/alerts`: the same pipeline, the source named in the body.
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller<Ingest>,
    IngestPayload(body): IngestPayload,
) -> Answer {
    let key = body.request_key()?;
    let (request, _): (IngestRequest, _) = body.json()?;
    let payload = request.payload.get();
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(Problem::new(ErrorCode::PayloadTooLarge, "payload is larger than 1 MB").into());
    }
    if !payload.trim_start().starts_with('{') {
        return Err(Problem::field("payload", "must be an object").into());
    }
    let answer = accept(
        &app,
        &caller.0,
        (&request.source_name, payload.as_bytes()),
        key,
    )
    .await;
    answer.map_err(|failure| match failure.0.code {
        ErrorCode::UnknownSource => {
            let known = failure
                .0
                .details
                .get("known_sources")
                .cloned()
                .unwrap_or_default();
            let known: Vec<String> = serde_json::from_value(known).unwrap_or_default();
            Problem::unknown_source_in_body(&request.source_name, &known).into()
        }
        _ => failure,
    })
}

async fn accept(
    app: &App,
    by: &Principal,
    (source, bytes): (&str, &[u8]),
    key: Option<RequestKey>,
) -> Answer {
    let (views, is_replay) = app.engine.ingest(by, source, bytes, key).await?;
    let meta = match views.as_slice() {
        [_] => json!({}),
        // A vendor's bundle: the first is `data`, all of them are named.
        several => object([("alerts", json!(several))]),
    };
    let first: Option<IngestView> = views.into_iter().next();
    let first =
        first.ok_or_else(|| Problem::new(ErrorCode::InvalidPayload, "no alert in the body"))?;
    Ok(replayed(
        data_meta(StatusCode::ACCEPTED, first, meta)?,
        is_replay,
    ))
}
