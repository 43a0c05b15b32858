//! Successes, by shape: the type that a route's function returns is also its documentation.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use calseta_contract::{Envelope, ListMeta};
use calseta_engine::{Listed, PageNumber};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::answer::json_response;
use crate::operation::{Content, Reply, ReplyFacts, Schemas};
use crate::page::QueryPairs;

/// What `meta` says of a body's or query's names that were not understood.
fn ignored(name: &str, ignored: &[String]) -> Map<String, Value> {
    let mut meta = Map::new();
    if !ignored.is_empty() {
        meta.insert(name.to_owned(), json!(ignored));
    }
    meta
}

/// `{data, meta}` with one object.
#[derive(Debug)]
pub(crate) struct One<T, const STATUS: u16 = 200> {
    data: T,
    meta: Map<String, Value>,
    is_replay: bool,
}

/// 201.
pub(crate) type Created<T> = One<T, 201>;
/// 202.
pub(crate) type Accepted<T> = One<T, 202>;

impl<T, const STATUS: u16> One<T, STATUS> {
    pub(crate) fn new(data: T) -> Self {
        Self::noting(data, &[])
    }

    /// Names the body's fields that were not understood.
    pub(crate) fn noting(data: T, ignored_fields: &[String]) -> Self {
        Self {
            data,
            meta: ignored("ignored_fields", ignored_fields),
            is_replay: false,
        }
    }

    /// With a given `meta`.
    pub(crate) fn with_meta(data: T, meta: Map<String, Value>) -> Self {
        Self {
            data,
            meta,
            is_replay: false,
        }
    }

    /// Says something that the caller should mend, though the request was done.
    pub(crate) fn warning(mut self, text: Option<&str>) -> Self {
        if let Some(text) = text {
            self.meta.insert("warnings".to_owned(), json!([text]));
        }
        self
    }

    /// Marks an answer that was given before.
    pub(crate) fn replayed(mut self, is_replay: bool) -> Self {
        self.is_replay = is_replay;
        self
    }
}

fn marked(mut response: Response, is_replay: bool) -> Response {
    if is_replay {
        let name = HeaderName::from_static("idempotent-replayed");
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static("true"));
    }
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::OK)
}

impl<T: Serialize, const STATUS: u16> IntoResponse for One<T, STATUS> {
    fn into_response(self) -> Response {
        let (data, meta) = (self.data, self.meta);
        marked(
            json_response(status(STATUS), &Envelope { data, meta }),
            self.is_replay,
        )
    }
}

/// The envelope of something, under a name of its own, so that generated clients have one too.
fn envelope(schemas: &mut Schemas, name: String, data: &Value, meta: &Value) -> Value {
    schemas.named(name, |_| {
        json!({
            "type": "object",
            "required": ["data", "meta"],
            "properties": {"data": data, "meta": meta},
        })
    })
}

/// `meta` where nothing is promised.
fn free_meta(schemas: &mut Schemas) -> Value {
    schemas.named("Meta".to_owned(), |_| {
        json!({
            "type": "object",
            "description": "What is said about the answer; an empty object when there is nothing to say.",
            "properties": {
                "ignored_fields": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Fields of the body that were not understood.",
                },
                "warnings": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "What should be done differently, though this was done.",
                },
            },
            "additionalProperties": true,
        })
    })
}

const fn text_of(status: u16) -> &'static str {
    match status {
        201 => "Made.",
        202 => "Accepted; it will be done.",
        _ => "The answer.",
    }
}

impl<T: Serialize + ToSchema, const STATUS: u16> Reply for One<T, STATUS> {
    fn describe(schemas: &mut Schemas) -> Vec<ReplyFacts> {
        let (data, meta) = (schemas.of::<T>(), free_meta(schemas));
        let name = format!("{}Object", T::name());
        vec![ReplyFacts {
            status: STATUS,
            text: text_of(STATUS),
            content: Content::Json(envelope(schemas, name, &data, &meta)),
        }]
    }
}

/// `{data, meta}` with a `meta` of its own.
#[derive(Debug)]
pub(crate) struct OneWith<T, M, const STATUS: u16 = 200>(pub(crate) T, pub(crate) M);

impl<T: Serialize, M: Serialize, const STATUS: u16> IntoResponse for OneWith<T, M, STATUS> {
    fn into_response(self) -> Response {
        let (data, meta) = (self.0, self.1);
        json_response(status(STATUS), &Envelope { data, meta })
    }
}

