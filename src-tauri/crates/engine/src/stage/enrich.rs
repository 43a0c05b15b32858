//! Enrich: one job an indicator and provider, whoever's alerts need it.
//!
//! Every provider has its own slots, so that a slow one delays nobody else's answers. What a
//! failed lookup means is decided here: try again soon (overload, a broken connection), or give up
//! and let the alerts go on without it.

use std::sync::Arc;
use std::time::Duration;

use calseta_domain::{Indicator, Malice, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::enrichment::{self, Answer as StoredAnswer};
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::indicator::{self, IndicatorRow};
use calseta_store::tables::job::{self, JobKind, JobRow};
use calseta_store::tables::{alert, provider, provider_usage};
use serde_json::{Map, json};

use super::{calm_down, matching, pause, unbroken};
use crate::providers::Provider;
use crate::providers::lookup::{Lookup, Needs, look_up, used_up};
use crate::providers::quota::{self, Allowance};
use crate::start::Inner;
use crate::views::Evidence;
use crate::{Problem, quarantine};

/// How long a lookup may take in all, its answer stored: longer than any provider's own deadline.
const DEADLINE: Duration = Duration::from_mins(2);
/// How long a lookup may be in hand, by the awake clock.
const LEASE: Duration = Duration::from_secs(150);
/// Lookups a job may take in all.
const MAX_ATTEMPTS: u32 = 3;
/// The wait before the second lookup; the third waits twice as long.
const RETRY_MS: i64 = 2_000;
/// The longest wait that a provider may ask for before it counts as failed. The alerts' budget is
/// a minute; the answer of a later lookup would come too late for them.
const MAX_RETRY_AFTER_MS: i64 = 30_000;
/// The longest that a provider may keep everybody from asking: an hour. A mistaken header must not
/// switch it off for good.
const MAX_BLOCKED_MS: i64 = 3_600_000;
/// How long a failure is remembered before the next alert asks again.
const FAILURE_TTL_MS: i64 = 60_000;
/// Alerts whose verdict follows a late answer; older ones follow when they are opened again.
const REFRESHED_ALERTS: u32 = 500;

pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        if inner.stop.is_cancelled() {
            return;
        }
        let mut started = 0;
        for provider in inner.provider_set().all() {
            match claim(&inner, provider).await {
                Ok(count) => started += count,
                Err(error) => {
                    tracing::warn!(error = %error, "claiming lookups");
                    if !calm_down(&inner).await {
                        return;
                    }
                }
            }
        }
        if started > 0 {
            continue;
        }
        let next = inner
            .store
            .read(|tx| job::next_due(tx, JobKind::Enrich))
            .await
            .ok()
            .flatten();
        // A due job whose provider has no free slot is woken for by the slot, and one whose
        // provider's minute is used up by the next minute; the clock is for the others.
        let now = inner.clock.now();
        let next = next.filter(|at| *at > now);
        let next = next.into_iter().chain(next_allowance(&inner, now)).min();
        if !pause(&inner, inner.enrich_wake(), next).await {
            return;
        }
    }
}

async fn claim(
    inner: &Arc<Inner>,
    provider: &Arc<Provider>,
) -> Result<usize, calseta_store::StoreError> {
    let (row, now) = (provider.row.id, inner.clock.now());
    let lease = inner.lease(LEASE);
    let free = u32::try_from(provider.slots.available_permits()).unwrap_or(u32::MAX);
    if free == 0
        || !inner
            .store
            .read(move |tx| job::is_due(tx, JobKind::Enrich, row, now))
            .await?
    {
        return Ok(0);
    }
    let allowance = provider.allowance(now);
    let most = match allowance {
        Allowance::Now(lookups) => free.min(lookups),
        Allowance::From(_) => return Ok(0),
        // Nothing will be asked: the alerts are told so at once instead of tomorrow.
        Allowance::UsedUp => free,
    };
    let is_counted = provider.row.mode == "live" && matches!(allowance, Allowance::Now(_));
    let jobs = inner
        .store
        .write_at("enrich.claim", move |tx: &WriteTx<'_>| {
            let jobs = job::claim_of(tx, (JobKind::Enrich, row), lease, most, now)?;
            let lookups = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
            if is_counted && lookups > 0 {
                provider_usage::add(tx, row, quota::day(now), lookups)?;
            }
            Ok::<_, calseta_store::StoreError>(jobs)
        })
        .await?;
    let count = jobs.len();
    if is_counted {
        let lookups = u32::try_from(count).unwrap_or(u32::MAX);
        provider.usage.record(&provider.quota, now, lookups);
    }
    let is_allowed = !matches!(allowance, Allowance::UsedUp);
    for job in jobs {
        let (inner, provider) = (Arc::clone(inner), Arc::clone(provider));
        inner.tasks.clone().spawn(async move {
            // Only this loop takes permits, and no more than are free: this never waits.
            let slot = Arc::clone(&provider.slots).acquire_owned().await;
            one(&inner, &provider, job, is_allowed).await;
            drop(slot);
            inner.enrich_freed.notify_one();
        });
    }
    Ok(count)
}

