//! Agents that are away: what waits for them is parked, follows when they are back, and is given
//! up neither by sleep nor by a clock that jumps. What was given up is replayed once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, faults_bin, wait_for};
use calseta_tests::bench::load;
use calseta_tests::goals;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::agent::Agent;

/// Connections that post.
const LANES: u32 = 8;
/// Attempts at once to one agent, unless it says otherwise.
const IN_FLIGHT: usize = 4;
/// An hour and a day, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A backend whose wall clock can be set, and an agent that is not there yet.
struct Away {
    backend: Backend,
    files: tempfile::TempDir,
    address: SocketAddr,
    uuid: String,
}

fn options(dir: &Path, clock: &Path) -> BackendOptions {
    let mut options = BackendOptions::new(dir);
    options.program = faults_bin();
    let clock = clock.to_string_lossy().into_owned();
    options
        .environment
        .push(("CALSETA_FAULT_CLOCK".to_owned(), clock));
    options
}

impl Away {
    async fn start() -> Result<Self> {
        let files = tempfile::tempdir()?;
        let place = TcpListener::bind("127.0.0.1:0").await?;
        let address = place.local_addr()?;
        drop(place);
        let clock = files.path().join("clock");
        std::fs::write(&clock, "0")?;
        let backend = Backend::start(&options(&files.path().join("own"), &clock)).await?;
        let url = format!("http://{address}/webhook");
        let (uuid, _) = backend.register_agent("Away", &url, &json!({})).await?;
        Ok(Self {
            backend,
            files,
            address,
            uuid,
        })
    }

    fn clock(&self) -> PathBuf {
        self.files.path().join("clock")
    }

    /// Sets the wall clock so far from the machine's.
    fn set_clock(&self, off_ms: i64) -> Result<()> {
        Ok(std::fs::write(self.clock(), off_ms.to_string())?)
    }

    async fn post(&self, run: u32, count: u32) -> Result<()> {
        let (to, key) = (self.backend.address(), self.backend.admin());
        let tally = load::run(to, key, (run, LANES), move |n: u32| n < count).await?;
        ensure!(
            tally.accepted == count as usize,
            "{} were refused",
            tally.refused
        );
        Ok(())
    }

    async fn shown(&self) -> Result<Value> {
        self.backend.get(&format!("/v1/agents/{}", self.uuid)).await
    }

    async fn probes(&self) -> Result<u64> {
        let shown = self.shown().await?;
        shown["breaker"]["probes"].as_u64().context("a count")
    }

    /// Waits until so many of its deliveries are in a state of the backlog.
    async fn backlog(&self, state: &str, count: u32) -> Result<()> {
        // As long as the number moves, however slowly.
        let mut last = None;
        loop {
            let changed = wait_for(&format!("{count} {state}"), || async {
                let now = self.shown().await?["backlog"][state].as_u64();
                Ok((now != last || now >= Some(count.into())).then_some(now))
            })
            .await?;
            if changed >= Some(count.into()) {
                return Ok(());
            }
            last = changed;
        }
    }
}

/// Waits until so many came, as long as some come.
async fn all(agent: &Agent, count: usize) -> Result<()> {
    let mut last = agent.count();
    while last < count {
        agent.wait(last + 1).await?;
        last = agent.count();
    }
    Ok(())
}

