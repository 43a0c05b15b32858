//! Enrich: one job an indicator and provider, whoever's alerts need it.
//!
//! Every provider has its own slots, so that a slow one delays nobody else's answers. What a
//! failed lookup means is decided here: try again soon (overload, a broken connection), or give up
//! and let the alerts go on without it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use calseta_domain::step::{self, RenderedRequest, StatusMeaning};
use calseta_domain::template::Scope;
use calseta_domain::{Indicator, Malice, Timestamp, retry};
use calseta_egress::{Answer, Audience, Grant, Outbound, Overflow, SendError};
use calseta_store::WriteTx;
use calseta_store::tables::enrichment::{self, Answer as StoredAnswer};
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::indicator::{self, IndicatorRow};
use calseta_store::tables::job::{self, JobKind, JobRow};
use calseta_store::tables::secret::{self, SealedSecret};
use calseta_store::tables::{alert, provider};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value, json};

use super::{calm_down, pause};
use crate::providers::Provider;
use crate::start::Inner;
use crate::{Problem, grants};

/// Lookups a job may take in all.
const MAX_ATTEMPTS: u32 = 3;
/// The wait before the second lookup; the third waits twice as long.
const RETRY_MS: i64 = 2_000;
/// The longest wait that a provider may ask for before it counts as failed. The alerts' budget is
/// a minute; the answer of a later lookup would come too late for them.
const MAX_RETRY_AFTER_MS: i64 = 30_000;
/// How long a failure is remembered before the next alert asks again.
const FAILURE_TTL_MS: i64 = 60_000;
/// The largest answer of a provider.
const ANSWER_BYTES: usize = 1024 * 1024;
/// What of an answer is stored for people who look closer.
const RAW_BYTES: usize = 256 * 1024;
/// Alerts whose verdict follows a late answer; older ones follow when they are opened again.
const REFRESHED_ALERTS: u32 = 500;

/// What a lookup came to.
#[derive(Debug)]
enum Lookup {
    Answered {
        extracted: Map<String, Value>,
        malice: Malice,
        raw: Option<String>,
        demo: bool,
    },
    Again {
        after_ms: Option<i64>,
        error: String,
    },
    Failed {
        error: String,
        key_refused: bool,
    },
}

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
        // A due job whose provider has no free slot is woken for by the slot, not by the clock.
        let next = next.filter(|at| *at > inner.clock.now());
        if !pause(&inner, inner.enrich_wake(), next).await {
            return;
        }
    }
}