/// When the next provider's minute begins, of those that have work and may not be asked now.
fn next_allowance(inner: &Inner, now: Timestamp) -> Option<Timestamp> {
    let set = inner.provider_set();
    let times = set
        .all()
        .filter_map(|provider| match provider.allowance(now) {
            Allowance::From(at) => Some(at),
            Allowance::Now(_) | Allowance::UsedUp => None,
        });
    times.min()
}

/// A lookup of a job that is suspected of ending the process. One whose provider is no longer there
/// waits for it as any other.
pub(super) async fn alone(inner: &Arc<Inner>, job: JobRow) {
    let set = inner.provider_set();
    let provider = set.all().find(|provider| provider.row.id == job.object);
    if let Some(provider) = provider {
        one(inner, provider, job, true).await;
    } else {
        put_back(inner, job, "its provider is switched off").await;
    }
}

async fn one(inner: &Arc<Inner>, provider: &Arc<Provider>, job: JobRow, is_allowed: bool) {
    let asked = unbroken(tokio::time::timeout(
        DEADLINE,
        ask(inner, provider, &job, is_allowed),
    ));
    let result = match asked.await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            let broke = "it took too long".to_owned();
            return quarantine::broke_off(inner, job, RETRY_MS, broke).await;
        }
        Err(broke) => return quarantine::broke_off(inner, job, RETRY_MS, broke).await,
    };
    if let Err(problem) = result {
        tracing::error!(
            provider.name = provider.row.name,
            error = problem.message,
            "a lookup was not stored"
        );
        put_back(inner, job, &problem.message).await;
    }
}

async fn put_back(inner: &Arc<Inner>, job: JobRow, why: &str) {
    let (boot, at) = (inner.store.boot(), inner.clock.now().plus_millis(RETRY_MS));
    let why = why.to_owned();
    let back = inner
        .store
        .write_at("enrich.retry", move |tx: &WriteTx<'_>| {
            job::retry(tx, &job, boot, at, &why)
        })
        .await;
    if let Err(error) = back {
        tracing::error!(error = %error, "a lookup could not be put back; it is after its lease");
    }
}

async fn ask(
    inner: &Arc<Inner>,
    provider: &Arc<Provider>,
    job: &JobRow,
    is_allowed: bool,
) -> Result<(), Problem> {
    let (subject, asked) = (job.subject, Arc::clone(provider));
    let found = inner
        .store
        .read(move |tx| {
            let Some(row) = indicator::by_row(tx, subject)? else {
                return Ok(None);
            };
            Ok::<_, Problem>(Some((row, Needs::read(tx, &asked)?)))
        })
        .await?;
    let lookup = match &found {
        None => Lookup::failed("the indicator is gone"),
        Some(_) if !is_allowed => used_up(provider),
        Some((row, needs)) => {
            let indicator = Indicator {
                kind: row.kind,
                value: row.value.clone(),
            };
            look_up(inner, provider, &indicator, needs).await
        }
    };
    let blocked_until = blocked_until(&lookup, inner.clock.now());
    if let Some(until) = blocked_until {
        provider.usage.block_until(until);
    }
    let (lookup, job, provider) = (
        settle_retry(lookup, job.attempt),
        job.clone(),
        Arc::clone(provider),
    );
    let key_changed = changes_key_state(&provider, &lookup);
    let (boot, now) = (inner.store.boot(), inner.clock.now());
    let (writer, provider_row) = (Arc::clone(inner), provider.row.id);
    inner
        .store
        .write_at("enrich.finish", move |tx: &WriteTx<'_>| {
            let indicator = found.as_ref().map(|(row, _)| row);
            if blocked_until.is_some() {
                provider::block_until(tx, provider_row, blocked_until)?;
            }
            store(
                tx,
                (&writer, &provider),
                (&job, indicator),
                &lookup,
                boot,
                now,
            )
        })
        .await?;
    if key_changed {
        inner.reload_providers().await?;
    }
    Ok(())
}

/// A provider that is asked too much says when to come back: nobody asks it before.
fn blocked_until(lookup: &Lookup, now: Timestamp) -> Option<Timestamp> {
    match lookup {
        Lookup::Again {
            after_ms: Some(ms), ..
        } => Some(now.plus_millis((*ms).min(MAX_BLOCKED_MS))),
        Lookup::Again { .. } | Lookup::Answered { .. } | Lookup::Failed { .. } => None,
    }
}

/// Whether this answer says something new about the provider's key.
fn changes_key_state(provider: &Provider, lookup: &Lookup) -> bool {
    let is_invalid = provider.row.key_state == "invalid";
    match lookup {
        Lookup::Failed { key_refused, .. } => *key_refused && !is_invalid,
        Lookup::Answered { demo, .. } => is_invalid && !demo,
        Lookup::Again { .. } => false,
    }
}

