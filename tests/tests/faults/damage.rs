//! Damaged files: the product never panics over one, and one that it refuses it leaves alone.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{DEADLINE, KEY_STORE, calseta_bin, http_client};
use calseta_tests::goals;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::world::{Random, World};

/// Alerts in the file before it is damaged.
const ALERTS: usize = 30;
/// The most bytes that are changed at once.
const MOST_BYTES: u64 = 64;
/// What is asked of a backend that started all the same.
const QUESTIONS: [&str; 3] = ["/health", "/v1/alerts?page_size=500", "/v1/agents"];

/// What a start on a damaged file came to.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    /// It started.
    Served,
    /// It ended with a code and words.
    Refused,
}

/// Changes some bytes, or cuts the end off.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) -> Result<String> {
    let length = bytes.len() as u64;
    if random.within(0, 9) == 0 {
        let left = random.within(0, length - 1);
        bytes.truncate(usize::try_from(left)?);
        return Ok(format!("cut off after {left} bytes"));
    }
    let count = random.within(1, MOST_BYTES);
    let from = random.within(0, length - count);
    for at in from..from + count {
        bytes[usize::try_from(at)?] ^= u8::try_from(random.within(1, 255))?;
    }
    Ok(format!("{count} bytes changed from {from}"))
}

/// Starts on the directory, asks a little, and ends it. A panic, a signal or silence is an error.
async fn start(dir: &Path, key: &str) -> Result<Came> {
    let mut child = Command::new(calseta_bin())
        .args([
            "serve",
            "--port",
            "0",
            "--json",
            "--no-limits",
            "--data-dir",
        ])
        .arg(dir)
        .env(KEY_STORE.0, KEY_STORE.1)
        .env("CALSETA_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut out = BufReader::new(child.stdout.take().context("stdout is piped")?).lines();
    let mut err = child.stderr.take().context("stderr is piped")?;
    let mut told = JoinSet::new();
    told.spawn(async move {
        let mut said = Vec::new();
        drop(err.read_to_end(&mut said).await);
        String::from_utf8_lossy(&said).into_owned()
    });
    let line = tokio::time::timeout(DEADLINE, out.next_line())
        .await
        .context("it hangs")??;
    let ready: Option<Value> = line.and_then(|line| serde_json::from_str(&line).ok());
    let is_up = ready.as_ref().is_some_and(|ready| ready["ready"] == true);
    if let (true, Some(base)) = (is_up, ready.as_ref().and_then(|r| r["base_url"].as_str())) {
        for question in QUESTIONS {
            let request = http_client()?
                .get(format!("{base}{question}"))
                .bearer_auth(key);
            request
                .send()
                .await
                .with_context(|| format!("asking {question}"))?;
        }
        child.kill().await?;
    }
    let status = tokio::time::timeout(DEADLINE, child.wait())
        .await
        .context("it hangs")??;
    let said = told.join_next().await.context("it was read")??;
    ensure!(!said.contains("panicked"), "it panicked: {said}");
    if is_up {
        return Ok(Came::Served);
    }
    ensure!(
        status.code().is_some_and(|code| code != 0),
        "it ended with {status}: {said}"
    );
    ensure!(said.contains("message"), "it must say why: {said}");
    Ok(Came::Refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_served_or_refused_in_words_and_then_left_alone() -> Result<()> {
    let times = goals::many(40, 1000);
    let mut random = Random::seeded("damage");
    let world = World::start().await?;
    for n in 0..ALERTS {
        world.alert(&format!("before the damage {n}")).await?;
    }
    let World {
        backend,
        admin,
        files,
    } = world;
    backend.terminate().await?;
    let whole = std::fs::read(files.path().join("calseta.db"))?;
    let (mut served, mut refused) = (0, 0);
    for _ in 0..times {
        let dir = tempfile::tempdir()?;
        for name in ["master.key", "key-store.json"] {
            let from = files.path().join(name);
            if from.exists() {
                std::fs::copy(from, dir.path().join(name))?;
            }
        }
        let mut bytes = whole.clone();
        let what = damage(&mut bytes, &mut random)?;
        let file = dir.path().join("calseta.db");
        std::fs::write(&file, &bytes)?;
        let came = start(dir.path(), &admin)
            .await
            .with_context(|| format!("{what} ({})", random.seed()))?;
        if came == Came::Served {
            served += 1;
            continue;
        }
        refused += 1;
        ensure!(
            std::fs::read(&file)? == bytes,
            "{what}: a refused file was changed"
        );
    }
    goals::shown(
        "D10",
        format!(
            "{times} damaged copies of a file of {} KiB ({})",
            whole.len() / 1024,
            random.seed()
        ),
        format!("{served} served, {refused} refused in words and unchanged, 0 panics"),
        "0 panics, 0 changed",
    );
    ensure!(refused > 0, "no damage was noticed: the test shows nothing");
    Ok(())
}
