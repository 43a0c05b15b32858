//! Match: an alert whose enrichment is over (or whose budget is spent) meets agents, documents and
//! its rule; its payload is frozen and the deliveries are stored, in one transaction.

use std::sync::Arc;
use std::time::Duration;

use calseta_domain::breaker::Health;
use calseta_domain::{EnrichmentStatus, Malice, Subject, Timestamp};
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::delivery::{self, NewDelivery};
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::job::{self, JobKind, JobRow};
use calseta_store::{ReadTx, StoreError, WriteTx};
use serde_json::{Map, json};

use super::{calm_down, pause, unbroken};
use crate::payload::{self, Frozen};
use crate::start::Inner;
use crate::views::Evidence;
use crate::{Problem, agents, quarantine, suppressions};

/// Alerts worked on at once.
const BATCH: u32 = 32;
/// Alerts that share a snapshot and a commit: enough to save most of the cost of both, few enough
/// that the first of a burst does not wait long for the last.
const TOGETHER: usize = 8;
/// How long a batch may be in hand, by the awake clock.
const LEASE: Duration = Duration::from_mins(1);
/// How long a failed match waits.
const RETRY_MS: i64 = 1_000;

/// What a match found out, ready to be stored.
struct Matched {
    alert: AlertRow,
    status: EnrichmentStatus,
    worst: Malice,
    frozen: Option<Frozen>,
    agents: Vec<AgentRow>,
    detail: Map<String, serde_json::Value>,
}

pub(super) async fn run(inner: Arc<Inner>) {
    while !inner.stop.is_cancelled() {
        let go_on = match step(&inner).await {
            Ok(Step::Worked) => true,
            Ok(Step::Idle { next }) => pause(&inner, inner.store.match_wake(), next).await,
            Err(error) => {
                tracing::warn!(error = %error, "looking for alerts to match");
                calm_down(&inner).await
            }
        };
        if !go_on {
            return;
        }
    }
}

/// What one look at the due alerts came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Some were matched; there may be more.
    Worked,
    /// None is due before `next`.
    Idle { next: Option<Timestamp> },
}

/// Matches a batch of the alerts that are due now.
pub(crate) async fn step(inner: &Arc<Inner>) -> Result<Step, StoreError> {
    let (lease, now) = (inner.lease(LEASE), inner.clock.now());
    // Looking first costs no commit when there is nothing to do.
    let next = inner
        .store
        .read(move |tx| job::next_due(tx, JobKind::Match))
        .await?;
    if next.is_none_or(|at| at > now) {
        return Ok(Step::Idle { next });
    }
    let jobs = inner
        .store
        .write_at("match.claim", move |tx: &WriteTx<'_>| {
            job::claim_of(tx, (JobKind::Match, 0), lease, BATCH, now)
        })
        .await?;
    work(inner, jobs).await;
    Ok(Step::Worked)
}

async fn work(inner: &Arc<Inner>, jobs: Vec<JobRow>) {
    let handles: Vec<_> = jobs
        .chunks(TOGETHER)
        .map(|some| {
            let (inner, jobs) = (Arc::clone(inner), some.to_vec());
            inner
                .tasks
                .clone()
                .spawn(async move { together(&inner, jobs).await })
        })
        .collect();
    for handle in handles {
        if let Err(error) = handle.await {
            tracing::error!(error = %error, "a match stopped; it is tried again after the next start");
        }
    }
}

async fn together(inner: &Arc<Inner>, jobs: Vec<JobRow>) {
    if jobs.len() > 1 && matches!(unbroken(match_alerts(inner, &jobs)).await, Ok(Ok(()))) {
        return;
    }
    // Alone each, so that one that cannot be matched does not hold up the others.
    for job in jobs {
        one(inner, job).await;
    }
}

/// Matches one alert; what fails is tried again, what breaks off three times comes into quarantine.
pub(crate) async fn one(inner: &Arc<Inner>, job: JobRow) {
    let matched = unbroken(match_alerts(inner, std::slice::from_ref(&job))).await;
    let problem = match matched {
        Ok(Ok(())) => return,
        Ok(Err(problem)) => problem,
        Err(broke) => return quarantine::broke_off(inner, job, RETRY_MS, broke).await,
    };
    tracing::warn!(
        job.attempt,
        error = problem.message,
        "an alert could not be matched; trying again"
    );
    let (boot, run_at) = (inner.store.boot(), inner.clock.now().plus_millis(RETRY_MS));
    let retried = inner
        .store
        .write_at("match.retry", move |tx: &WriteTx<'_>| {
            job::retry(tx, &job, boot, run_at, &problem.message)
        })
        .await;
    if let Err(error) = retried {
        tracing::error!(error = %error, "a match could not be put back; it is after the next start");
    }
}

