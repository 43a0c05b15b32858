//! A real HTTP server that records what it is sent: an agent, or a provider's stand-in.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::backend::{background, wait_for};

/// The largest request it records.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// A recorded request.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// GET, POST…
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: Vec<u8>,
}

impl Recorded {
    /// A header's value; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as JSON, keys in order.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a recorded body is JSON")
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// 200 with JSON.
    pub fn json(body: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self {
            status: 200,
            headers,
            body: body.to_string(),
        }
    }
}

type Answerer = dyn Fn(&Recorded) -> Reply + Send + Sync;

struct Shared {
    seen: Mutex<Vec<Recorded>>,
    answer: Box<Answerer>,
}

/// The server. It runs until the test's runtime ends.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// Answers 200 to everything.
    pub async fn start() -> Result<Self> {
        Self::answering(|_| Reply::status(200)).await
    }

    /// Answers as told.
    pub async fn answering(
        answer: impl Fn(&Recorded) -> Reply + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            seen: Mutex::new(Vec::new()),
            answer: Box::new(answer),
        });
        let router = Router::new()
            .fallback(record)
            .with_state(Arc::clone(&shared));
        background(async move {
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { shared, url })
    }

    /// All requests so far, in the order of arrival.
    pub fn seen(&self) -> Vec<Recorded> {
        self.shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until there are at least this many; all of them.
    pub async fn wait(&self, count: usize) -> Result<Vec<Recorded>> {
        wait_for(&format!("{count} requests at {}", self.url), || async {
            let seen = self.seen();
            Ok((seen.len() >= count).then_some(seen))
        })
        .await
    }
}

async fn record(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BYTES)
        .await
        .map(|bytes| bytes.to_vec())
        .unwrap_or_default();
    let text =
        |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let recorded = Recorded {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body,
    };
    let reply = (shared.answer)(&recorded);
    shared
        .seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(recorded);
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(reply.body))
        .expect("a reply is well formed")
}