impl<T: Serialize + ToSchema, M: Serialize + ToSchema, const STATUS: u16> Reply
    for OneWith<T, M, STATUS>
{
    fn describe(schemas: &mut Schemas) -> Vec<ReplyFacts> {
        let (data, meta) = (schemas.of::<T>(), schemas.of::<M>());
        let name = format!("{}With{}", T::name(), M::name());
        vec![ReplyFacts {
            status: STATUS,
            text: text_of(STATUS),
            content: Content::Json(envelope(schemas, name, &data, &meta)),
        }]
    }
}

/// A list that is not paged.
#[derive(Debug)]
pub(crate) struct Rows<T, const STATUS: u16 = 200>(pub(crate) Vec<T>);

impl<T: Serialize, const STATUS: u16> IntoResponse for Rows<T, STATUS> {
    fn into_response(self) -> Response {
        json_response(status(STATUS), &Envelope::new(self.0))
    }
}

impl<T: Serialize + ToSchema, const STATUS: u16> Reply for Rows<T, STATUS> {
    fn describe(schemas: &mut Schemas) -> Vec<ReplyFacts> {
        let data = json!({"type": "array", "items": schemas.of::<T>()});
        let meta = free_meta(schemas);
        let name = format!("{}Rows", T::name());
        vec![ReplyFacts {
            status: STATUS,
            text: "All of them.",
            content: Content::Json(envelope(schemas, name, &data, &meta)),
        }]
    }
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    rows: Vec<T>,
    meta: ListMeta,
}

impl<T> Page<T> {
    /// A page that was asked for by number.
    pub(crate) fn numbered(listed: Listed<T>, number: PageNumber, query: &QueryPairs) -> Self {
        Self::new(listed, Some(number.page), number.page_size, query)
    }

    /// A page; `page` is absent when it was asked for by cursor.
    pub(crate) fn new(
        listed: Listed<T>,
        page: Option<u64>,
        page_size: u64,
        query: &QueryPairs,
    ) -> Self {
        let unknown = query.unknown();
        let meta = ListMeta {
            total: listed.total,
            page,
            page_size,
            total_pages: listed.total.map(|total| total.div_ceil(page_size)),
            next_cursor: listed.next_cursor,
            total_is_capped: listed.total_is_capped.then_some(true),
            ignored_parameters: (!unknown.is_empty()).then_some(unknown),
        };
        Self {
            rows: listed.rows,
            meta,
        }
    }

    /// A page of a list that is read whole because it is short.
    pub(crate) fn of_all(all: Vec<T>, number: PageNumber, query: &QueryPairs) -> Self {
        let total = all.len() as u64;
        let skip = usize::try_from(number.offset()).unwrap_or(usize::MAX);
        let take = usize::try_from(number.page_size).unwrap_or(usize::MAX);
        let rows = all.into_iter().skip(skip).take(take).collect();
        Self::numbered(Listed::counted(rows, total), number, query)
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let (data, meta) = (self.rows, self.meta);
        json_response(StatusCode::OK, &Envelope { data, meta })
    }
}

impl<T: Serialize + ToSchema> Reply for Page<T> {
    fn describe(schemas: &mut Schemas) -> Vec<ReplyFacts> {
        let data = json!({"type": "array", "items": schemas.of::<T>()});
        let meta = schemas.of::<ListMeta>();
        let name = format!("{}Page", T::name());
        vec![ReplyFacts {
            status: 200,
            text: "A page of the list.",
            content: Content::Json(envelope(schemas, name, &data, &meta)),
        }]
    }
}

/// 204.
#[derive(Debug)]
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Reply for NoContent {
    fn describe(_: &mut Schemas) -> Vec<ReplyFacts> {
        vec![ReplyFacts {
            status: 204,
            text: "Done; there is nothing to say.",
            content: Content::Empty,
        }]
    }
}

/// Bytes of JSON as they are kept, without an envelope.
#[derive(Debug)]
pub(crate) struct JsonBytes(pub(crate) bytes::Bytes);

impl IntoResponse for JsonBytes {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl Reply for JsonBytes {
    fn describe(_: &mut Schemas) -> Vec<ReplyFacts> {
        vec![ReplyFacts {
            status: 200,
            text: "The JSON as it is kept, byte for byte.",
            content: Content::Json(json!({"type": "object", "additionalProperties": true})),
        }]
    }
}
