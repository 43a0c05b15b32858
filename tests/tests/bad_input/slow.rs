//! Clients that send slowly or not at all are closed, and nobody else notices them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use calseta_tests::backend::background;
use calseta_tests::{goals, raw};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::World;

/// Between two bytes of a client that drips.
const DRIP: Duration = Duration::from_millis(500);
/// How long connections are watched: the longest limit is 10 s, the rest is for a busy machine.
const WATCHED: Duration = Duration::from_secs(18);
/// A request's head must be there after 5 s.
const HEAD_LIMIT: Duration = Duration::from_secs(9);
/// Stalled connections beside a healthy client.
const STALLED: usize = 200;
/// What a healthy client may wait on a busy machine.
const HEALTHY: Duration = Duration::from_secs(3);

/// A client that never finishes.
#[derive(Debug, Clone)]
struct Sloth {
    name: &'static str,
    first: String,
    drips: bool,
    /// Whether it stalls in the head, which has the shorter limit.
    in_head: bool,
}

fn sloths(to: SocketAddr, key: &str) -> Vec<Sloth> {
    let head = format!("POST /v1/ingest/generic HTTP/1.1\r\nHost: {to}\r\n");
    let body = format!(
        "{head}Authorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{"
    );
    let sloth = |name, first: &str, drips, in_head| Sloth {
        name,
        first: first.to_owned(),
        drips,
        in_head,
    };
    let health = format!("GET /health HTTP/1.1\r\nHost: {to}\r\n\r\n");
    vec![
        sloth("drips its head", &format!("{head}X-A: "), true, true),
        sloth("never ends its head", &head, false, true),
        sloth("never sends anything", "", false, true),
        sloth("is idle after an answer", &health, false, true),
        sloth("drips its body", &body, true, false),
        sloth("never ends its body", &body, false, false),
    ]
}

/// How long until the server closed the connection; `None` when it was still open at the end.
async fn closed_after(to: SocketAddr, sloth: &Sloth) -> Result<Option<Duration>> {
    let started = Instant::now();
    let stream = TcpStream::connect(to).await?;
    let (mut from, mut into) = stream.into_split();
    into.write_all(sloth.first.as_bytes()).await?;
    let drips = sloth.drips;
    let dripping = async move {
        let mut clock = tokio::time::interval(DRIP);
        loop {
            clock.tick().await;
            if drips && into.write_all(b" ").await.is_err() {
                // The server has gone; reading says when.
                std::future::pending::<()>().await;
            }
        }
    };
    let reading = async {
        let mut chunk = [0; 4096];
        while matches!(from.read(&mut chunk).await, Ok(n) if n > 0) {}
        started.elapsed()
    };
    let watched = tokio::time::timeout(WATCHED, async {
        tokio::select! {
            elapsed = reading => elapsed,
            never = dripping => never,
        }
    });
    Ok(watched.await.ok())
}

async fn watch(to: SocketAddr, key: &str) -> Result<Vec<(Sloth, Option<Duration>)>> {
    let mut running = tokio::task::JoinSet::new();
    for sloth in sloths(to, key) {
        running.spawn(async move {
            let closed = closed_after(to, &sloth).await;
            closed.map(|closed| (sloth, closed))
        });
    }
    let mut seen = Vec::new();
    while let Some(done) = running.join_next().await {
        seen.push(done??);
    }
    Ok(seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_closed() -> Result<()> {
    let world = World::start().await?;
    let seen = watch(world.backend.address(), world.backend.admin()).await?;
    ensure!(seen.len() == 6, "{} clients were watched", seen.len());
    let slowest = |in_head: bool| {
        let of_kind = seen.iter().filter(|(sloth, _)| sloth.in_head == in_head);
        of_kind
            .filter_map(|(_, closed)| *closed)
            .max()
            .unwrap_or_default()
    };
    let (head, body) = (slowest(true), slowest(false));
    goals::shown(
        "S5",
        "6 kinds of slow clients",
        format!(
            "closed after ≤ {:.1} s in the head, ≤ {:.1} s in the body",
            head.as_secs_f64(),
            body.as_secs_f64()
        ),
        "6 s, 11 s",
    );
    for (sloth, closed) in seen {
        let closed = closed.with_context(|| format!("a client that {} stays open", sloth.name))?;
        println!("a client that {} was closed after {closed:?}", sloth.name);
        let limit = if sloth.in_head { HEAD_LIMIT } else { WATCHED };
        ensure!(
            closed < limit,
            "a client that {} held on for {closed:?}",
            sloth.name
        );
    }
    world.is_unharmed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_timeouts_would_be_noticed() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let to = listener.local_addr()?;
    let plain = Router::new().route("/v1/ingest/generic", post(|_: Bytes| async { "{}" }));
    background(async move { drop(axum::serve(listener, plain).await) });
    let seen = watch(to, "cai_none").await?;
    let open = seen.iter().filter(|(_, closed)| closed.is_none()).count();
    ensure!(open >= 1, "the plain server closed everything: {seen:?}");
    let of = seen.len();
    goals::control(
        "S5",
        format!("a server without timeouts left {open} of {of} open"),
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_connections_do_not_keep_others_out() -> Result<()> {
    let world = World::start().await?;
    let (to, key) = (world.backend.address(), world.backend.admin());
    let kinds = sloths(to, key);
    let mut stalled = Vec::new();
    for n in 0..STALLED {
        let mut stream = TcpStream::connect(to).await?;
        stream
            .write_all(kinds[n % kinds.len()].first.as_bytes())
            .await?;
        stalled.push(stream);
    }
    let list = raw::request("GET", "/v1/alerts", &raw::usual(to, key), &[]);
    let mut worst = Duration::ZERO;
    for _ in 0..50 {
        let started = Instant::now();
        let answer = raw::send(to, &list).await?;
        ensure!(
            answer.status == 200,
            "a healthy client was answered {}",
            answer.status
        );
        worst = worst.max(started.elapsed());
    }
    goals::shown(
        "S5",
        format!("50 requests beside {} stalled connections", stalled.len()),
        format!("slowest answer {} ms", worst.as_millis()),
        "p99 < 50 ms",
    );
    ensure!(worst < HEALTHY, "a healthy client waited {worst:?}");
    drop(stalled);
    world.is_unharmed().await
}
