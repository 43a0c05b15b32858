//! Sockets: both loopback addresses or neither, and connections that cannot be held open by
//! sending slowly.
//!
//! hyper's connection is driven here because the ready-made server sets no header timeout.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::MapRequest;

use crate::caller::Peer;

/// A request's head must be complete within this time; an idle connection ends after it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Headers a request.
const MAX_HEADERS: usize = 64;
/// Bytes of a request's head.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Connections at once; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 512;
/// The wait after the system refuses to accept, for example for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long open requests may take once the process stops.
const GRACE: Duration = Duration::from_secs(10);
/// Tries to find a port that is free on both addresses.
const PORT_TRIES: u32 = 20;

/// Binds 127.0.0.1 and `::1` at one port. A machine without IPv6 has only the first; a port that
/// somebody else holds on either is an error, because a squatter on one of them would be handed
/// keys by clients of `localhost`.
pub(crate) async fn bind(port: u16) -> std::io::Result<Vec<TcpListener>> {
    let mut last = None;
    for _ in 0..if port == 0 { PORT_TRIES } else { 1 } {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = SocketAddr::from((Ipv6Addr::LOCALHOST, v4.local_addr()?.port()));
        match TcpListener::bind(address).await {
            Ok(v6) => return Ok(vec![v4, v6]),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => last = Some(error),
            Err(_) => return Ok(vec![v4]),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrInUse)))
}

/// Serves until told to stop, then lets open requests end.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    connection((stream, peer), router, stop).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time");
    }
}

async fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    router: Router,
    stop: CancellationToken,
) {
    // Small answers must not wait for the peer's delayed acknowledgement.
    drop(stream.set_nodelay(true));
    let named = move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request
    };
    let service = TowerToHyperService::new(MapRequest::new(router, named));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended early");
    }
}
