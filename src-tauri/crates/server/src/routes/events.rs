//! `GET /v1/events`: a long poll, or server-sent events for whoever asks for them.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use calseta_contract::event::EventBatch;
use calseta_engine::{Engine, EventRange, Principal};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::answer::{Answer, data};
use crate::caller::{AnyKey, App, Caller};
use crate::page::QueryPairs;

/// The longest poll, in seconds.
const MAX_WAIT_SECS: u64 = 25;
/// An idle stream sends a comment this often, so that a dead peer is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/events", get(events))
}

async fn events(
    State(app): State<App>,
    caller: Caller<AnyKey>,
    headers: HeaderMap,
    query: QueryPairs,
) -> Answer {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|value| value.contains("text/event-stream")) {
        let last = headers
            .get("last-event-id")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let after = match last {
            Some(seq) => Some(seq),
            None => query.parsed("after", "a sequence number")?,
        };
        return stream_from(app.engine, caller.0, after).await;
    }
    let range = EventRange {
        after: query.parsed("after", "a sequence number")?,
        wait: Duration::from_secs(query.number("wait_seconds", 0, 0, MAX_WAIT_SECS)?),
    };
    data(StatusCode::OK, app.engine.events(&caller.0, range).await?)
}

async fn stream_from(engine: Engine, caller: Principal, after: Option<i64>) -> Answer {
    let start = match after {
        Some(seq) => seq,
        None => {
            engine
                .events(
                    &caller,
                    EventRange {
                        after: None,
                        wait: KEEP_ALIVE,
                    },
                )
                .await?
                .next_after
        }
    };
    let chunks = stream::unfold(
        (engine, caller, Some(start)),
        |(engine, caller, after)| async move {
            let after = after?;
            let stopping = engine.stopping();
            if stopping.is_cancelled() {
                return None;
            }
            let range = EventRange {
                after: Some(after),
                wait: KEEP_ALIVE,
            };
            let batch = engine.events(&caller, range).await.ok()?;
            let next = batch.next_after;
            Some((
                Ok::<_, std::convert::Infallible>(text(&batch)),
                (engine, caller, Some(next)),
            ))
        },
    );
    let mut response = Response::new(Body::from_stream(chunks));
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
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