async fn claim(
    inner: &Arc<Inner>,
    provider: &Arc<Provider>,
) -> Result<usize, calseta_store::StoreError> {
    let (row, now, boot) = (provider.row.id, inner.clock.now(), inner.store.boot());
    let free = u32::try_from(provider.slots.available_permits()).unwrap_or(u32::MAX);
    if free == 0
        || !inner
            .store
            .read(move |tx| job::is_due(tx, JobKind::Enrich, row, now))
            .await?
    {
        return Ok(0);
    }
    let jobs = inner
        .store
        .write(move |tx: &WriteTx<'_>| job::claim_of(tx, (JobKind::Enrich, row), boot, free, now))
        .await?;
    let count = jobs.len();
    for job in jobs {
        let (inner, provider) = (Arc::clone(inner), Arc::clone(provider));
        inner.tasks.clone().spawn(async move {
            // Only this loop takes permits, and no more than are free: this never waits.
            let slot = Arc::clone(&provider.slots).acquire_owned().await;
            one(&inner, &provider, job).await;
            drop(slot);
            inner.enrich_freed.notify_one();
        });
    }
    Ok(count)
}

async fn one(inner: &Arc<Inner>, provider: &Arc<Provider>, job: JobRow) {
    let result = ask(inner, provider, &job).await;
    if let Err(problem) = result {
        tracing::error!(
            provider.name = provider.row.name,
            error = problem.message,
            "a lookup was not stored"
        );
        let (boot, at) = (inner.store.boot(), inner.clock.now().plus_millis(RETRY_MS));
        let back = inner
            .store
            .write(move |tx: &WriteTx<'_>| job::retry(tx, &job, boot, at, &problem.message))
            .await;
        if let Err(error) = back {
            tracing::error!(error = %error, "a lookup could not be put back; it is after the next start");
        }
    }
}

async fn ask(inner: &Arc<Inner>, provider: &Arc<Provider>, job: &JobRow) -> Result<(), Problem> {
    let (subject, owner) = (job.subject, provider.secret_owner());
    let fields = provider.auth_fields.clone();
    let found = inner
        .store
        .read(move |tx| {
            let Some(row) = indicator::by_row(tx, subject)? else {
                return Ok(None);
            };
            let mut sealed = Vec::new();
            for field in fields {
                if let Some(secret) = secret::get(tx, &owner, &field)? {
                    sealed.push((field, secret));
                }
            }
            Ok::<_, Problem>(Some((row, sealed, grants::of(tx, Audience::Provider)?)))
        })
        .await?;
    let lookup = match &found {
        None => Lookup::Failed {
            error: "the indicator is gone".to_owned(),
            key_refused: false,
        },
        Some((row, sealed, grants)) => look_up(inner, provider, row, sealed, grants).await,
    };
    let (lookup, job, provider) = (
        settle_retry(lookup, job.attempt),
        job.clone(),
        Arc::clone(provider),
    );
    let (boot, now) = (inner.store.boot(), inner.clock.now());
    inner
        .store
        .write(move |tx: &WriteTx<'_>| {
            let indicator = found.as_ref().map(|(row, _, _)| row);
            store(tx, &provider, (&job, indicator), &lookup, boot, now)
        })
        .await
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

async fn look_up(
    inner: &Inner,
    provider: &Provider,
    row: &IndicatorRow,
    sealed: &[(String, SealedSecret)],
    grants: &[Grant],
) -> Lookup {
    let indicator = Indicator {
        kind: row.kind,
        value: row.value.clone(),
    };
    if provider.row.mode == "mock" {
        return canned(provider, &indicator);
    }
    let owner = provider.secret_owner();
    let mut auth = BTreeMap::new();
    for (field, secret) in sealed {
        match inner.vault.unseal(&owner, field, secret) {
            Ok(value) => drop(auth.insert(field.clone(), value.to_string())),
            Err(error) => {
                return Lookup::Failed {
                    error: error.to_string(),
                    key_refused: true,
                };
            }
        }
    }
    let mut responses = Map::new();
    for step in provider.config.steps_for(indicator.kind) {
        let scope = Scope {
            indicator: Some(&indicator),
            auth: Some(&auth),
            base_url: Some(&provider.base_url),
            steps: Some(&responses),
        };
        let asked = match step::render(&step, &scope) {
            Ok(request) => send(inner, request, step.timeout_seconds, grants).await,
            Err(error) => {
                return Lookup::Failed {
                    error: error.to_string(),
                    key_refused: false,
                };
            }
        };
        let answer = match asked {
            Ok(answer) => answer,
            Err(_) if step.optional => continue,
            Err(error) => return send_failed(&error),
        };
        match step.judge(answer.status) {
            StatusMeaning::Expected => {
                drop(responses.insert(step.name.clone(), step::response_value(&answer.body)));
            }
            StatusMeaning::NotFound if !step.optional => return not_found(provider),
            StatusMeaning::NotFound | StatusMeaning::Unexpected if step.optional => {}
            StatusMeaning::NotFound | StatusMeaning::Unexpected => {
                return refused(provider, &answer, inner.clock.now());
            }
        }
    }
    answered(
        provider,
        &indicator,
        &provider.config.raw_response(responses),
        false,
    )
}

fn answered(provider: &Provider, indicator: &Indicator, response: &Value, demo: bool) -> Lookup {
    let extracted = step::extract_fields(&provider.extractions, indicator.kind, response);
    let raw = response.to_string();
    Lookup::Answered {
        extracted,
        malice: provider.verdicts.verdict(response),
        raw: (raw.len() <= RAW_BYTES).then_some(raw),
        demo,
    }
}

/// Not knowing an indicator is an answer.
fn not_found(provider: &Provider) -> Lookup {
    let mut extracted = Map::new();
    extracted.insert("found".to_owned(), json!(false));
    Lookup::Answered {
        extracted,
        malice: provider.verdicts.not_found(),
        raw: None,
        demo: false,
    }
}

fn canned(provider: &Provider, indicator: &Indicator) -> Lookup {
    match provider.canned(indicator.kind) {
        Some(response) => answered(provider, indicator, response, true),
        None => Lookup::Failed {
            error: "there is no canned answer for this type".to_owned(),
            key_refused: false,
        },
    }
}

fn send_failed(error: &SendError) -> Lookup {
    let text = error.to_string();
    match error {
        SendError::Blocked(_) | SendError::Tls(_) | SendError::TooLarge => Lookup::Failed {
            error: text,
            key_refused: false,
        },
        SendError::Timeout | SendError::Connect(_) | SendError::Transport(_) => Lookup::Again {
            after_ms: None,
            error: text,
        },
    }
}

fn refused(provider: &Provider, answer: &Answer, now: Timestamp) -> Lookup {
    let name = &provider.row.display_name;
    match answer.status {
        401 | 403 => Lookup::Failed {
            error: format!("{name} answered {}: check its API key", answer.status),
            key_refused: true,
        },
        429 | 500..=599 => {
            let value = answer
                .headers
                .get(header::RETRY_AFTER)
                .and_then(|v| v.to_str().ok());
            Lookup::Again {
                after_ms: value.and_then(|value| retry::parse_retry_after(value, now)),
                error: format!("{name} answered {}", answer.status),
            }
        }
        status => Lookup::Failed {
            error: format!("{name} answered {status}"),
            key_refused: false,
        },
    }
}

async fn send(
    inner: &Inner,
    request: RenderedRequest,
    timeout_seconds: u32,
    grants: &[Grant],
) -> Result<Answer, SendError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name.as_str());
        let value = HeaderValue::from_str(value);
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(SendError::Transport(
                "a header of the request cannot be sent".to_owned(),
            ));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    if let Some(kind) = request.content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    let method = http::Method::from_bytes(request.method.as_str().as_bytes())
        .expect("every method of a step is an HTTP method");
    inner
        .egress
        .send(Outbound {
            audience: Audience::Provider,
            method,
            url: request.url.clone(),
            headers,
            body: Bytes::from(request.body.clone().unwrap_or_default()),
            grants: grants.to_vec(),
            deadline: Duration::from_secs(timeout_seconds.into()),
            max_response_bytes: ANSWER_BYTES,
            overflow: Overflow::Fail,
        })
        .await
}

fn store(
    tx: &WriteTx<'_>,
    provider: &Provider,
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
    Ok(())
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
    for (alert, before, after) in alert::refresh_malice(tx, row.id, REFRESHED_ALERTS, now)? {
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
