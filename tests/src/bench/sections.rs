//! What is measured, one function a section.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use super::Extent;
use super::load::{self, Connection};
use super::machine;
use super::peer::Peer;
use super::report::{Report, millis, percentiles, percentiles_text, say};
use crate::backend::{Backend, BackendOptions};

/// Connections of the ingest runs.
const CONNECTIONS: [u32; 3] = [1, 8, 32];
/// Connections of the burst.
const BURST_CONNECTIONS: u32 = 32;
/// The wait between two alerts of the latency run: 50 a second.
const LATENCY_EVERY: Duration = Duration::from_millis(20);
/// When a delivery that has not come is given up.
const LOST_AFTER: Duration = Duration::from_mins(2);
/// Starts that are timed, for the median.
const STARTS: usize = 5;
/// Matches every alert.
const ALL: &str = r"{}";

fn options(program: &Path, data_dir: &Path) -> BackendOptions {
    BackendOptions {
        program: program.to_owned(),
        ..BackendOptions::new(data_dir)
    }
}

/// Durable ingest at several numbers of connections, each on a fresh directory.
pub async fn ingest(program: &Path, extent: Extent, report: &mut Report) -> Result<()> {
    let mut all = Vec::new();
    for connections in CONNECTIONS {
        let dir = tempfile::tempdir()?;
        let backend = Backend::start(&options(program, dir.path())).await?;
        let before = machine::processor_seconds(backend.pid());
        let end = Instant::now() + extent.ingest;
        let mut tally = load::run(
            backend.address(),
            backend.admin(),
            (connections, connections),
            move |_| Instant::now() < end,
        )
        .await?;
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
        let accepted = tally.accepted as f64;
        let rate = accepted / tally.elapsed.as_secs_f64();
        // What an alert costs, matching included, does not depend on who else uses the machine.
        let used = machine::processor_seconds(backend.pid());
        let cost_ms = used
            .zip(before)
            .map(|(after, before)| (after - before) * 1000.0 / accepted);
        let times = percentiles(&mut tally.times);
        report.line(
            format!("durable ingest, {connections} connections"),
            format!(
                "{rate:.0} accepted/s · {} · {:.2} ms processor each",
                percentiles_text(&times),
                cost_ms.unwrap_or(f64::NAN)
            ),
            if connections == 32 { "≥ 5,000/s" } else { "" },
        );
        all.push(json!({
            "connections": connections, "accepted": tally.accepted, "refused": tally.refused,
            "seconds": tally.elapsed.as_secs_f64(), "accepted_per_second": rate, "latency": times,
            "processor_ms_each": cost_ms, "resident_mib": machine::resident_mib(backend.pid()),
        }));
        backend.kill().await?;
    }
    report.put("ingest", json!(all));
    Ok(())
}

async fn with_agent(program: &Path, dir: &Path) -> Result<(Backend, Peer)> {
    let backend = Backend::start(&options(program, dir)).await?;
    let peer = Peer::start().await?;
    let filter = serde_json::from_str(ALL)?;
    backend.register_agent("Bench", &peer.url, &filter).await?;
    Ok((backend, peer))
}

/// From the POST of an alert to its arrival at an agent, at a steady rate.
pub async fn latency(program: &Path, extent: Extent, report: &mut Report) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (backend, peer) = with_agent(program, dir.path()).await?;
    let mut connection = Connection::open(backend.address(), backend.admin()).await?;
    let mut ticks = tokio::time::interval(LATENCY_EVERY);
    let count = u32::try_from(extent.latency_alerts)?;
    let mut sent = Vec::new();
    for n in 0..count {
        ticks.tick().await;
        let body = load::body(1, n);
        sent.push(Instant::now());
        ensure!(
            connection.ingest(&body).await? == 202,
            "an alert was refused"
        );
    }
    let came = peer.wait(extent.latency_alerts, LOST_AFTER).await;
    let mut times: Vec<_> = (0..count)
        .zip(&sent)
        .filter_map(|(n, sent)| Some(peer.first(1, n)?.duration_since(*sent)))
        .collect();
    let values = percentiles(&mut times);
    report.line(
        format!("ingest → agent, {count} alerts, 50/s"),
        percentiles_text(&values),
        "p50 < 20 ms",
    );
    report.put(
        "ingest_to_agent",
        json!({"alerts": count, "delivered": came, "latency": values}),
    );
    backend.kill().await
}