/// How often each alert came.
fn times(agent: &Agent) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    agent.look(|all| {
        for one in all {
            *times.entry(one.alert.clone()).or_default() += 1;
        }
    });
    times
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_parked_follows_when_the_agent_is_back() -> Result<()> {
    let count = goals::many(300, 10_000);
    let away = Away::start().await?;
    away.post(1, count).await?;
    away.backlog("parked", count).await?;
    let listener = TcpListener::bind(away.address).await?;
    let back = Instant::now();
    let agent = Agent::start_on(listener, |_| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        200
    })?;
    all(&agent, 1).await?;
    let first = back.elapsed();
    all(&agent, count as usize).await?;
    let drained = back.elapsed();
    let came = times(&agent);
    let path = format!("/v1/deliveries?agent_uuid={}&page_size=500", away.uuid);
    let list = wait_for("the last to be recorded as delivered", || async {
        let list = away.backend.get(&path).await?;
        let list = list.as_array().cloned().context("a list")?;
        Ok(list
            .iter()
            .all(|d| d["state"] == "delivered")
            .then_some(list))
    })
    .await?;
    let attempts = list
        .iter()
        .filter_map(|d| d["attempts"].as_array().map(Vec::len));
    let most = attempts.max().unwrap_or(0);
    goals::shown(
        "W3",
        format!("{count} parked for an agent that is away, then back"),
        format!(
            "first after {:.1} s, all after {:.1} s, {} missing, at most {most} attempts each",
            first.as_secs_f64(),
            drained.as_secs_f64(),
            count as usize - came.len()
        ),
        "60 s; 60 s + 1.2 × N × 20 ms / 4; 0",
    );
    ensure!(
        came.len() == count as usize,
        "{} of {count} alerts came",
        came.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_disables_nobody_and_makes_no_burst() -> Result<()> {
    const COUNT: u32 = 60;
    let away = Away::start().await?;
    away.post(1, COUNT).await?;
    away.backlog("parked", COUNT).await?;
    let mut healths = Vec::new();
    // A night, nine days, and all of it taken back, as when somebody sets the clock.
    for off in [8 * HOUR_MS, 9 * DAY_MS, 0] {
        let failed = away.probes().await?;
        away.set_clock(off)?;
        if off > 0 {
            wait_for("a probe after the jump", || async {
                Ok((away.probes().await? > failed).then_some(()))
            })
            .await?;
        }
        let shown = away.shown().await?;
        healths.push(shown["health"].as_str().unwrap_or_default().to_owned());
        ensure!(
            shown["is_active"] == true,
            "a jump to {off} ms switched the agent off: {shown}"
        );
    }
    ensure!(
        !healths.contains(&"disabled".to_owned()),
        "disabled by the clock: {healths:?}"
    );
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counts, peak) = (Arc::clone(&now), Arc::clone(&most));
    let listener = TcpListener::bind(away.address).await?;
    let agent = Agent::start_on(listener, move |_| {
        let (counts, peak) = (Arc::clone(&counts), Arc::clone(&peak));
        async move {
            peak.fetch_max(counts.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            counts.fetch_sub(1, Ordering::SeqCst);
            200
        }
    })?;
    // After a jump back the probe is asked for: it was due at a time that is now far away.
    let path = format!("/v1/agents/{}/recover", away.uuid);
    let parked = json!({"state": "parked"});
    away.backend.post(&path, &parked).await?;
    all(&agent, COUNT as usize).await?;
    let peak = most.load(Ordering::SeqCst);
    goals::shown(
        "W8",
        "the clock 8 h on, 9 days on and back, with an agent away",
        format!(
            "health {healths:?}, {} of {COUNT} came, {peak} at once",
            times(&agent).len()
        ),
        "not disabled, all, ≤ 4 at once",
    );
    ensure!(peak <= IN_FLIGHT, "{peak} came at once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_sends_each_message_once_more_under_its_own_id() -> Result<()> {
    let count = goals::many(150, 10_000);
    let away = Away::start().await?;
    let takes = Arc::new(AtomicBool::new(false));
    let answers = Arc::clone(&takes);
    let agent = Agent::start_on(TcpListener::bind(away.address).await?, move |_| {
        let takes = answers.load(Ordering::SeqCst);
        async move { if takes { 200 } else { 422 } }
    })?;
    away.post(1, count).await?;
    // Three refusals each: the waits between them are jumped over.
    for attempt in 1..=3 {
        all(&agent, count as usize * attempt).await?;
        away.set_clock(i64::try_from(attempt)? * HOUR_MS)?;
        let path = format!("/v1/agents/{}", away.uuid);
        away.backend
            .patch(&path, &json!({"description": format!("{attempt}")}))
            .await?;
    }
    away.backlog("dead", count).await?;
    let refused = agent.count();
    takes.store(true, Ordering::SeqCst);
    let path = format!("/v1/agents/{}/recover", away.uuid);
    let mut pressed = Vec::new();
    for _ in 0..2 {
        let answer = away.backend.post(&path, &json!({"state": "dead"})).await?;
        pressed.push(answer["count"].as_u64().unwrap_or(0));
    }
    all(&agent, refused + count as usize).await?;
    away.backlog("dead", 0).await?;
    let new: HashMap<String, usize> = agent.look(|all| {
        let mut new = HashMap::new();
        for one in &all[refused..] {
            *new.entry(one.webhook_id.clone()).or_default() += 1;
        }
        new
    });
    let known = agent.look(|all| {
        let old: Vec<_> = all[..refused]
            .iter()
            .map(|one| one.webhook_id.clone())
            .collect();
        new.keys().filter(|id| old.contains(id)).count()
    });
    let twice = new.values().filter(|times| **times > 1).count();
    goals::shown(
        "W9",
        format!("{count} dead deliveries replayed, pressed twice: {pressed:?}"),
        format!(
            "{} came again, {known} under their own id, {twice} twice",
            new.len()
        ),
        "all, all, 0",
    );
    ensure!(
        new.len() == count as usize && known == new.len() && twice == 0,
        "see the figures"
    );
    Ok(())
}
