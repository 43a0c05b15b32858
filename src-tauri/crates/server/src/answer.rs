//! Answers: the envelopes, the error body, the headers that every answer carries.

#![expect(
    clippy::unnecessary_wraps,
    reason = "a route ends in one of these, beside calls that fail"
)]

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use calseta_contract::{Envelope, ErrorBody, ErrorObject, ListMeta};
use calseta_engine::{Listed, Problem};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A problem on its way to the client.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = self.0;
        let status =
            StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = ErrorBody {
            error: ErrorObject {
                code: problem.code.as_str().to_owned(),
                message: problem.message,
                details: problem.details,
            },
        };
        let mut response = json_response(status, &body);
        if let Some(seconds) = problem.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What a route answers.
pub(crate) type Answer = Result<Response, Failure>;

/// Any JSON with a status.
pub(crate) fn json_response<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let bytes = serde_json::to_vec(body).unwrap_or_else(|error| {
        tracing::error!(error = %error, "an answer could not be written");
        br#"{"error":{"code":"INTERNAL_ERROR","message":"the answer could not be written","details":{}}}"#
            .to_vec()
    });
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// `{data, meta}`.
pub(crate) fn data<T: Serialize>(status: StatusCode, data: T) -> Answer {
    Ok(json_response(status, &Envelope::new(data)))
}

/// `{data, meta}` with the body's fields that were not understood named in `meta`.
pub(crate) fn data_ignoring<T: Serialize>(
    status: StatusCode,
    data: T,
    ignored: &[String],
) -> Answer {
    let mut meta = Map::new();
    if !ignored.is_empty() {
        meta.insert("ignored_fields".to_owned(), json!(ignored));
    }
    Ok(json_response(status, &Envelope { data, meta }))
}

/// `{data, meta}` with a given `meta`.
pub(crate) fn data_meta<T: Serialize, M: Serialize>(
    status: StatusCode,
    data: T,
    meta: M,
) -> Answer {
    Ok(json_response(status, &Envelope::<T, M> { data, meta }))
}

/// A page of a list.
pub(crate) fn page<T: Serialize>(listed: Listed<T>, page: Option<u64>, page_size: u64) -> Answer {
    let meta = ListMeta {
        total: listed.total,
        page,
        page_size,
        total_pages: listed.total.map(|total| total.div_ceil(page_size)),
        next_cursor: listed.next_cursor,
        total_is_capped: listed.total_is_capped.then_some(true),
    };
    data_meta(StatusCode::OK, listed.rows, meta)
}

/// 204.
pub(crate) fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A JSON object, for small answers.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// Marks an answer that was given before.
pub(crate) fn replayed(mut response: Response, is_replay: bool) -> Response {
    if is_replay {
        let name = HeaderName::from_static("idempotent-replayed");
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static("true"));
    }
    response
}

/// The headers of every answer of the API: it is data, never a page.
pub(crate) fn harden(headers: &mut HeaderMap) {
    let all = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "geolocation=(), microphone=(), camera=()",
        ),
    ];
    for (name, value) in all {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
