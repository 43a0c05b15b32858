//! Delivery under strain: a backlog that an agent takes up when it is back, and one agent that
//! hangs beside others that do not.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::load::{self, Connection};
use super::peer::Peer;
use super::report::{Report, percentiles, percentiles_text, say};
use crate::backend::{Backend, BackendOptions, background};

/// Connections that post the backlog.
const CONNECTIONS: u32 = 16;
/// Agents beside the one that may hang.
const HEALTHY: usize = 19;
/// The wait between two alerts beside a hanging agent: 20 a second, 400 deliveries.
const EVERY: Duration = Duration::from_millis(50);
/// Alerts beside a hanging agent.
const ALERTS: u32 = 200;
/// When deliveries that have not come are given up.
const LOST_AFTER: Duration = Duration::from_mins(20);
/// How often the backlog is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What a count of the backlog is capped at.
const COUNTED_TO: u64 = 10_000;

async fn start(program: &Path, dir: &Path) -> Result<Backend> {
    Backend::start(&BackendOptions {
        program: program.to_owned(),
        ..BackendOptions::new(dir)
    })
    .await
}

/// Alerts for an agent that is away; then it is back.
pub async fn parked(program: &Path, count: u32, report: &mut Report) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let backend = start(program, dir.path()).await?;
    // Its port is known before it listens.
    let place = TcpListener::bind("127.0.0.1:0").await?;
    let address = place.local_addr()?;
    drop(place);
    let url = format!("http://{address}/webhook");
    let (agent, _) = backend.register_agent("Away", &url, &json!({})).await?;
    let until = move |n: u32| n < count;
    let tally = load::run(backend.address(), backend.admin(), (1, CONNECTIONS), until).await?;
    ensure!(tally.refused == 0, "{} alerts were refused", tally.refused);
    say(&format!(
        "{count} alerts accepted for an agent that is away"
    ));
    let path = format!("/v1/agents/{agent}");
    let given_up = Instant::now() + LOST_AFTER;
    loop {
        let backlog = backend.get(&path).await?["backlog"].take();
        let parked = backlog["parked"].as_u64().context("the backlog's count")?;
        if parked >= COUNTED_TO.min(count.into()) {
            break;
        }
        ensure!(
            Instant::now() < given_up,
            "the backlog does not fill: {backlog}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let peer = Peer::start_on(TcpListener::bind(address).await?)?;
    let back = Instant::now();
    let first = peer.wait(1, LOST_AFTER).await;
    let first_after = back.elapsed();
    let came = peer.wait(count as usize, LOST_AFTER).await;
    let drained = peer.newest().map_or(Duration::ZERO, |at| at - back);
    ensure!(first > 0, "nothing came after the agent was back");
    report.line(
        format!("{count} parked, the agent is back"),
        format!(
            "first after {:.1} s, all {came} after {:.1} s",
            first_after.as_secs_f64(),
            drained.as_secs_f64()
        ),
        "≤ 60 s, ≤ 120 s",
    );
    report.put(
        "parked",
        json!({
            "alerts": count, "delivered": came, "first_seconds": first_after.as_secs_f64(),
            "all_seconds": drained.as_secs_f64(),
        }),
    );
    backend.kill().await
}

/// An agent that accepts connections, reads, and never answers.
async fn hanging() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webhook", listener.local_addr()?);
    background(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            background(async move {
                let mut bytes = vec![0; 64 * 1024];
                while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    Ok(url)
}

/// From the POST of an alert to its arrival at each of the healthy agents.
async fn waits(program: &Path, with_hanging: bool) -> Result<Vec<Duration>> {
    let dir = tempfile::tempdir()?;
    let backend = start(program, dir.path()).await?;
    let mut peers = Vec::new();
    if with_hanging {
        backend
            .register_agent("Hanging", &hanging().await?, &json!({}))
            .await?;
    }
    for n in 0..HEALTHY {
        let peer = Peer::start().await?;
        let name = format!("Healthy {n}");
        backend.register_agent(&name, &peer.url, &json!({})).await?;
        peers.push(peer);
    }
    let mut connection = Connection::open(backend.address(), backend.admin()).await?;
    let (mut ticks, mut sent) = (tokio::time::interval(EVERY), Vec::new());
    for n in 0..ALERTS {
        ticks.tick().await;
        sent.push(Instant::now());
        let status = connection.ingest(&load::body(1, n)).await?;
        ensure!(status == 202, "an alert was answered {status}");
    }
    let mut waits = Vec::new();
    for peer in &peers {
        let came = peer.wait(sent.len(), LOST_AFTER).await;
        ensure!(came == sent.len(), "{came} of {} alerts came", sent.len());
        let each = (0..ALERTS).zip(&sent);
        waits.extend(each.filter_map(|(n, sent)| Some(peer.first(1, n)?.duration_since(*sent))));
    }
    backend.kill().await?;
    Ok(waits)
}

/// The healthy agents' p99, alone and beside one that hangs.
pub async fn fairness(program: &Path, report: &mut Report) -> Result<()> {
    let alone = percentiles(&mut waits(program, false).await?);
    let beside = percentiles(&mut waits(program, true).await?);
    report.line(
        format!("{HEALTHY} healthy agents, 20 alerts/s"),
        percentiles_text(&alone),
        "",
    );
    report.line(
        format!("{HEALTHY} healthy agents beside one that hangs"),
        percentiles_text(&beside),
        "p99 ≤ 1.2 × alone",
    );
    report.put(
        "fairness",
        json!({"alone": alone, "beside_hanging": beside}),
    );
    Ok(())
}
