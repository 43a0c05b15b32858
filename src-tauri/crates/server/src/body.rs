//! Bodies: bounded while they stream, JSON only, checked for depth before they are parsed.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use calseta_domain::{ErrorCode, FieldError, JsonRefusal, json};
use calseta_engine::{Problem, RequestKey};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::answer::Failure;

/// The largest body of an ingest route.
pub(crate) const MAX_INGEST_BYTES: usize = 5 * 1024 * 1024;
/// The largest body of any other route.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// How long a body may take to arrive: slow clients must not hold a connection.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A whole body with its headers.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    path: String,
}

/// The same with the limit of ingest.
#[derive(Debug)]
pub(crate) struct IngestPayload(pub(crate) Payload);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Failure;
    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        read(request, MAX_BODY_BYTES).await.map_err(Failure)
    }
}

impl<S: Send + Sync> FromRequest<S> for IngestPayload {
    type Rejection = Failure;
    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        Ok(Self(read(request, MAX_INGEST_BYTES).await?))
    }
}

fn too_large(max: usize) -> Problem {
    let megabytes = max / (1024 * 1024);
    Problem::new(
        ErrorCode::PayloadTooLarge,
        format!("the body is larger than {megabytes} MB"),
    )
    .with("max_bytes", max)
}

fn unsupported(message: &str) -> Problem {
    Problem::new(ErrorCode::UnsupportedMediaType, message)
}

async fn read(request: Request, max: usize) -> Result<Payload, Problem> {
    let (parts, body) = request.into_parts();
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        return Err(unsupported("send the body without Content-Encoding"));
    }
    let declared = parts.headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > max) {
        return Err(too_large(max));
    }
    let bytes = tokio::time::timeout(BODY_TIMEOUT, collect(body, max))
        .await
        .map_err(|_| {
            Problem::new(
                ErrorCode::InvalidJson,
                "the body did not arrive within 10 s; send it at once",
            )
        })??;
    if !bytes.is_empty() && !parts.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(unsupported(
            "send JSON, with Content-Type: application/json",
        ));
    }
    Ok(Payload {
        headers: parts.headers,
        bytes,
        path: parts.uri.path().to_owned(),
    })
}

async fn collect(mut body: Body, max: usize) -> Result<Bytes, Problem> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::new(ErrorCode::InvalidJson, "the body broke off; send it again")
        })?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        if all.len() + chunk.len() > max {
            return Err(too_large(max));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

fn is_json(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else {
        return false;
    };
    let kind = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

impl Payload {
    /// The body as a request; the fields that it does not know are named.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<(T, Vec<String>), Problem> {
        let text = json::text(&self.bytes).map_err(|refusal| refused(&refusal))?;
        if text.trim().is_empty() {
            return Err(Problem::new(
                ErrorCode::InvalidJson,
                "the body is empty; send a JSON object",
            ));
        }
        let mut ignored = Vec::new();
        let mut track = serde_path_to_error::Track::new();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
        let parsed = serde_ignored::deserialize(tracked, |path| ignored.push(path.to_string()));
        let value =
            parsed.map_err(|error: serde_json::Error| not_a_request(&error, &track.path()))?;
        deserializer
            .end()
            .map_err(|error| refused(&json::from_serde(&error)))?;
        Ok((value, ignored))
    }

    /// The same for a body that may be absent.
    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.bytes.is_empty() {
            Ok(T::default())
        } else {
            self.json().map(|(value, _)| value)
        }
    }

    /// The `Idempotency-Key`, bound to this route and body.
    pub(crate) fn request_key(&self) -> Result<Option<RequestKey>, Problem> {
        let Some(value) = self.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let key = value
            .to_str()
            .map_err(|_| Problem::field("Idempotency-Key", "must be visible ASCII characters"))?;
        RequestKey::new(key, &self.path, &self.bytes).map(Some)
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    }
}

fn refused(refusal: &JsonRefusal) -> Problem {
    let code = match refusal {
        JsonRefusal::Syntax { .. } => ErrorCode::InvalidJson,
        JsonRefusal::TooDeep { .. } => ErrorCode::PayloadTooDeep,
        JsonRefusal::Nul | JsonRefusal::NotAnObject => ErrorCode::InvalidPayload,
    };
    Problem::new(code, refusal.to_string())
}

fn not_a_request(error: &serde_json::Error, path: &serde_path_to_error::Path) -> Problem {
    match json::from_serde(error) {
        refusal @ JsonRefusal::Syntax { .. } if !error.is_data() => refused(&refusal),
        JsonRefusal::Syntax { message, .. } => {
            let path = path.to_string();
            let path = if path == "." { "body".to_owned() } else { path };
            Problem::fields(&[FieldError::new(path, message)])
        }
        other => refused(&other),
    }
}