/// A burst, until its last delivery; then memory at rest and start-up on what it left.
pub async fn burst(program: &Path, extent: Extent, report: &mut Report) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let empty = start_times(program, None).await?;
    let (backend, peer) = with_agent(program, dir.path()).await?;
    let fresh_mib = at_rest(&backend, extent).await;
    let count = u32::try_from(extent.burst_alerts)?;
    let started = Instant::now();
    let until = move |n: u32| n < count;
    let runs = (1, BURST_CONNECTIONS);
    let tally = load::run(backend.address(), backend.admin(), runs, until).await?;
    let came = peer.wait(tally.accepted, LOST_AFTER).await;
    let last = peer.newest().map_or(Duration::ZERO, |at| at - started);
    report.line(
        format!("burst of {count} → last delivery"),
        format!(
            "{:.2} s ({came} of {} delivered; accepted in {:.2} s)",
            last.as_secs_f64(),
            tally.accepted,
            tally.elapsed.as_secs_f64()
        ),
        "< 5 s",
    );
    report.put(
        "burst",
        json!({
            "alerts": count, "accepted": tally.accepted, "refused": tally.refused, "delivered": came,
            "accepted_seconds": tally.elapsed.as_secs_f64(),
            "last_delivery_seconds": last.as_secs_f64(),
        }),
    );
    let after_mib = at_rest(&backend, extent).await;
    let text = |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.1} MiB"));
    report.line("memory at rest, fresh", text(fresh_mib), "< 60 MB");
    report.line(
        "memory at rest, after the burst",
        text(after_mib),
        "< 60 MB",
    );
    report.put(
        "memory",
        json!({"fresh_mib": fresh_mib, "after_burst_mib": after_mib}),
    );
    backend.terminate().await?;
    let filled = start_times(program, Some(dir.path())).await?;
    for (what, name, times) in [
        ("start-up, empty directory", "startup_empty", empty),
        ("start-up, the burst's directory", "startup_filled", filled),
    ] {
        report.line(
            what,
            format!("{:.0} ms (median of {STARTS})", millis(times)),
            "",
        );
        report.put(name, json!({"median_ms": millis(times), "starts": STARTS}));
    }
    Ok(())
}

async fn at_rest(backend: &Backend, extent: Extent) -> Option<f64> {
    tokio::time::sleep(extent.rest).await;
    machine::resident_mib(backend.pid())
}

/// The median time from the start of the process to its ready line.
async fn start_times(program: &Path, dir: Option<&Path>) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let fresh = tempfile::tempdir()?;
        let options = options(program, dir.unwrap_or(fresh.path()));
        let started = Instant::now();
        let backend = Backend::start(&options).await?;
        times.push(started.elapsed());
        backend.kill().await?;
    }
    times.sort_unstable();
    Ok(times[STARTS / 2])
}

/// Everything, with the machine around it.
pub async fn all(program: &Path, extent: Extent) -> Result<Report> {
    let mut report = Report::default();
    let before = machine::load_average();
    say(&format!(
        "{} with --no-limits (rate limits off), bodies of {} bytes",
        program.display(),
        load::BODY_BYTES
    ));
    report.put("body_bytes", json!(load::BODY_BYTES));
    report.put("limits", json!("off"));
    ingest(program, extent, &mut report).await?;
    latency(program, extent, &mut report).await?;
    burst(program, extent, &mut report).await?;
    let after = machine::load_average();
    let text = |load: &Option<String>| load.clone().unwrap_or_else(|| "unknown".to_owned());
    report.line(
        "load average (1, 5, 15 min)",
        format!("before {} · after {}", text(&before), text(&after)),
        "",
    );
    let facts = machine::facts();
    report.line(
        "machine",
        format!(
            "{} · {} cores · {} · Linux {}",
            facts["processor"].as_str().unwrap_or("unknown processor"),
            facts["cores"],
            facts["memory"].as_str().unwrap_or("unknown memory"),
            facts["kernel"].as_str().unwrap_or("unknown")
        ),
        "",
    );
    report.put("load_average", json!({"before": before, "after": after}));
    report.put("machine", facts);
    Ok(report)
}
