//! Every fault point: the process ends, or a write fails, on either side of every commit that has
//! one. Afterwards nothing that was accepted is missing and nothing is left undone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use calseta_store::faults::{POINTS, SIDES};
use calseta_tests::backend::{Backend, BackendOptions, faults_bin, wait_for};
use calseta_tests::goals;
use calseta_tests::recorder::Recorder;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Alerts of a round.
const ALERTS: u32 = 3;
/// How long a round waits for its own deliveries before it is ended: some failures only show then.
const ROUND: Duration = Duration::from_secs(4);
/// Points that only work beyond its lease or beyond a clock that was set back reaches, minutes later
/// by the awake clock, which nothing from outside can move. The engine's own tests move it.
const ELSEWHERE: [&str; 2] = ["clock.back", "lease"];

/// What must have happened first for a point to be reached, in the words of the fault points.
fn before(point: &str) -> &'static str {
    match point {
        "match.retry" => "match.finish.before=1*return(err);",
        "enrich.retry" => "enrich.finish.before=1*return(err);",
        "quarantine" => "match.finish.before=3*panic;",
        _ => "",
    }
}

/// A directory that outlives all rounds, its agent, and what was accepted so far.
struct Suite {
    files: TempDir,
    admin: String,
    agent: Recorder,
    agent_uuid: String,
    accepted: BTreeSet<String>,
    findings: usize,
    posted: u32,
}

impl Suite {
    async fn start() -> Result<Self> {
        let files = tempfile::tempdir()?;
        let agent = Recorder::start().await?;
        let backend = Backend::start(&shipped(&files.path().join("own"))).await?;
        let (agent_uuid, _) = backend
            .register_agent("told", &agent.url, &json!({}))
            .await?;
        let admin = backend.admin().to_owned();
        backend.terminate().await?;
        Ok(Self {
            files,
            admin,
            agent,
            agent_uuid,
            accepted: BTreeSet::new(),
            findings: 0,
            posted: 0,
        })
    }

    fn dir(&self) -> PathBuf {
        self.files.path().join("own")
    }

    fn hits(&self) -> PathBuf {
        self.files.path().join("hits")
    }

    fn faulty(&self, dir: &Path, actions: &str) -> BackendOptions {
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut options = shipped(dir);
        options.program = faults_bin();
        options.environment = vec![
            text("CALSETA_LOG", "off"),
            text("FAILPOINTS", actions),
            text("CALSETA_FAULT_HITS", &self.hits().to_string_lossy()),
        ];
        options
    }

    /// Everything that an alert can be the beginning of, with a fault somewhere in it.
    async fn round(&mut self, actions: &str) -> Result<()> {
        let Ok(backend) = Backend::start(&self.faulty(&self.dir(), actions)).await else {
            // It ended before it was ready, which is what some points do.
            return Ok(());
        };
        let mut fresh = Vec::new();
        for _ in 0..ALERTS {
            self.posted += 1;
            let n = self.posted;
            let body = json!({
                "title": format!("at a fault point {n}"), "severity": "High",
                "indicators": [{"type": "ip", "value": format!("45.83.{}.{}", n / 200, n % 200 + 1)}],
            });
            let asked = self.ask(&backend, "/v1/ingest/generic", &body).await;
            if let Some(uuid) = asked.and_then(|(status, answer)| {
                (status == 202).then(|| answer["data"]["alert_uuid"].as_str().map(str::to_owned))?
            }) {
                fresh.push(uuid);
            }
        }
        self.accepted.extend(fresh.iter().cloned());
        let until = Instant::now() + ROUND;
        while !self.all_told(&fresh) && Instant::now() < until && is_alive(&backend).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if let Some(alert) = fresh.first() {
            let path = format!("/v1/alerts/{alert}/findings");
            let body = json!({"summary": "found beside a fault", "confidence": 0.5});
            let posted = self.ask(&backend, &path, &body).await;
            self.findings += usize::from(posted.is_some_and(|(status, _)| status == 201));
            let path = format!("/v1/alerts/{alert}/trigger-agents");
            drop(self.ask(&backend, &path, &json!({})).await);
        }
        let path = format!("/v1/agents/{}/recover", self.agent_uuid);
        drop(self.ask(&backend, &path, &json!({"state": "dead"})).await);
        backend.kill().await
    }

