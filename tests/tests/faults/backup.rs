//! A backup made under load: it holds everything that was accepted before it began, and it can be
//! put back.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, KEY_STORE, calseta_bin};
use calseta_tests::bench::load::{self, Connection};
use calseta_tests::bench::report::percentiles;
use calseta_tests::goals;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::burst::Accepted;
use crate::kept::lost;

/// Connections that post, each as fast as it is answered.
const LANES: u32 = 8;
/// Alerts posted before the load begins, so that the backup is of something.
const BEFORE: u32 = 400;

/// What was accepted, when, and how long each answer took.
type Posted = Vec<(Accepted, Instant, Duration)>;

/// Posts until told to stop.
async fn post(to: SocketAddr, key: String, lane: u32, stop: Arc<AtomicBool>) -> Result<Posted> {
    let mut connection = Connection::open(to, &key).await?;
    let (mut posted, mut n) = (Vec::new(), lane);
    while !stop.load(Ordering::Relaxed) {
        let body = load::body(5, n);
        n += LANES;
        let sent = Instant::now();
        let (status, answer) = connection.ask("POST", "/v1/ingest/generic", &body).await?;
        ensure!(
            status == 202,
            "an alert was answered {status} during the backup"
        );
        let answer: Value = serde_json::from_slice(answer)?;
        let uuid = answer["data"]["alert_uuid"]
            .as_str()
            .context("a uuid")?
            .to_owned();
        let accepted = Accepted {
            uuid,
            is_high: false,
        };
        posted.push((accepted, Instant::now(), sent.elapsed()));
    }
    Ok(posted)
}

fn p99(times: impl Iterator<Item = Duration>) -> f64 {
    let mut times: Vec<_> = times.collect();
    percentiles(&mut times)["p99_ms"]
        .as_f64()
        .unwrap_or(f64::NAN)
}

async fn restore(backup: &Path, into: &Path) -> Result<()> {
    let output = Command::new(calseta_bin())
        .args(["restore", "--data-dir"])
        .arg(into)
        .arg(backup)
        .env(KEY_STORE.0, KEY_STORE.1)
        .stdin(Stdio::null())
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "restore: {}: {said}",
        output.status
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_holds_all_that_was_accepted_before_it() -> Result<()> {
    let files = tempfile::tempdir()?;
    let backend = Backend::fresh(&files.path().join("own")).await?;
    let (to, key) = (backend.address(), backend.admin().to_owned());
    let until = move |n: u32| n < BEFORE;
    load::run(to, &key, (6, LANES), until).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        lanes.spawn(post(to, key.clone(), lane, Arc::clone(&stop)));
    }
    tokio::time::sleep(goals::many(Duration::from_secs(2), Duration::from_secs(30))).await;
    let begun = Instant::now();
    let made = backend.post("/v1/backups", &json!({})).await?;
    let took = begun.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut posted = Vec::new();
    while let Some(lane) = lanes.join_next().await {
        posted.extend(lane??);
    }
    backend.kill().await?;
    let quiet = p99(posted
        .iter()
        .filter(|(_, at, _)| *at < begun)
        .map(|(_, _, took)| *took));
    let busy = p99(posted
        .iter()
        .filter(|(_, at, _)| *at >= begun)
        .map(|(_, _, took)| *took));
    let before = posted.into_iter().filter(|(_, at, _)| *at < begun);
    let before: Vec<Accepted> = before.map(|(accepted, ..)| accepted).collect();
    let restored = files.path().join("restored");
    let place = made["path"].as_str().context("where the backup is")?;
    restore(Path::new(place), &restored).await?;
    let missing = lost(&restored, &before).await?;
    let bytes = made["bytes"].as_u64().unwrap_or(0);
    goals::shown(
        "D6",
        format!(
            "a backup of {} MiB, {} alerts accepted before it",
            bytes >> 20,
            before.len()
        ),
        format!(
            "{missing} missing after the restore; {} ms; ingest p99 {busy:.0} ms, before {quiet:.0} ms",
            took.as_millis()
        ),
        "0; 10 s a GB; 3 ×",
    );
    ensure!(!before.is_empty(), "a run without alerts shows nothing");
    ensure!(
        missing == 0,
        "{missing} alerts accepted before the backup are not in it"
    );
    Ok(())
}
