//! `GET /v1/events`: a long poll, or server-sent events for whoever asks for them.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use calseta_contract::Envelope;
use calseta_contract::event::EventBatch;
use calseta_engine::{Engine, EventRange, Principal};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::answer::{Answer, json_response};
use crate::caller::{AnyKey, App, Caller};
use crate::operation::{
    Content, Kind, Noun, Operation, Parameter, Reply, ReplyFacts, Schemas, about, get,
    list_parameters,
};
use crate::page::Query;

/// The longest poll, in seconds.
const MAX_WAIT_SECS: u64 = 25;
/// An idle stream sends a comment this often, so that a dead peer is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The last sequence number that can be named.
pub(super) const MAX_SEQ: u64 = i64::MAX as u64;

list_parameters! {
    /// `GET /v1/events`.
    Events => [&[
        Parameter::new("after", Kind::Number { default: None, min: 0, max: MAX_SEQ }, "Events after this sequence number. Without it the answer only says where the log ends."),
        Parameter::new("wait_seconds", Kind::Number { default: Some(0), min: 0, max: MAX_WAIT_SECS }, "How long to wait for the first event."),
    ]];
}

const HEADERS: &[Parameter] = &[Parameter::new(
    "Last-Event-ID",
    Kind::Text,
    "Of an event stream: the last `id` that was seen; wins over `after`.",
)];

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Events,
        [get("/v1/events", "list_events", events)
            .says("Follow the event log", "A long poll; with `Accept: text/event-stream` a stream of server-sent events (`id` is the sequence number, `event` the type, `data` an event as JSON). A key sees the types that its scopes may read. When `after` is older than what is kept the answer has `reset: true` (a stream sends `event: reset`): read the lists again.")
            .headers(HEADERS)],
    )
}

/// A batch, or the stream of them.
#[derive(Debug)]
enum Followed {
    Batch(EventBatch),
    Stream(Response),
}

impl IntoResponse for Followed {
    fn into_response(self) -> Response {
        match self {
            Self::Batch(batch) => json_response(StatusCode::OK, &Envelope::new(batch)),
            Self::Stream(response) => response,
        }
    }
}

impl Reply for Followed {
    fn describe(schemas: &mut Schemas) -> Vec<ReplyFacts> {
        let batch = schemas.of::<EventBatch>();
        let schema = schemas.named("EventBatchObject".to_owned(), |_| {
            json!({
                "type": "object",
                "required": ["data", "meta"],
                "properties": {"data": batch, "meta": {"type": "object"}},
            })
        });
        vec![ReplyFacts {
            status: 200,
            text: "Events, oldest first.",
            content: Content::JsonOrStream(schema),
        }]
    }
}

async fn events(
    State(app): State<App>,
    caller: Caller<AnyKey>,
    headers: HeaderMap,
    query: Query<Events>,
) -> Answer<Followed> {
    let after = query.optional_number("after", 0, MAX_SEQ)?;
    let after = after.map(|seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let wait = Duration::from_secs(query.number("wait_seconds", 0, 0, MAX_WAIT_SECS)?);
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|value| value.contains("text/event-stream")) {
        let last = headers
            .get("last-event-id")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .map(|bearer| bearer.trim().to_owned());
        let reader = Reader {
            engine: app.engine,
            caller: caller.0,
            bearer,
        };
        return stream_from(reader, last.or(after)).await;
    }
    let range = EventRange { after, wait };
    Ok(Followed::Batch(app.engine.events(&caller.0, range).await?))
}

/// Who reads a stream. A stream may live for days, its key may not.
struct Reader {
    engine: Engine,
    caller: Principal,
    /// What it came with, when that was an API key's.
    bearer: Option<String>,
}

impl Reader {
    /// The next events; `None` ends the stream.
    async fn next(&mut self, after: i64) -> Option<EventBatch> {
        if self.engine.stopping().is_cancelled() {
            return None;
        }
        let range = EventRange {
            after: Some(after),
            wait: KEEP_ALIVE,
        };
        let batch = self.engine.events(&self.caller, range).await.ok()?;
        if let Some(bearer) = self
            .bearer
            .as_ref()
            .filter(|_| self.caller.api_key().is_some())
        {
            // Revoked, expired or of other scopes by now: nothing more goes out under the old ones.
            let caller = self.engine.authenticate(bearer).await.ok()?;
            if caller != self.caller && !same_rights(&caller, &self.caller) {
                return None;
            }
            self.caller = caller;
        }
        Some(batch)
    }
}

/// Whether two readings of a key may read the same.
fn same_rights(now: &Principal, before: &Principal) -> bool {
    let scopes = |caller: &Principal| caller.api_key().map(|key| key.scopes.clone());
    scopes(now) == scopes(before)
}

async fn stream_from(mut reader: Reader, after: Option<i64>) -> Answer<Followed> {
    let start = if let Some(seq) = after {
        seq
    } else {
        let end = EventRange {
            after: None,
            wait: KEEP_ALIVE,
        };
        reader.engine.events(&reader.caller, end).await?.next_after
    };
    reader.bearer = reader.bearer.filter(|_| reader.caller.api_key().is_some());
    let chunks = stream::unfold((reader, start), |(mut reader, after)| async move {
        let batch = reader.next(after).await?;
        let next = batch.next_after;
        Some((
            Ok::<_, std::convert::Infallible>(text(&batch)),
            (reader, next),
        ))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(Followed::Stream(response))
}

fn text(batch: &EventBatch) -> String {
    if batch.reset {
        return format!("id: {}\nevent: reset\ndata: {{}}\n\n", batch.next_after);
    }
    if batch.events.is_empty() {
        return ": keep-alive\n\n".to_owned();
    }
    let one = |event: &calseta_contract::event::EventView| {
        let json = serde_json::to_string(event).unwrap_or_else(|_| "{}".to_owned());
        format!("id: {}\nevent: {}\ndata: {json}\n\n", event.seq, event.kind)
    };
    batch.events.iter().map(one).collect()
}
