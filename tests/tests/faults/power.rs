//! Power cuts: what was answered with 202 had reached the disk, not only the kernel.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, binary, faults_bin};
use calseta_tests::bench::load::{self, Connection};
use calseta_tests::goals;
use tempfile::TempDir;

use crate::burst::{self, Accepted};
use crate::kept::lost;
use crate::world::Random;

/// Alerts posted one after the other: each is answered before the next is sent, so that each has
/// a commit, and a sync, of its own.
const ONE_BY_ONE: u32 = 50;
/// When the power is cut, in milliseconds after the burst's start.
const CUT_WITHIN_MS: (u64, u64) = (50, 500);
/// The control loses within this many cuts, or it is no control.
const CONTROL_CUTS: u32 = 5;

fn loose(mut options: BackendOptions) -> BackendOptions {
    let mistake = ("CALSETA_FAULT".to_owned(), "synchronous-normal".to_owned());
    options.environment.push(mistake);
    options.program = faults_bin();
    options
}

/// How many syncs the kernel was asked for while [`ONE_BY_ONE`] alerts were accepted.
async fn syncs(options: BackendOptions, log: &Path) -> Result<usize> {
    let tracer = [
        "strace",
        "-D",
        "-f",
        "-qq",
        "-e",
        "trace=fsync,fdatasync",
        "-o",
    ];
    let mut inside: Vec<String> = tracer.map(str::to_owned).into();
    inside.push(log.to_string_lossy().into_owned());
    let backend = Backend::start(&BackendOptions { inside, ..options })
        .await
        .context("this needs strace")?;
    let mut connection = Connection::open(backend.address(), backend.admin()).await?;
    let count = || -> Result<usize> { Ok(std::fs::read_to_string(log)?.lines().count()) };
    let before = count()?;
    for n in 0..ONE_BY_ONE {
        let status = connection.ingest(&load::body(1, n)).await?;
        ensure!(status == 202, "alert {n} was answered {status}");
    }
    let after = count()?;
    ensure!(before > 0, "the tracer saw no sync at all: is it at work?");
    backend.kill().await?;
    Ok(after - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_waits_for_a_sync() -> Result<()> {
    let files = tempfile::tempdir()?;
    let (own, control) = (files.path().join("own"), files.path().join("control"));
    let seen = syncs(BackendOptions::new(&own), &files.path().join("own.log")).await?;
    let commits = ONE_BY_ONE as usize;
    let done = format!("{commits} alerts one by one under strace");
    goals::shown("D3", done, format!("{seen} syncs"), "≥ a sync each");
    ensure!(
        seen >= commits,
        "{commits} alerts were accepted with {seen} syncs: some were not on disk"
    );
    let log = files.path().join("control.log");
    let loose = syncs(loose(BackendOptions::new(&control)), &log).await?;
    ensure!(
        loose < commits,
        "synchronous=NORMAL synced {loose} times: the count shows nothing"
    );
    goals::control("D3", format!("synchronous=NORMAL: {loose} syncs"));
    Ok(())
}

/// A folder that plays the disk, and where it is mounted.
struct Machine {
    files: TempDir,
    admin: String,
}

impl Machine {
    /// Its first start, without a power cut.
    async fn start() -> Result<Self> {
        let files = tempfile::tempdir()?;
        std::fs::create_dir(files.path().join("place"))?;
        let backend = Backend::fresh(&files.path().join("disk")).await?;
        let admin = backend.admin().to_owned();
        backend.terminate().await?;
        Ok(Self { files, admin })
    }

    fn disk(&self) -> std::path::PathBuf {
        self.files.path().join("disk")
    }

    /// The backend on the forgetful file system, in namespaces of its own that die with it.
    fn options(&self) -> BackendOptions {
        let place = self.files.path().join("place");
        let forgetful = binary("CALSETA_FORGETFUL_BIN", "forgetful");
        let namespaces = [
            "unshare",
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
        ];
        let mut inside: Vec<String> = namespaces.map(str::to_owned).into();
        for path in [&forgetful, &self.disk(), &place] {
            inside.push(path.to_string_lossy().into_owned());
        }
        BackendOptions {
            inside,
            // What it says of a disk that went away under it is no news.
            environment: vec![("CALSETA_LOG".to_owned(), "off".to_owned())],
            ..BackendOptions::new(&place)
        }
    }
}

/// Starts a burst, cuts the power somewhere in it, and says what had been accepted.
async fn one_cut(
    options: &BackendOptions,
    machine: &Machine,
    (round, random): (u32, &mut Random),
) -> Result<Vec<Accepted>> {
    let backend = Backend::start(options).await?;
    let lanes = burst::start(backend.address(), &machine.admin, round);
    let (from, to) = CUT_WITHIN_MS;
    tokio::time::sleep(Duration::from_millis(random.within(from, to))).await;
    backend.kill().await?;
    Ok(burst::accepted(lanes).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_alert_survives_a_power_cut() -> Result<()> {
    let cuts = goals::many(5, 100);
    let mut random = Random::seeded("power cut");
    let machine = Machine::start().await?;
    let options = machine.options();
    let mut accepted = Vec::new();
    for round in 1..=cuts {
        accepted.extend(one_cut(&options, &machine, (round, &mut random)).await?);
    }
    let missing = lost(&machine.disk(), &accepted).await?;
    let done = format!(
        "{cuts} power cuts ({}), {} accepted",
        random.seed(),
        accepted.len()
    );
    goals::shown("D3", done, format!("{missing} lost"), "0");
    ensure!(!accepted.is_empty(), "a run without alerts shows nothing");
    ensure!(missing == 0, "{missing} accepted alerts were lost");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_leaves_syncing_to_the_kernel_loses_alerts_in_a_power_cut() -> Result<()> {
    let mut random = Random::seeded("power cut, control");
    let machine = Machine::start().await?;
    let options = loose(machine.options());
    let mut accepted = Vec::new();
    for round in 1..=CONTROL_CUTS {
        accepted.extend(one_cut(&options, &machine, (round, &mut random)).await?);
        let missing = lost(&machine.disk(), &accepted).await?;
        if missing > 0 {
            let of = accepted.len();
            goals::control(
                "D3",
                format!("NORMAL lost {missing} of {of} in {round} cuts"),
            );
            return Ok(());
        }
    }
    panic!(
        "the control lost none of {} in {CONTROL_CUTS} cuts: the test could not see a loss",
        accepted.len()
    );
}
