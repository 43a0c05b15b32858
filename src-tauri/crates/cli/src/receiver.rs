//! A small HTTP receiver for the sample agent: one path, POST only, bounded in size and time.
//!
//! It is driven with hyper alone, because the product's router belongs to the server.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// The largest webhook body that is read.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// A request's head must be complete within this time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// A request's body must be complete within this time.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The wait after the system refuses to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers `POST path` with `answer` until `until` resolves; open requests may then end.
pub(crate) async fn serve<F, Fut>(
    listener: TcpListener,
    path: &'static str,
    answer: F,
    until: impl Future<Output = ()>,
) where
    F: Fn(HeaderMap, Bytes) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = (StatusCode, String)> + Send + 'static,
{
    let (answer, connections) = (Arc::new(answer), TaskTracker::new());
    tokio::pin!(until);
    loop {
        let accepted = tokio::select! {
            () = &mut until => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, path, Arc::clone(&answer)));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    connections.close();
    // Idle connections end by themselves: the header timeout counts for the next request too.
    drop(tokio::time::timeout(BODY_TIMEOUT, connections.wait()).await);
}

async fn connection<F, Fut>(stream: TcpStream, path: &'static str, answer: Arc<F>)
where
    F: Fn(HeaderMap, Bytes) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = (StatusCode, String)> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = Arc::clone(&answer);
        async move {
            let (status, text) = match read(request, path).await {
                Ok((headers, body)) => answer(headers, body).await,
                Err(refusal) => refusal,
            };
            let mut response = Response::new(Full::new(Bytes::from(text)));
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(error = %error, "a connection ended early");
    }
}

async fn read(
    request: Request<Incoming>,
    path: &str,
) -> Result<(HeaderMap, Bytes), (StatusCode, String)> {
    let refused = |status: StatusCode, text: &str| (status, text.to_owned());
    if request.uri().path() != path {
        return Err(refused(StatusCode::NOT_FOUND, "post to the webhook's path"));
    }
    if request.method() != Method::POST {
        return Err(refused(StatusCode::METHOD_NOT_ALLOWED, "only POST"));
    }
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => Ok((parts.headers, body.to_bytes())),
        Ok(Err(_)) => Err(refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large",
        )),
        Err(_) => Err(refused(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive",
        )),
    }
}
