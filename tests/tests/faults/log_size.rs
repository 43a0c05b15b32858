//! The write-ahead log under load: it stays within its bound while people read, and only a reader
//! that never ends, which the product has none of, makes it grow.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::Backend;
use calseta_tests::bench::load::{self, Connection};
use calseta_tests::goals;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::JoinSet;

use crate::tools::python;

/// The most the log may take, in bytes.
const BOUND: u64 = 64 * 1024 * 1024;
/// How much more a pinned reader must make it, in bytes, to show that the measure sees it.
const MORE: u64 = 8 * 1024 * 1024;
/// Connections that post, and others that read.
const WRITERS: u32 = 8;
const READERS: usize = 4;
/// Between two looks at the file.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What the control may take to let the log grow.
const CONTROL_DEADLINE: Duration = Duration::from_mins(3);
/// What readers ask.
const LISTS: [&str; 3] = [
    "/v1/alerts?page_size=100",
    "/v1/alerts?page_size=500&page=2",
    "/v1/events?after=0&wait_seconds=0",
];

/// Posts and reads until told to stop.
fn busy(backend: &Backend, stop: &Arc<AtomicBool>) -> JoinSet<Result<usize>> {
    let (to, key) = (backend.address(), backend.admin().to_owned());
    let mut tasks = JoinSet::new();
    for lane in 0..WRITERS {
        let (key, stop) = (key.clone(), Arc::clone(stop));
        tasks.spawn(async move {
            let (mut connection, mut n) = (Connection::open(to, &key).await?, lane);
            while !stop.load(Ordering::Relaxed) {
                connection.ingest(&load::body(4, n)).await?;
                n += WRITERS;
            }
            Ok((n / WRITERS) as usize)
        });
    }
    for reader in 0..READERS {
        let (key, stop) = (key.clone(), Arc::clone(stop));
        tasks.spawn(async move {
            let mut connection = Connection::open(to, &key).await?;
            while !stop.load(Ordering::Relaxed) {
                connection
                    .ask("GET", LISTS[reader % LISTS.len()], b"")
                    .await?;
            }
            Ok(0)
        });
    }
    tasks
}

fn size(log: &Path) -> u64 {
    std::fs::metadata(log).map_or(0, |about| about.len())
}

/// The largest that the log is seen while `goes_on`, which is given the largest so far.
async fn largest(log: &Path, goes_on: impl Fn(u64) -> bool) -> u64 {
    let mut largest = 0;
    while goes_on(largest) {
        largest = largest.max(size(log));
        tokio::time::sleep(LOOK_EVERY).await;
    }
    largest
}

async fn ended(stop: &AtomicBool, mut tasks: JoinSet<Result<usize>>) -> Result<usize> {
    stop.store(true, Ordering::Relaxed);
    let mut posted = 0;
    while let Some(done) = tasks.join_next().await {
        posted += done??;
    }
    Ok(posted)
}

fn mib(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_within_its_bound_and_a_pinned_reader_would_be_seen() -> Result<()> {
    let files = tempfile::tempdir()?;
    let backend = Backend::fresh(files.path()).await?;
    let log = files.path().join("calseta.db-wal");
    let length = goals::many(Duration::from_secs(6), Duration::from_mins(10));
    let stop = Arc::new(AtomicBool::new(false));
    let tasks = busy(&backend, &stop);
    let until = Instant::now() + length;
    let own = largest(&log, |_| Instant::now() < until).await;
    let posted = ended(&stop, tasks).await?;
    goals::shown(
        "D9",
        format!(
            "{posted} alerts in {} s beside {READERS} readers",
            length.as_secs()
        ),
        format!("log at most {} MiB", mib(own)),
        "≤ 64 MiB",
    );
    ensure!(own <= BOUND, "the log grew to {own} bytes");
    let mut pin = python("files/old_file.py")?
        .arg("pin")
        .arg(files.path().join("calseta.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let out = pin.stdout.take().context("stdout is piped")?;
    let line = BufReader::new(out).lines().next_line().await?;
    ensure!(line.is_some(), "the pinning reader did not begin");
    let stop = Arc::new(AtomicBool::new(false));
    let tasks = busy(&backend, &stop);
    let until = Instant::now() + CONTROL_DEADLINE;
    let enough = |largest| largest < own + MORE && Instant::now() < until;
    let pinned = largest(&log, enough).await;
    ended(&stop, tasks).await?;
    pin.kill().await?;
    ensure!(
        pinned >= own + MORE,
        "a pinned reader left the log at {pinned} bytes"
    );
    goals::control(
        "D9",
        format!("a pinned reader: {} MiB and growing", mib(pinned)),
    );
    Ok(())
}
