//! Bodies: bounded while they stream, JSON only, checked for depth before they are parsed.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use calseta_domain::{ErrorCode, FieldError, JsonRefusal, json as syntax};
use calseta_engine::{MAX_FILE_BYTES, Problem, RequestKey};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::json;
use utoipa::ToSchema;

use crate::answer::Failure;
use crate::operation::{Argument, BodyFacts, Facts, Schemas};

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

impl<S: Send + Sync> FromRequest<S> for IngestPayload {
    type Rejection = Failure;
    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        Ok(Self(read(request, MAX_INGEST_BYTES).await?))
    }
}

/// A JSON body of a type, with the names that the type does not know.
#[derive(Debug)]
pub(crate) struct Json<T, const MAX: usize = MAX_BODY_BYTES> {
    pub(crate) value: T,
    pub(crate) ignored: Vec<String>,
    /// The body and headers it came with.
    pub(crate) payload: Payload,
}

impl<S: Send + Sync, T: DeserializeOwned, const MAX: usize> FromRequest<S> for Json<T, MAX> {
    type Rejection = Failure;
    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let payload = read(request, MAX).await?;
        let (value, ignored) = payload.json()?;
        Ok(Self {
            value,
            ignored,
            payload,
        })
    }
}

/// The same where the body may be absent.
#[derive(Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Failure;
    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let payload = read(request, MAX_BODY_BYTES).await?;
        if payload.bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        Ok(Self(payload.json()?.0))
    }
}

#[cfg(test)]
fn reads<T: DeserializeOwned>(text: &str) -> Result<(), String> {
    let parsed: Result<T, _> = serde_json::from_str(text);
    parsed.map(drop).map_err(|error| error.to_string())
}

fn json_facts<T: DeserializeOwned + ToSchema>(
    schemas: &mut Schemas,
    is_required: bool,
) -> BodyFacts {
    BodyFacts {
        content: vec![("application/json", schemas.of::<T>())],
        is_required,
        #[cfg(test)]
        reads: reads::<T>,
    }
}

impl<T: DeserializeOwned + ToSchema, const MAX: usize> Argument for Json<T, MAX> {
    fn describe(facts: &mut Facts, schemas: &mut Schemas) {
        facts.body = Some(json_facts::<T>(schemas, true));
    }
}

impl<T: DeserializeOwned + ToSchema> Argument for OptionalJson<T> {
    fn describe(facts: &mut Facts, schemas: &mut Schemas) {
        facts.body = Some(json_facts::<T>(schemas, false));
    }
}

/// Any object: its source says what it must hold.
impl Argument for IngestPayload {
    fn describe(facts: &mut Facts, schemas: &mut Schemas) {
        let schema = schemas.named("SourcePayload".to_owned(), |_| {
            json!({
                "type": "object",
                "description": "What the source sends. Each source has its own form; see `docs/sources.md`.",
                "additionalProperties": true,
            })
        });
        facts.body = Some(BodyFacts {
            content: vec![("application/json", schema)],
            is_required: true,
            #[cfg(test)]
            reads: reads::<serde_json::Map<String, serde_json::Value>>,
        });
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

/// The largest form with a file: the file and some room for its fields.
const MAX_FORM_BYTES: usize = MAX_FILE_BYTES + 256 * 1024;
/// Fields of a form at the most.
const MAX_PARTS: usize = 32;

/// One field of a form.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Bytes,
}

impl Part {
    /// Its value as text.
    pub(crate) fn text(self) -> Result<String, Problem> {
        String::from_utf8(self.bytes.to_vec())
            .map_err(|_| Problem::field(&self.name, "must be UTF-8 text"))
    }
}

/// Whether a body is a form with fields.
pub(crate) fn wants_multipart(headers: &HeaderMap) -> bool {
    boundary(headers).is_some()
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(kind).ok()
}

/// The fields of a form, whose body was counted while it streamed.
pub(crate) async fn parts(request: Request) -> Result<Vec<Part>, Problem> {
    let broken = |error: &multer::Error| {
        Problem::field("body", format!("is no form that can be read: {error}"))
    };
    let boundary = boundary(request.headers())
        .ok_or_else(|| unsupported("send multipart/form-data with a boundary"))?;
    let (_, bytes) = bounded(request, MAX_FORM_BYTES).await?;
    let whole = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
    let mut form = multer::Multipart::new(whole, boundary);
    let mut found = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        if found.len() == MAX_PARTS {
            return Err(Problem::field(
                "body",
                format!("has more than {MAX_PARTS} fields"),
            ));
        }
        let part = Part {
            name: field.name().unwrap_or_default().to_owned(),
            file_name: field.file_name().map(str::to_owned),
            content_type: field.content_type().map(ToString::to_string),
            bytes: Bytes::new(),
        };
        let bytes = field.bytes().await.map_err(|error| broken(&error))?;
        found.push(Part { bytes, ..part });
    }
    Ok(found)
}

async fn read(request: Request, max: usize) -> Result<Payload, Problem> {
    let (parts, bytes) = bounded(request, max).await?;
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

/// A whole body of at most so many bytes, counted while it streams.
async fn bounded(request: Request, max: usize) -> Result<(Parts, Bytes), Problem> {
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
    Ok((parts, bytes))
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
        let text = syntax::text(&self.bytes).map_err(|refusal| refused(&refusal))?;
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
            .map_err(|error| refused(&syntax::from_serde(&error)))?;
        // A derived reader takes a list for an object, by the order of its fields.
        if text.trim_start().starts_with('[') {
            return Err(refused(&JsonRefusal::NotAnObject));
        }
        Ok((value, ignored))
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
    match syntax::from_serde(error) {
        refusal @ JsonRefusal::Syntax { .. } if !error.is_data() => refused(&refusal),
        JsonRefusal::Syntax { message, .. } => {
            let path = path.to_string();
            let path = if path == "." { "body".to_owned() } else { path };
            Problem::fields(&[FieldError::new(path, message)])
        }
        other => refused(&other),
    }
}
