//! A full disk: writes are refused with the right answer, reads go on, and with space comes back
//! everything.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, faults_bin, wait_for};
use calseta_tests::bench::load;
use calseta_tests::raw::{self, Answer};
use calseta_tests::{goals, namespace};
use tempfile::TempDir;

use crate::burst::Accepted;
use crate::kept::lost;

/// The size of the disk, in MiB.
const DISK_MIB: usize = 64;
/// Alerts before the disk is filled.
const BEFORE: u32 = 20;
/// Refusals in a row after which the disk counts as full.
const REFUSED: usize = 40;
/// Alerts after which it should be full: each needs some tens of KiB of log.
const MOST: u32 = 20_000;
/// Bytes written at once by what fills the disk.
const PIECE: usize = 64 * 1024;

/// A small disk, mounted in this process's own namespace.
struct SmallDisk {
    place: TempDir,
}

impl SmallDisk {
    fn mount() -> Result<Self> {
        let place = tempfile::tempdir()?;
        let size = format!("size={DISK_MIB}m,mode=700");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(place.path())
            .status()?;
        ensure!(mounted.success(), "mounting a tmpfs: {mounted}");
        Ok(Self { place })
    }

    fn files(&self) -> PathBuf {
        self.place.path().join("files")
    }

    fn ballast(&self) -> PathBuf {
        self.place.path().join("ballast")
    }

    /// Takes all the space that is left.
    fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.ballast())?;
        let piece = vec![1; PIECE];
        for length in [PIECE, 4096, 1] {
            while ballast.write_all(&piece[..length]).is_ok() {}
        }
        Ok(())
    }
}

async fn post(backend: &Backend, key: &str, n: u32) -> Result<Answer> {
    let to = backend.address();
    let request = raw::request(
        "POST",
        "/v1/ingest/generic",
        &raw::usual(to, key),
        &load::body(1, n),
    );
    raw::send(to, &request).await
}

fn accepted(answer: &Answer) -> Result<Accepted> {
    let uuid = answer.json()["data"]["alert_uuid"]
        .as_str()
        .context("an accepted alert has a uuid")?
        .to_owned();
    Ok(Accepted {
        uuid,
        is_high: false,
    })
}

/// What was answered while the disk was full.
#[derive(Default)]
struct Full {
    accepted: Vec<Accepted>,
    refused: usize,
    wrong: Vec<String>,
}

/// Posts until [`REFUSED`] alerts in a row were refused.
async fn post_until_refused(backend: &Backend, key: &str) -> Result<Full> {
    let (mut full, mut in_a_row) = (Full::default(), 0);
    for n in BEFORE..MOST {
        let answer = post(backend, key, n).await?;
        if answer.status == 202 {
            full.accepted.push(accepted(&answer)?);
            in_a_row = 0;
            continue;
        }
        in_a_row += 1;
        full.refused += 1;
        let is_right = answer.status == 503 && answer.header("retry-after").is_some();
        if !is_right {
            full.wrong
                .push(format!("{} {}", answer.status, answer.code()));
        }
        if in_a_row >= REFUSED {
            return Ok(full);
        }
    }
    anyhow::bail!("after {MOST} alerts the disk is still not full")
}

/// Alerts accepted before the disk is filled.
async fn before(backend: &Backend, key: &str) -> Result<Vec<Accepted>> {
    let mut before = Vec::new();
    for n in 0..BEFORE {
        let answer = post(backend, key, n).await?;
        // The control answers before it commits and may not find what it has just answered.
        if answer.status == 202 {
            before.push(accepted(&answer)?);
        }
    }
    ensure!(!before.is_empty(), "nothing is accepted at all");
    Ok(before)
}

/// kill -9, then what is there: nothing that was accepted may be missing.
async fn lost_after_kill(
    backend: Backend,
    disk: &SmallDisk,
    all: &[Accepted],
    files: &Path,
) -> Result<usize> {
    backend.kill().await?;
    // Opening needs room for a log of its own.
    drop(std::fs::remove_file(disk.ballast()));
    lost(files, all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_it_cannot_keep_and_serves_the_rest() -> Result<()> {
    if !namespace::is_inside() {
        let own = "disk_full::a_full_disk_refuses_what_it_cannot_keep_and_serves_the_rest";
        return namespace::again(own, "");
    }
    let disk = SmallDisk::mount()?;
    let options = BackendOptions {
        // A line a refusal would bury what a failed test says.
        environment: vec![("CALSETA_LOG".to_owned(), "off".to_owned())],
        ..BackendOptions::new(&disk.files())
    };
    let backend = Backend::start(&options).await?;
    let key = backend.admin().to_owned();
    let mut all = before(&backend, &key).await?;
    disk.fill()?;
    let full = post_until_refused(&backend, &key).await?;
    let list = backend.get("/v1/alerts?page_size=50").await?;
    ensure!(
        list.as_array().is_some_and(|list| !list.is_empty()),
        "what is stored must still be read: {list}"
    );
    std::fs::remove_file(disk.ballast())?;
    let freed = Instant::now();
    let back = wait_for("an alert to be accepted again", || async {
        let answer = post(&backend, &key, MOST + 1).await?;
        Ok((answer.status == 202).then_some(answer))
    })
    .await?;
    let resumed = freed.elapsed();
    all.extend(full.accepted);
    all.push(accepted(&back)?);
    let missing = lost_after_kill(backend, &disk, &all, &disk.files()).await?;
    let done = format!(
        "{DISK_MIB} MiB disk filled: {} accepted, {} refused",
        all.len(),
        full.refused
    );
    let figure = format!(
        "{} not 503 with Retry-After, {missing} lost, back after {} ms",
        full.wrong.len(),
        resumed.as_millis()
    );
    goals::shown("D4", done, figure, "0, 0, ≤ 5 s");
    ensure!(missing == 0, "{missing} accepted alerts were lost");
    ensure!(
        full.wrong.is_empty(),
        "a full disk is 503 with Retry-After, not {:?}",
        full.wrong
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_answers_early_accepts_what_a_full_disk_cannot_keep() -> Result<()> {
    if !namespace::is_inside() {
        let own = "disk_full::a_build_that_answers_early_accepts_what_a_full_disk_cannot_keep";
        return namespace::again(own, "");
    }
    let disk = SmallDisk::mount()?;
    // What a first start writes it also reads: only the shipped program gets through that.
    let first = Backend::fresh(&disk.files()).await?;
    let key = first.admin().to_owned();
    first.terminate().await?;
    let options = BackendOptions {
        program: faults_bin(),
        environment: vec![
            ("CALSETA_LOG".to_owned(), "off".to_owned()),
            ("CALSETA_FAULT".to_owned(), "early-ack".to_owned()),
        ],
        ..BackendOptions::new(&disk.files())
    };
    let backend = Backend::start(&options).await?;
    let mut all = before(&backend, &key).await?;
    disk.fill()?;
    // It goes on answering 202; so many that the log cannot have had room for them.
    for n in BEFORE..BEFORE + 400 {
        let answer = post(&backend, &key, n).await?;
        if answer.status == 202 {
            all.push(accepted(&answer)?);
        }
    }
    let count = all.len();
    let missing = lost_after_kill(backend, &disk, &all, &disk.files()).await?;
    ensure!(
        missing > 0,
        "the control lost none of {count}: the test could not see a loss"
    );
    goals::control("D4", format!("answering early lost {missing} of {count}"));
    Ok(())
}
