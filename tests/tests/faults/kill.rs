//! kill -9 at any moment: an accepted alert is kept and reaches every agent that it matches.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, faults_bin, wait_for};
use calseta_tests::goals;
use serde_json::json;

use crate::agent::Agent;
use crate::burst::{self, Accepted};
use crate::kept::lost;
use crate::world::{Random, World};

/// Kills of the run, short and long.
const KILLS: (u32, u32) = (20, 200);
/// The control loses within this many kills, or it is no control.
const CONTROL_KILLS: u32 = 60;
/// When a kill comes, in milliseconds after the burst's start.
const KILL_WITHIN_MS: (u64, u64) = (20, 600);
/// Attempts at once to one agent: what one kill can make an agent get twice.
const IN_FLIGHT: usize = 4;
/// What the slow agent takes for an answer.
const SLOW: Duration = Duration::from_millis(8);
/// How long the last process may take for what is left; some seconds on an idle machine.
const DRAIN_TRIES: usize = 5;

/// Starts a burst, kills the process somewhere in it, and says what had been accepted.
async fn one_kill(
    options: &BackendOptions,
    admin: &str,
    (round, random): (u32, &mut Random),
) -> Result<Vec<Accepted>> {
    let backend = Backend::start(options).await?;
    let lanes = burst::start(backend.address(), admin, round);
    let (from, to) = KILL_WITHIN_MS;
    tokio::time::sleep(Duration::from_millis(random.within(from, to))).await;
    backend.kill().await?;
    Ok(burst::accepted(lanes).await)
}

struct Agents {
    quick: Agent,
    slow: Agent,
    high: Agent,
}

impl Agents {
    async fn register(backend: &Backend) -> Result<Self> {
        let agents = Self {
            quick: Agent::start(|_| async { 200 }).await?,
            slow: Agent::start(|_| async {
                tokio::time::sleep(SLOW).await;
                200
            })
            .await?,
            high: Agent::start(|_| async { 200 }).await?,
        };
        let (all, high) = (json!({}), json!({"min_severity": "High"}));
        for (name, agent, filter) in [
            ("Quick", &agents.quick, &all),
            ("Slow", &agents.slow, &all),
            ("High", &agents.high, &high),
        ] {
            backend.register_agent(name, &agent.url, filter).await?;
        }
        Ok(agents)
    }

    /// How many (alert, matching agent) pairs have had nothing yet.
    fn missing(&self, accepted: &[Accepted]) -> usize {
        let of = |agent: &Agent, wanted: &dyn Fn(&Accepted) -> bool| {
            let got: HashSet<String> =
                agent.look(|all| all.iter().map(|one| one.alert.clone()).collect());
            let wanted = accepted.iter().filter(|alert| wanted(alert));
            wanted.filter(|alert| !got.contains(&alert.uuid)).count()
        };
        of(&self.quick, &|_| true) + of(&self.slow, &|_| true) + of(&self.high, &|a| a.is_high)
    }
}

/// Every repetition is of the same message; how many there were.
fn repetitions(agent: &Agent) -> Result<usize> {
    agent.look(|all| {
        let mut first = HashMap::new();
        let mut repeated = 0;
        for one in all {
            let known = first.entry(&one.alert).or_insert(one);
            ensure!(
                known.webhook_id == one.webhook_id,
                "alert {} came under two ids",
                one.alert
            );
            ensure!(
                known.body == one.body,
                "alert {} came with other bytes under one id",
                one.alert
            );
            repeated += usize::from(!std::ptr::eq(*known, one));
        }
        Ok(repeated)
    })
}

