//! A recording agent whose answer may take its time, or never come. It outlives the backend.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use calseta_tests::backend::{background, wait_for};
use serde_json::Value;
use tokio::net::TcpListener;

/// The largest delivery it takes.
const MAX_BYTES: usize = 1024 * 1024;

/// A delivery as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) webhook_id: String,
    pub(crate) alert: String,
    pub(crate) body: Vec<u8>,
}

type Answer = Pin<Box<dyn Future<Output = u16> + Send>>;
type Answerer = dyn Fn(usize) -> Answer + Send + Sync;

struct Shared {
    received: Mutex<Vec<Received>>,
    /// When each came, in the same order.
    times: Mutex<Vec<Instant>>,
    answer: Box<Answerer>,
}

/// The agent.
#[derive(Clone)]
pub(crate) struct Agent {
    shared: Arc<Shared>,
    pub(crate) url: String,
}

impl Agent {
    /// On a free port. `answer` is given how many deliveries came before and gives the status.
    pub(crate) async fn start<F, Fut>(answer: F) -> Result<Self>
    where
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = u16> + Send + 'static,
    {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await?, answer)
    }

    /// On a socket that is there already.
    pub(crate) fn start_on<F, Fut>(listener: TcpListener, answer: F) -> Result<Self>
    where
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = u16> + Send + 'static,
    {
        let url = format!("http://{}/webhook", listener.local_addr()?);
        let shared = Arc::new(Shared {
            received: Mutex::new(Vec::new()),
            times: Mutex::new(Vec::new()),
            answer: Box::new(move |n| Box::pin(answer(n))),
        });
        let router = Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&shared));
        background(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { shared, url })
    }

    /// Looks at what came so far, without copying it.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&[Received]) -> T) -> T {
        at(&self
            .shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner))
    }

    /// When each came, in the order of arrival.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.shared
            .times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many came.
    pub(crate) fn count(&self) -> usize {
        self.look(<[Received]>::len)
    }

    /// Waits until this many came; all of them.
    pub(crate) async fn wait(&self, count: usize) -> Result<Vec<Received>> {
        wait_for(&format!("{count} deliveries"), || async {
            Ok((self.count() >= count).then(|| self.look(<[Received]>::to_vec)))
        })
        .await
    }
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> (StatusCode, Body) {
    let (parts, body) = request.into_parts();
    let id = parts.headers.get("webhook-id");
    let webhook_id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    // A request cut off by a kill was not received.
    let Ok(body) = to_bytes(body, MAX_BYTES).await else {
        return (StatusCode::BAD_REQUEST, Body::empty());
    };
    let payload: Value = serde_json::from_slice(&body).unwrap_or_default();
    let received = Received {
        webhook_id: webhook_id.to_owned(),
        alert: payload["alert"]["uuid"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        body: body.to_vec(),
    };
    let before = {
        let mut all = shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.push(received);
        let mut times = shared.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.push(Instant::now());
        all.len() - 1
    };
    let status = (shared.answer)(before).await;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Body::empty())
}