/// Matches alerts from one snapshot and stores what follows in one commit: all of it or nothing.
async fn match_alerts(inner: &Arc<Inner>, jobs: &[JobRow]) -> Result<(), Problem> {
    let (jobs, reader, now) = (jobs.to_vec(), Arc::clone(inner), inner.clock.now());
    let base_url = inner
        .base_url
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone();
    let matched = inner
        .store
        .read(move |tx| {
            let agents = agent::all(tx)?;
            jobs.into_iter()
                .map(|job| {
                    let matched = decide(tx, &reader, (job.subject, &agents), &base_url, now)?;
                    Ok::<_, Problem>((job, matched))
                })
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let (boot, writer) = (inner.store.boot(), Arc::clone(inner));
    inner
        .store
        .write_at("match.finish", move |tx: &WriteTx<'_>| {
            for (job, matched) in &matched {
                // Somebody else finished it: these results are not wanted.
                if !job::finish(tx, job, boot)? {
                    continue;
                }
                if let Some(matched) = matched {
                    store(tx, matched, &writer, now)?;
                }
            }
            Ok::<_, Problem>(())
        })
        .await
}

/// Everything a match decides, from one snapshot. `None` when the alert is gone.
fn decide(
    tx: &ReadTx<'_>,
    inner: &Inner,
    (alert, agents): (i64, &[AgentRow]),
    base_url: &str,
    now: Timestamp,
) -> Result<Option<Matched>, Problem> {
    let Some(mut row) = alert::by_row(tx, alert)? else {
        return Ok(None);
    };
    let providers = inner.provider_set();
    let evidence = Evidence::read(tx, row.id, |id| providers.name(id))?;
    let status = enrichment_status(&evidence);
    let worst = Malice::worst(evidence.indicators.iter().map(|i| i.malice));
    row.enriched_at = Some(now);
    row.enrichment_status = status;
    let subject = Subject {
        source_name: &row.source_name,
        severity: row.severity,
        tags: &row.tags,
    };
    // What a disabled agent would have been told is parked until a person takes it up again.
    let is_told = |agent: &AgentRow| agent.is_active || agent.health == Health::Disabled;
    let matches = |agent: &&AgentRow| {
        is_told(agent)
            && agents::filter(inner, agent).is_some_and(|filter| filter.matches(&subject))
    };
    let matching: Vec<AgentRow> = agents.iter().filter(matches).cloned().collect();
    let frozen = if matching.is_empty() {
        None
    } else {
        Some(payload::of_alert(
            tx,
            inner,
            (&row, &evidence),
            (base_url, false),
            now,
        )?)
    };
    let outcome = evidence.outcome(Some(now));
    let mut detail = Map::new();
    detail.insert("enrichment_status".to_owned(), json!(["Pending", status]));
    detail.insert(
        "indicator_count".to_owned(),
        json!(evidence.indicators.len()),
    );
    detail.insert("providers_succeeded".to_owned(), json!(outcome.succeeded));
    detail.insert("providers_failed".to_owned(), json!(outcome.failed));
    detail.insert("providers_pending".to_owned(), json!(outcome.pending));
    detail.insert("malice".to_owned(), json!([row.malice, worst]));
    detail.insert(
        "agents".to_owned(),
        json!(matching.iter().map(|a| &a.name).collect::<Vec<_>>()),
    );
    Ok(Some(Matched {
        alert: row,
        status,
        worst,
        frozen,
        agents: matching,
        detail,
    }))
}

/// Enriched when all answered or there was nothing to ask; Failed when none did.
pub(super) fn enrichment_status(evidence: &Evidence) -> EnrichmentStatus {
    let failed = evidence
        .results
        .iter()
        .filter(|result| !result.success)
        .count();
    let answered = evidence.results.len() - failed;
    match (failed, answered, evidence.pending.is_empty()) {
        (0, _, true) => EnrichmentStatus::Enriched,
        (_, 0, true) => EnrichmentStatus::Failed,
        _ => EnrichmentStatus::Partial,
    }
}

fn store(
    tx: &WriteTx<'_>,
    matched: &Matched,
    inner: &Inner,
    now: Timestamp,
) -> Result<(), Problem> {
    let alert = &matched.alert;
    alert::settle_enrichment(tx, alert.id, matched.status, matched.worst, now)?;
    let mut detail = matched.detail.clone();
    // More is known of it now: what a suppression says of its verdict may hold, or no longer.
    let now_stands = alert::by_row(tx, alert.id)?;
    let was = now_stands.as_ref().and_then(|row| row.suppressed_by);
    let hidden_by = suppressions::judge_again(tx, &inner.suppressing, (alert.id, was), now)?;
    if hidden_by != was {
        detail.insert("suppressed_by".to_owned(), json!([was, hidden_by]));
    }
    event::append(
        tx,
        NewEvent {
            at: now,
            actor: &Actor::system(),
            kind: "alert.enriched",
            object: ("alert", Some(alert.uuid.uuid())),
            alert: Some(alert.uuid),
            detail,
        },
    )?;
    let raised = now_stands.is_some_and(|row| row.severity != alert.severity);
    if raised {
        // A repetition raised it while this match was under way: filters look again.
        alert::next_generation(tx, alert.id)?;
        job::insert(tx, JobKind::Match, (alert.id, 0), now, now)?;
    }
    let Some(frozen) = &matched.frozen else {
        return Ok(());
    };
    let payload = delivery::put_payload(tx, frozen.sha256, &frozen.body)?;
    for agent in &matched.agents {
        delivery::insert(
            tx,
            &NewDelivery {
                uuid: inner.ids.next(),
                alert: Some(alert.id),
                agent: agent.id,
                generation: alert.generation,
                trigger: "enriched",
                payload,
                created_at: now,
            },
        )?;
    }
    Ok(())
}