async fn drained(agents: &Agents, accepted: &[Accepted]) -> Result<()> {
    for _ in 0..DRAIN_TRIES {
        let before = agents.missing(accepted);
        let done = wait_for("every accepted alert at every matching agent", || async {
            Ok((agents.missing(accepted) == 0).then_some(()))
        })
        .await;
        if done.is_ok() {
            return Ok(());
        }
        ensure!(
            agents.missing(accepted) < before,
            "nothing is delivered any more, {before} pairs are missing"
        );
    }
    ensure!(agents.missing(accepted) == 0, "some pairs are missing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_alert_survives_any_kill_and_reaches_every_matching_agent() -> Result<()> {
    let kills = goals::many(KILLS.0, KILLS.1);
    let mut random = Random::seeded("kill -9");
    let world = World::start().await?;
    let agents = Agents::register(&world.backend).await?;
    let options = BackendOptions::new(world.files.path());
    world.backend.kill().await?;
    let mut accepted = Vec::new();
    for round in 1..=kills {
        accepted.extend(one_kill(&options, &world.admin, (round, &mut random)).await?);
    }
    let last = Backend::start(&options).await?;
    drained(&agents, &accepted).await?;
    last.terminate().await?;
    let missing = lost(world.files.path(), &accepted).await?;
    let mut repeated = Vec::new();
    for agent in [&agents.quick, &agents.slow, &agents.high] {
        repeated.push(repetitions(agent)?);
    }
    let deliveries = agents.quick.count() + agents.slow.count() + agents.high.count();
    let seed = random.seed();
    let done = format!("{kills} kill -9 ({seed}), {} accepted", accepted.len());
    goals::shown(
        "D1",
        done,
        format!("{missing} lost, file and chain whole"),
        "0",
    );
    let done = format!("{kills} kill -9 ({seed}), 3 agents, {deliveries} deliveries");
    let figure = format!("0 pairs missing, repeated per agent {repeated:?}");
    let most = kills as usize * IN_FLIGHT;
    goals::shown(
        "W1",
        done,
        figure,
        &format!("0 missing, ≤ {most} repeated each"),
    );
    assert_eq!(missing, 0, "accepted alerts were lost");
    assert!(!accepted.is_empty(), "a run without alerts shows nothing");
    assert!(
        repeated.iter().all(|count| *count <= most),
        "a kill repeats only what was in flight: {repeated:?} of at most {most} each"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_answers_before_it_commits_loses_alerts() -> Result<()> {
    let mut random = Random::seeded("kill -9, control");
    let world = World::start().await?;
    world.backend.kill().await?;
    let options = BackendOptions {
        program: faults_bin(),
        environment: vec![("CALSETA_FAULT".to_owned(), "early-ack".to_owned())],
        ..BackendOptions::new(world.files.path())
    };
    let mut accepted = Vec::new();
    for round in 1..=CONTROL_KILLS {
        accepted.extend(one_kill(&options, &world.admin, (round, &mut random)).await?);
        let missing = lost(world.files.path(), &accepted).await?;
        if missing > 0 {
            let of = accepted.len();
            let result = format!("answering early lost {missing} of {of} in {round} kills");
            goals::control("D1", result.clone());
            goals::control("W1", result);
            return Ok(());
        }
    }
    panic!(
        "the control lost none of {} in {CONTROL_KILLS} kills: the kill test could not see a loss",
        accepted.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_leaves_a_directory_that_opens_and_delivers() -> Result<()> {
    const CRASHES: usize = 10;
    // The first delivery is never answered: a kill finds it in flight.
    let agent = Agent::start(|before| async move {
        if before == 0 {
            std::future::pending::<()>().await;
        }
        200
    })
    .await?;
    let world = World::start().await?;
    let uuid = world.agent(&agent.url, 300).await?;
    world.alert("before the crash loop").await?;
    agent.wait(1).await?;
    let options = BackendOptions::new(world.files.path());
    world.backend.kill().await?;
    for _ in 0..CRASHES {
        Backend::start(&options).await?.kill().await?;
    }
    let mut backend = Backend::start(&options).await?;
    backend.admin_key = Some(world.admin.clone());
    let world = World { backend, ..world };
    let delivery = world
        .delivery(&uuid, "after the crash loop", |d| d["state"] == "delivered")
        .await?;
    assert_eq!(
        delivery["attempts"][0]["outcome"], "unknown",
        "a kill leaves an attempt whose end nobody knows: {delivery}"
    );
    assert_eq!(
        repetitions(&agent)? + 1,
        agent.count(),
        "the same message each time"
    );
    Ok(())
}