    /// `None` when nobody answers any more.
    async fn ask(&self, backend: &Backend, path: &str, body: &Value) -> Option<(u16, Value)> {
        let asked = backend.call(&self.admin, Method::POST, path, Some(body));
        tokio::time::timeout(ROUND, asked).await.ok()?.ok()
    }

    fn all_told(&self, alerts: &[String]) -> bool {
        let told: BTreeSet<String> = self
            .agent
            .seen()
            .iter()
            .filter_map(|one| one.json()["alert"]["uuid"].as_str().map(str::to_owned))
            .collect();
        alerts.iter().all(|alert| told.contains(alert))
    }

    /// The shipped program on what is left: it ends all that was begun.
    async fn settled(&self) -> Result<()> {
        let mut backend = Backend::start(&shipped(&self.dir())).await?;
        backend.admin_key = Some(self.admin.clone());
        let alerts: Vec<String> = self.accepted.iter().cloned().collect();
        wait_for("every accepted alert at the agent", || async {
            // What a fault drove into quarantine waits for a person; it must then be done.
            release_all(&backend).await?;
            Ok(self.all_told(&alerts).then_some(()))
        })
        .await?;
        wait_for("every lookup to be over", || async {
            let statuses = self.statuses(&backend).await?;
            Ok((!statuses.contains_key("Pending")).then_some(()))
        })
        .await?;
        wait_for("an empty quarantine", || async {
            let left = release_all(&backend).await?;
            Ok((left == 0).then_some(()))
        })
        .await?;
        backend.terminate().await.map(drop)
    }

    /// How many of the accepted alerts have which enrichment status; one that is missing is an
    /// error.
    async fn statuses(&self, backend: &Backend) -> Result<BTreeMap<String, usize>> {
        let mut statuses = BTreeMap::new();
        for alert in &self.accepted {
            let shown = backend.get(&format!("/v1/alerts/{alert}")).await?;
            let status = shown["enrichment_status"].as_str().unwrap_or_default();
            *statuses.entry(status.to_owned()).or_default() += 1;
        }
        Ok(statuses)
    }

    async fn kept_findings(&self) -> Result<usize> {
        let mut backend = Backend::start(&shipped(&self.dir())).await?;
        backend.admin_key = Some(self.admin.clone());
        let mut kept = 0;
        for alert in &self.accepted {
            let list = backend.get(&format!("/v1/alerts/{alert}/findings")).await?;
            kept += list.as_array().map_or(0, Vec::len);
        }
        backend.kill().await?;
        Ok(kept)
    }
}

fn shipped(dir: &Path) -> BackendOptions {
    let mut options = BackendOptions::new(dir);
    // Lookups are answered from canned replies, so that there are some.
    options.arguments.push("--demo".to_owned());
    options.environment = vec![("CALSETA_LOG".to_owned(), "off".to_owned())];
    options
}

/// Has everything in quarantine tried once more; how much there was.
async fn release_all(backend: &Backend) -> Result<usize> {
    let jobs = backend.get("/v1/jobs").await?;
    let jobs = jobs.as_array().cloned().unwrap_or_default();
    for job in &jobs {
        let uuid = job["uuid"].as_str().context("a uuid")?;
        backend
            .post(&format!("/v1/jobs/{uuid}/release"), &json!({}))
            .await?;
    }
    Ok(jobs.len())
}

async fn is_alive(backend: &Backend) -> bool {
    tokio::net::TcpStream::connect(backend.address())
        .await
        .is_ok()
}

