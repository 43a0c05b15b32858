//! A backup under load holds what was accepted before it; damaged files are refused untouched.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::Backend;
use calseta_tests::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::program::{calseta, text};

/// Connections that send alerts while the backup is made.
const SENDERS: usize = 8;
/// Alerts that must have been accepted before it begins.
const BEFORE: usize = 300;
/// Rows a page of a list.
const PAGE: usize = 500;

/// Every alert that a backend has.
async fn alerts(backend: &Backend) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/alerts?page_size={PAGE}&count=none{cursor}");
        let page = backend.get(&path).await?;
        let rows = page.as_array().context("a page of alerts")?;
        for row in rows {
            found.insert(row["uuid"].as_str().context("a uuid")?.to_owned());
        }
        if rows.len() < PAGE {
            return Ok(found);
        }
        cursor = format!("&page={}", found.len() / PAGE + 1);
    }
}

/// A backend on a directory that has keys already, asked with one of them.
async fn reopened(dir: &Path, key: &str) -> Result<Backend> {
    let mut backend = Backend::fresh(dir).await?;
    backend.admin_key = Some(key.to_owned());
    Ok(backend)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_restored_with_every_alert_accepted_before_it() -> Result<()> {
    let world = Arc::new(World::fresh().await?);
    let accepted: Arc<Mutex<Vec<String>>> = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (world, accepted, stop) = (world.clone(), accepted.clone(), stop.clone());
        senders.spawn(async move {
            for n in 0.. {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let title = format!("from {sender}, number {n}");
                let uuid = world.alert(&json!({"title": title})).await?;
                accepted.lock().await.push(uuid);
            }
            anyhow::Ok(())
        });
    }
    while accepted.lock().await.len() < BEFORE {
        tokio::task::yield_now().await;
    }
    let before: BTreeSet<String> = accepted.lock().await.iter().cloned().collect();
    let to = TempDir::new()?;
    let data = text(world.dir.path());
    let began = Instant::now();
    let made = calseta(&["backup", "--data-dir", data, "--to", text(to.path())]).await?;
    let took = began.elapsed();
    stop.store(true, Ordering::SeqCst);
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    ensure!(made.exit == 0, "{}", made.stderr);
    let backup = made.lines[0]["path"].as_str().context("a path")?.to_owned();
    println!(
        "backed up {} alerts, {} bytes in {took:?}",
        made.lines[0]["alerts"], made.lines[0]["bytes"]
    );
    let elsewhere = TempDir::new()?;
    let place = text(elsewhere.path());
    let restored = calseta(&["restore", &backup, "--data-dir", place]).await?;
    ensure!(restored.exit == 0, "{}", restored.stderr);
    let backend = reopened(elsewhere.path(), world.backend.admin()).await?;
    let there = alerts(&backend).await?;
    let lost: Vec<_> = before.difference(&there).collect();
    ensure!(
        lost.is_empty(),
        "{} of {} are lost",
        lost.len(),
        before.len()
    );
    // The control: not everything that was accepted later is in it, or the comparison says nothing.
    let all: BTreeSet<String> = accepted.lock().await.iter().cloned().collect();
    ensure!(
        all.difference(&there).next().is_some(),
        "nothing came later"
    );
    let verified = calseta(&["verify", "--data-dir", place]).await?;
    ensure!(verified.exit == 0, "{}", verified.stderr);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_wants_the_directory_for_itself_and_a_word_before_it_replaces() -> Result<()> {
    let world = World::fresh().await?;
    let first = world.alert(&json!({"title": "first"})).await?;
    let backup = world.backend.post("/v1/backups", &json!({})).await?;
    let path = backup["path"].as_str().context("a path")?.to_owned();
    let second = world.alert(&json!({"title": "second"})).await?;
    let listed = world.backend.get("/v1/backups").await?;
    ensure!(listed[0] == backup, "{listed}");
    let World { backend, dir } = world;
    let (data, key) = (text(dir.path()), backend.admin().to_owned());
    let in_use = calseta(&["restore", &path, "--data-dir", data, "--replace"]).await?;
    ensure!(in_use.exit == 3, "{in_use:?}");
    backend.terminate().await?;
    let without = calseta(&["restore", &path, "--data-dir", data, "--json"]).await?;
    ensure!(
        without.exit == 4 && without.stderr.contains("--replace"),
        "{without:?}"
    );
    let with = calseta(&["restore", &path, "--data-dir", data, "--replace"]).await?;
    ensure!(with.exit == 0, "{}", with.stderr);
    let aside = with.lines[0]["aside"].as_str().context("what was there")?;
    ensure!(Path::new(aside).join("calseta.db").is_file());
    let backend = reopened(dir.path(), &key).await?;
    ensure!(alerts(&backend).await? == BTreeSet::from([first]));
    ensure!(!alerts(&backend).await?.contains(&second));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_is_refused_in_words_left_alone_and_read_out() -> Result<()> {
    let world = World::fresh().await?;
    for n in 0..40 {
        world.alert(&json!({"title": format!("alert {n}")})).await?;
    }
    let World { backend, dir } = world;
    let key = backend.admin().to_owned();
    backend.terminate().await?;
    let database = dir.path().join("calseta.db");
    let mut bytes = std::fs::read(&database)?;
    let (page, last) = (4096, bytes.len() / 4096);
    for n in [last / 3, last / 2] {
        bytes[n * page..(n + 1) * page].fill(0xa5);
    }
    std::fs::write(&database, &bytes)?;
    let data = text(dir.path());
    let refused = calseta(&["serve", "--data-dir", data, "--port", "0", "--json"]).await?;
    ensure!(
        refused.exit == 1 && refused.stderr.contains("DAMAGED"),
        "{refused:?}"
    );
    for word in ["left untouched", "calseta restore", "calseta recover"] {
        ensure!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
    }
    let into = TempDir::new()?;
    let new = into.path().join("new");
    let read = calseta(&["recover", "--data-dir", data, "--into", text(&new)]).await?;
    ensure!(read.exit == 0, "{}", read.stderr);
    ensure!(
        std::fs::read(&database)? == bytes,
        "the damaged file was changed"
    );
    let last: &Value = read.lines.last().context("a summary")?;
    let again = calseta(&["recover", "--data-dir", data, "--into", text(&new)]).await?;
    ensure!(again.exit == 4, "nothing is overwritten: {again:?}");
    let recovered = reopened(&new, &key).await?;
    let there = alerts(&recovered).await?.len();
    ensure!(
        last["alerts"] == json!(there) && there > 0,
        "{last} and {there}"
    );
    Ok(())
}
