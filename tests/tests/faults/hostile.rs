//! Agents that hang, drip or never end: an attempt ends within its deadline, and nobody else waits.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use calseta_tests::backend::{background, wait_for};
use calseta_tests::bench::machine;
use calseta_tests::bench::report::percentiles;
use calseta_tests::goals;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::agent::Agent;
use crate::world::{World, ended, text};

/// The deadline of the attempts that must run into it.
const DEADLINE_SECONDS: u32 = 1;
/// Tenfold: the machine may be busy.
const MOST_MS: u64 = 10 * 1000 * DEADLINE_SECONDS as u64;
/// What the endless answer is made of.
const CHUNK: [u8; 16 * 1024] = [b'x'; 16 * 1024];
/// Between two drops.
const DRIP_EVERY: Duration = Duration::from_millis(200);

/// How a hostile agent answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Reads and says nothing.
    Silent,
    /// A whole head, then a body byte by byte.
    DripsBody,
    /// A head that never ends.
    DripsHead,
    /// A body without end, as fast as it is taken.
    Endless,
}

async fn start(manner: Manner) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webhook", listener.local_addr()?);
    background(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // It ends when the backend closes the connection.
            background(async move { drop(converse(stream, manner).await) });
        }
    });
    Ok(url)
}

async fn converse(mut stream: TcpStream, manner: Manner) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    if stream.read(&mut buffer).await? == 0 {
        return Ok(());
    }
    match manner {
        Manner::Silent => while stream.read(&mut buffer).await? > 0 {},
        Manner::DripsBody => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
            stream.write_all(head).await?;
            loop {
                stream.write_all(b".").await?;
                tokio::time::sleep(DRIP_EVERY).await;
            }
        }
        Manner::DripsHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"x-more: 1\r\n").await?;
                tokio::time::sleep(DRIP_EVERY).await;
            }
        }
        Manner::Endless => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n";
            stream.write_all(head).await?;
            loop {
                stream.write_all(&CHUNK).await?;
            }
        }
    }
    Ok(())
}

async fn attempt_at(world: &World, manner: Manner) -> Result<Value> {
    let url = start(manner).await?;
    let uuid = world.agent(&url, DEADLINE_SECONDS).await?;
    world.alert(&format!("for one that is {manner:?}")).await?;
    let what = format!("whose attempt at {manner:?} ended");
    let mut delivery = world.delivery(&uuid, &what, |d| ended(d) >= 1).await?;
    let attempt = delivery["attempts"][0].take();
    let took = attempt["duration_ms"].as_u64().context("a duration")?;
    assert!(took < MOST_MS, "{manner:?} held an attempt for {took} ms");
    Ok(attempt)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_ends_within_its_deadline_whatever_the_peer_does() -> Result<()> {
    let world = World::start().await?;
    for manner in [Manner::Silent, Manner::DripsBody, Manner::DripsHead] {
        let attempt = attempt_at(&world, manner).await?;
        assert_eq!(attempt["outcome"], "timeout", "{manner:?}: {attempt}");
    }
    let before = machine::resident_mib(world.backend.pid()).unwrap_or(f64::NAN);
    let attempt = attempt_at(&world, Manner::Endless).await?;
    let after = machine::resident_mib(world.backend.pid()).unwrap_or(f64::NAN);
    assert_eq!(
        attempt["outcome"], "ok",
        "an answer is cut off, not read to its end: {attempt}"
    );
    let kept = text(&attempt, "response_excerpt")?.len();
    goals::shown(
        "W5",
        "agents that are silent, drip a head or a body, or answer 10 GB",
        format!(
            "each attempt ended; memory grew by {:.1} MiB",
            after - before
        ),
        "timeout + 1 s, < 8 MiB",
    );
    assert!(kept <= 4096, "{kept} bytes of an answer were kept");
    Ok(())
}

/// Alerts sent to everybody.
const ALERTS: usize = 40;
/// Agents that answer at once.
const HEALTHY: usize = 19;

/// From an alert's acceptance to its arrival at each healthy agent, with or without a hanging one.
async fn fairness(with_hanging: bool) -> Result<Vec<Duration>> {
    let world = World::start().await?;
    let hanging = if with_hanging {
        Some(world.agent(&start(Manner::Silent).await?, 300).await?)
    } else {
        None
    };
    let mut agents = Vec::new();
    for _ in 0..HEALTHY {
        let agent = Agent::start(|_| async { 200 }).await?;
        world.agent(&agent.url, 30).await?;
        agents.push(agent);
    }
    let mut sent = HashMap::new();
    for n in 0..ALERTS {
        let before = Instant::now();
        sent.insert(world.alert(&format!("alert {n}")).await?, before);
    }
    wait_for("all alerts at those that answer", || async {
        let all = agents.iter().all(|agent| agent.count() >= ALERTS);
        Ok(all.then_some(()))
    })
    .await?;
    if let Some(hanging) = hanging {
        let held = world.deliveries(&hanging).await?;
        let in_flight = held.iter().filter(|d| d["state"] == "in_flight").count();
        assert!(
            (1..=4).contains(&in_flight),
            "the hanging agent holds its own places and no more: {in_flight}"
        );
        assert!(held.iter().all(|d| d["state"] != "delivered"));
    }
    let mut waits = Vec::new();
    for agent in &agents {
        assert_eq!(agent.count(), ALERTS, "nothing comes twice without a fault");
        let alerts = agent.look(|all| all.iter().map(|one| one.alert.clone()).collect::<Vec<_>>());
        let came = alerts.iter().zip(agent.times());
        waits.extend(came.filter_map(|(alert, at)| Some(at.duration_since(*sent.get(alert)?))));
    }
    Ok(waits)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hanging_agent_delays_nobody_else() -> Result<()> {
    let p99 = |mut waits: Vec<Duration>| percentiles(&mut waits)["p99_ms"].as_f64();
    let alone = p99(fairness(false).await?).context("a figure")?;
    let beside = p99(fairness(true).await?).context("a figure")?;
    goals::shown(
        "W4",
        format!("{ALERTS} alerts to {HEALTHY} healthy agents beside a hanging one"),
        format!("all delivered; p99 {beside:.0} ms, without it {alone:.0} ms"),
        "all; ≤ 1.2 × without it",
    );
    Ok(())
}