/// A migration is run by a directory's first start only.
async fn migrating(suite: &Suite, round: usize, actions: &str) -> Result<()> {
    let dir = suite.files.path().join(format!("fresh-{round}"));
    if let Ok(backend) = Backend::start(&suite.faulty(&dir, actions)).await {
        backend.kill().await?;
    }
    let backend = Backend::start(&shipped(&dir)).await?;
    ensure!(
        is_alive(&backend).await,
        "after {actions} it does not serve"
    );
    backend.kill().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_point_is_reached_and_survived() -> Result<()> {
    let actions = goals::many(
        vec!["return(abort)", "return(err)"],
        vec!["return(abort)", "return(err)", "panic", "sleep(2000)"],
    );
    let mut suite = Suite::start().await?;
    let mut rounds = 0;
    for point in POINTS {
        for side in SIDES {
            for action in &actions {
                rounds += 1;
                let fault = format!("{}{point}.{side}=1*{action}", before(point));
                if *point == "migration" {
                    migrating(&suite, rounds, &fault).await?;
                } else if *point == "suspect.claim" {
                    // Only what was in hand at two ends in a row is suspected.
                    suite.round("match.finish.before=return(abort)").await?;
                    suite.round("match.finish.before=return(abort)").await?;
                    suite.round(&fault).await?;
                } else {
                    suite.round(&fault).await?;
                }
                suite
                    .settled()
                    .await
                    .with_context(|| format!("after {fault}"))?;
            }
        }
    }
    let kept = suite.kept_findings().await?;
    let hits = std::fs::read_to_string(suite.hits())?;
    let hits: BTreeSet<&str> = hits.lines().collect();
    let all: Vec<String> = POINTS
        .iter()
        .filter(|point| !ELSEWHERE.contains(*point))
        .flat_map(|point| SIDES.map(|side| format!("{point}.{side}")))
        .collect();
    let unreached: Vec<&String> = all
        .iter()
        .filter(|name| !hits.contains(name.as_str()))
        .collect();
    goals::shown(
        "D2",
        format!(
            "{rounds} rounds of {actions:?}, {} alerts accepted",
            suite.accepted.len()
        ),
        format!(
            "{} of {} points reached ({} more inside the packages), 0 undone, {} findings missing",
            all.len() - unreached.len(),
            all.len(),
            ELSEWHERE.len() * SIDES.len(),
            suite.findings.saturating_sub(kept)
        ),
        "all, 0, 0",
    );
    ensure!(
        unreached.is_empty(),
        "these points were never reached: {unreached:?}"
    );
    ensure!(
        kept >= suite.findings,
        "{kept} of {} findings are kept",
        suite.findings
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_the_process_three_times_is_quarantined_and_the_rest_drains() -> Result<()>
{
    let mut suite = Suite::start().await?;
    let ends = "match.finish.before=return(abort)";
    let mut crashes = 0;
    // What is in hand when it ends is suspected after the second time and worked on alone.
    while crashes < 6 {
        crashes += 1;
        suite.round(ends).await?;
        if suite.quarantined().await? > 0 {
            break;
        }
    }
    let mut backend = Backend::start(&shipped(&suite.dir())).await?;
    backend.admin_key = Some(suite.admin.clone());
    let started = Instant::now();
    let after = json!({"title": "after the poison", "severity": "High"});
    let accepted = backend.post("/v1/ingest/generic", &after).await?;
    let uuid = accepted["alert_uuid"]
        .as_str()
        .context("a uuid")?
        .to_owned();
    wait_for("an alert beside the quarantine", || async {
        Ok(suite.all_told(std::slice::from_ref(&uuid)).then_some(()))
    })
    .await?;
    let drained = started.elapsed();
    let jobs = backend
        .get("/v1/jobs")
        .await?
        .as_array()
        .map_or(0, Vec::len);
    backend.kill().await?;
    suite.settled().await?;
    goals::shown(
        "D5",
        format!("a job that ends the process, in {} starts", 2 * crashes),
        format!(
            "{jobs} in quarantine, the next alert delivered after {} ms",
            drained.as_millis()
        ),
        "≥ 1; the rest drains",
    );
    ensure!(jobs > 0, "nothing was quarantined in {crashes} crashes");
    Ok(())
}

impl Suite {
    /// How many jobs are in quarantine, seen without working on any: the program is ended as soon
    /// as it has said so.
    async fn quarantined(&self) -> Result<usize> {
        let ends = "match.finish.before=return(abort)";
        let Ok(mut backend) = Backend::start(&self.faulty(&self.dir(), ends)).await else {
            return Ok(0);
        };
        backend.admin_key = Some(self.admin.clone());
        // It may end before it answers.
        let jobs = backend.get("/v1/jobs").await.unwrap_or_default();
        drop(backend.kill().await);
        Ok(jobs.as_array().map_or(0, Vec::len))
    }
}