/// The last attempt has no "again".
fn settle_retry(lookup: Lookup, attempt: u32) -> Lookup {
    match lookup {
        Lookup::Again { after_ms, error } => {
            let asked_too_much = after_ms.is_some_and(|ms| ms > MAX_RETRY_AFTER_MS);
            if attempt >= MAX_ATTEMPTS || asked_too_much {
                Lookup::Failed {
                    error,
                    key_refused: false,
                }
            } else {
                Lookup::Again { after_ms, error }
            }
        }
        other => other,
    }
}

fn store(
    tx: &WriteTx<'_>,
    (inner, provider): (&Inner, &Provider),
    (job, row): (&JobRow, Option<&IndicatorRow>),
    lookup: &Lookup,
    boot: i64,
    now: Timestamp,
) -> Result<(), Problem> {
    if let Lookup::Again { after_ms, error } = lookup {
        let wait = after_ms.unwrap_or(RETRY_MS * i64::from(job.attempt));
        return Ok(job::retry(tx, job, boot, now.plus_millis(wait), error)?);
    }
    if !job::finish(tx, job, boot)? {
        return Ok(());
    }
    let Some(row) = row else { return Ok(()) };
    let key = (row.id, provider.row.id);
    match lookup {
        Lookup::Answered {
            extracted,
            malice,
            raw,
            demo,
        } => {
            let expires_at = now.plus_millis(provider.ttl_ms(row.kind));
            let answer = StoredAnswer {
                extracted,
                malice: *malice,
                raw: raw.as_deref(),
                expires_at,
                is_demo: *demo,
            };
            let worst = enrichment::store(tx, key, &answer, now)?;
            if provider.row.key_state == "invalid" && !demo {
                provider::set_key_state(tx, provider.row.id, "set")?;
            }
            announce(tx, provider, row, worst, now)?;
        }
        Lookup::Failed { error, key_refused } => {
            let expires_at = now.plus_millis(FAILURE_TTL_MS);
            enrichment::store_failure(tx, key, error, expires_at)?;
            if *key_refused {
                provider::set_key_state(tx, provider.row.id, "invalid")?;
            }
        }
        Lookup::Again { .. } => {}
    }
    job::release_matches(tx, row.id, now)?;
    refresh_status(tx, inner, row.id, now)
}

/// The window hears of the answer; alerts that went on without it get the new verdict.
fn announce(
    tx: &WriteTx<'_>,
    provider: &Provider,
    row: &IndicatorRow,
    worst: Malice,
    now: Timestamp,
) -> Result<(), Problem> {
    let actor = Actor::system();
    let mut detail = Map::new();
    detail.insert("provider".to_owned(), json!(provider.row.name));
    detail.insert("malice".to_owned(), json!([row.malice, worst]));
    event::append(
        tx,
        NewEvent {
            at: now,
            actor: &actor,
            kind: "indicator.updated",
            object: ("indicator", Some(row.uuid.uuid())),
            alert: None,
            detail,
        },
    )?;
    alerts_follow(tx, row.id, now)
}

/// An indicator's verdict changed: the alerts that have it get the new worst one.
pub(crate) fn alerts_follow(
    tx: &WriteTx<'_>,
    indicator: i64,
    now: Timestamp,
) -> Result<(), Problem> {
    let actor = Actor::system();
    for (alert, before, after) in alert::refresh_malice(tx, indicator, REFRESHED_ALERTS, now)? {
        let mut detail = Map::new();
        detail.insert("malice".to_owned(), json!([before, after]));
        event::append(
            tx,
            NewEvent {
                at: now,
                actor: &actor,
                kind: "alert.updated",
                object: ("alert", Some(alert.uuid())),
                alert: Some(alert),
                detail,
            },
        )?;
    }
    Ok(())
}

/// Alerts that went on without an answer: now that it is there, their enrichment may be whole.
fn refresh_status(
    tx: &WriteTx<'_>,
    inner: &Inner,
    indicator: i64,
    now: Timestamp,
) -> Result<(), Problem> {
    let providers = inner.provider_set();
    for row in alert::incomplete(tx, indicator, REFRESHED_ALERTS)? {
        let evidence = Evidence::read(tx, row.id, |id| providers.name(id))?;
        let status = matching::enrichment_status(&evidence);
        if status == row.enrichment_status {
            continue;
        }
        alert::set_enrichment_status(tx, row.id, status, now)?;
        let mut detail = Map::new();
        let change = json!([row.enrichment_status, status]);
        detail.insert("enrichment_status".to_owned(), change);
        event::append(
            tx,
            NewEvent {
                at: now,
                actor: &Actor::system(),
                kind: "alert.updated",
                object: ("alert", Some(row.uuid.uuid())),
                alert: Some(row.uuid),
                detail,
            },
        )?;
    }
    Ok(())
}
