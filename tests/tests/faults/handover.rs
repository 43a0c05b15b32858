//! The hand-over to the writer thread, on real threads: nobody is answered before the commit, and
//! nobody who waits for a commit sleeps through it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use calseta_domain::Timestamp;
use calseta_store::tables::setting;
use calseta_store::{DataDir, Store, StoreError, WriteTx};
use calseta_tests::backend::DEADLINE;
use calseta_tests::goals;
use tokio::task::JoinSet;

use crate::world::Random;

/// Tasks that write at once.
const TASKS: usize = 32;
/// The longest pause between two writes of a task, in microseconds.
const PAUSE_US: u64 = 300;

fn open(dir: &Path) -> Result<Store> {
    Ok(Store::open(DataDir::take(dir)?, Timestamp::from_millis(0))?)
}

/// Writes, is answered, and must then be seen by a reader of its own.
async fn write(store: &Store, task: usize, round: usize) -> Result<()> {
    let (name, value) = (format!("handover.{task}"), round.to_string());
    let (key, text) = (name.clone(), value.clone());
    let written = store.write(move |tx: &WriteTx<'_>| {
        setting::put(tx, &key, &text)?;
        tx.wake(calseta_store::Wake::Deliveries);
        Ok::<_, StoreError>(())
    });
    tokio::time::timeout(DEADLINE, written)
        .await
        .context("a write was never answered")??;
    let seen = store.read(move |tx| setting::get(tx, &name)).await?;
    ensure!(
        seen.as_deref() == Some(value.as_str()),
        "answered before its commit: {seen:?}"
    );
    Ok(())
}

/// Commits that nobody else makes, each of which must wake the one who waits.
async fn every_commit_wakes(store: &Store, rounds: usize) -> Result<()> {
    for round in 0..rounds {
        let woken = store.delivery_wake();
        let (written, woken) = tokio::join!(
            write(store, TASKS, round),
            tokio::time::timeout(DEADLINE, woken)
        );
        written?;
        ensure!(woken.is_ok(), "commit {round} woke nobody");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_answered_early_and_no_wake_up_is_lost() -> Result<()> {
    let rounds = goals::many(150, 5_000);
    let mut random = Random::seeded("hand-over");
    let files = tempfile::tempdir()?;
    let store = Arc::new(open(files.path())?);
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        let pauses: Vec<u64> = (0..rounds).map(|_| random.within(0, PAUSE_US)).collect();
        tasks.spawn(async move {
            for (round, pause) in pauses.into_iter().enumerate() {
                write(&store, task, round).await?;
                tokio::time::sleep(Duration::from_micros(pause)).await;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    every_commit_wakes(&store, rounds).await?;
    // A stop answers what is queued, and the rest is on the disk.
    let store = Arc::into_inner(store).context("all tasks have ended")?;
    store.close(Timestamp::from_millis(1)).await;
    drop(store);
    let again = open(files.path())?;
    for task in 0..=TASKS {
        let name = format!("handover.{task}");
        let kept = again.read(move |tx| setting::get(tx, &name)).await?;
        ensure!(
            kept == Some((rounds - 1).to_string()),
            "{task} ended at {kept:?}"
        );
    }
    again.close(Timestamp::from_millis(2)).await;
    goals::shown(
        "T3",
        format!(
            "{} writes of {TASKS} tasks, {rounds} wake-ups, a stop ({})",
            TASKS * rounds,
            random.seed()
        ),
        "0 answered early, 0 wake-ups lost",
        "0, 0 (on real threads)",
    );
    Ok(())
}
