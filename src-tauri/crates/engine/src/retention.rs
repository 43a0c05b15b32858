//! What is removed with time, and what a person removes on purpose.
//!
//! Nothing is removed unless a setting says so. Removal is done in idle moments and small pieces, so
//! that ingest never waits for it, and every run is one event with its counts. A changed setting is
//! obeyed an hour later at the earliest: a wrong number can be taken back before it has done harm.

use std::sync::Arc;
use std::time::Duration;

use calseta_contract::retention::{
    DeleteAllRequest, DeleteAllView, DeletingAll, PurgeRequest, PurgeView, RetentionCounts,
    RetentionRun, RetentionRunView, RetentionView,
};
use calseta_domain::{AlertId, Scope, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::alert;
use calseta_store::tables::event::Actor;
use calseta_store::tables::retention::{self, Counts, Cutoffs};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::changes::Change;
use crate::settings::Settings;
use crate::start::Inner;
use crate::{Engine, Principal, Problem, alerts};

/// Milliseconds a day.
const DAY_MS: i64 = 24 * 3600 * 1000;
/// How often what is too old is removed by itself.
const RUN_EVERY_MS: i64 = 6 * 3600 * 1000;
/// How long after a start or a change of the settings it is left alone.
const GRACE_MS: i64 = 3600 * 1000;
/// How often the stage looks.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// Things that one commit removes: an alert with its findings costs about a millisecond.
const TOGETHER: u32 = 20;
/// How long one request removes before it answers; the rest follows by itself.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 500;

/// What somebody asks about instead of the settings: days, by the setting's key.
pub type WhatIf = Vec<(&'static str, i64)>;

fn cutoffs(settings: &Settings, instead: &[(&'static str, i64)], now: Timestamp) -> Cutoffs {
    let before = |key: &str| {
        let asked = instead.iter().find(|(asked, _)| *asked == key);
        let days = asked.map_or_else(|| settings.number("retention", key), |(_, days)| *days);
        (days > 0).then(|| now.plus_millis(-days.saturating_mul(DAY_MS)))
    };
    Cutoffs {
        closed_alerts: before("closed_alerts_days"),
        open_alerts: before("open_alerts_days"),
        deliveries: before("deliveries_days"),
        event_details: before("event_details_days"),
        rejects: before("rejects_days"),
    }
}

fn view(counts: Counts) -> RetentionCounts {
    RetentionCounts {
        closed_alerts: counts.closed_alerts,
        open_alerts: counts.open_alerts,
        deliveries: counts.deliveries,
        event_details: counts.event_details,
        rejects: counts.rejects,
    }
}

fn object(counts: Counts) -> Map<String, Value> {
    match json!(view(counts)) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Follows the settings and the clock until the engine stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut settings = inner.settings.subscribe();
    let mut not_before = inner.clock.now().plus_millis(GRACE_MS);
    loop {
        if let Err(problem) = delete_all(&inner).await {
            tracing::warn!(error = problem.message, "deleting all alerts");
        }
        let now = inner.clock.now();
        if now >= not_before {
            not_before = now.plus_millis(RUN_EVERY_MS);
            let by = system(now);
            if let Err(problem) = remove(&inner, &by, None).await {
                tracing::warn!(error = problem.message, "removing what is too old");
            }
        }
        tokio::select! {
            () = inner.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {},
            () = inner.retention_asked.notified() => {},
            changed = settings.changed() => {
                if changed.is_err() { return }
                not_before = not_before.max(inner.clock.now().plus_millis(GRACE_MS));
            },
        }
    }
}

fn system(at: Timestamp) -> Change {
    Change {
        actor: Actor::system(),
        at,
    }
}

/// Removes what is too old by the settings, until nothing is left or the time is up; whether nothing
/// is left. One event says what was removed.
async fn remove(
    inner: &Arc<Inner>,
    by: &Change,
    time: Option<Duration>,
) -> Result<(Counts, bool), Problem> {
    let _one = inner.removing.lock().await;
    let cutoffs = cutoffs(&inner.settings.borrow(), &[], by.at);
    let started = tokio::time::Instant::now();
    let (mut removed, mut is_done) = (Counts::default(), false);
    while !is_done && time.is_none_or(|time| started.elapsed() < time) {
        if inner.stop.is_cancelled() {
            break;
        }
        let some = inner
            .store
            .write_when_idle(move |tx: &WriteTx<'_>| retention::remove_some(tx, &cutoffs, TOGETHER))
            .await?;
        is_done = some.total() == 0;
        removed = removed.plus(some);
    }
    note(inner, by, removed).await?;
    Ok((removed, is_done))
}

async fn note(inner: &Arc<Inner>, by: &Change, removed: Counts) -> Result<(), Problem> {
    let (by, detail) = (by.clone(), object(removed));
    inner
        .store
        .write(move |tx: &WriteTx<'_>| {
            let text = Value::Object(detail.clone()).to_string();
            retention::note_run(tx, by.at, &text)?;
            if removed.total() == 0 {
                return Ok(());
            }
            by.append(tx, "retention.applied", ("retention", None), detail)
        })
        .await
}

/// Goes on deleting all alerts, when that was asked for.
pub(crate) async fn delete_all(inner: &Arc<Inner>) -> Result<(), Problem> {
    let progress = inner
        .store
        .read(|tx| Ok::<_, Problem>(retention::progress(tx)?))
        .await?;
    let Some(until) = progress.delete_until else {
        return Ok(());
    };
    let mut more = true;
    while more && !inner.stop.is_cancelled() {
        let now = inner.clock.now();
        more = inner
            .store
            .write_when_idle(move |tx: &WriteTx<'_>| {
                let more = retention::delete_some(tx, until, TOGETHER)?;
                if !more {
                    let mut detail = Map::new();
                    let progress = retention::progress(tx)?;
                    detail.insert("deleted".to_owned(), json!(progress.deleted));
                    let object = ("retention", None);
                    asked_by(progress.deleted_by.as_deref(), now).append(
                        tx,
                        "retention.all_deleted",
                        object,
                        detail,
                    )?;
                }
                Ok::<_, Problem>(more)
            })
            .await?;
    }
    Ok(())
}

/// Who asked, as it was stored with the wish.
fn asked_by(stored: Option<&str>, at: Timestamp) -> Change {
    let actor = stored
        .and_then(|text| serde_json::from_str::<(String, String, Option<String>)>(text).ok())
        .map_or_else(Actor::system, |(kind, name, key_prefix)| Actor {
            kind,
            name,
            key_prefix,
        });
    Change { actor, at }
}

impl Engine {
    /// `GET /v1/retention`: what a run would remove, by the settings or by other numbers of days.
    pub async fn retention(
        &self,
        by: &Principal,
        instead: &WhatIf,
    ) -> Result<RetentionView, Problem> {
        by.need(Scope::Admin)?;
        let cutoffs = cutoffs(&self.settings(), instead, self.inner.clock.now());
        let (counts, progress) = self
            .inner
            .store
            .read(move |tx| {
                Ok::<_, Problem>((retention::count(tx, &cutoffs)?, retention::progress(tx)?))
            })
            .await?;
        let removed = progress
            .removed
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        Ok(RetentionView {
            would_remove: view(counts),
            last_run: progress.ran_at.map(|at| RetentionRun { at, removed }),
            deleting_all: progress.delete_until.map(|(_, asked_at)| DeletingAll {
                deleted: progress.deleted,
                asked_at,
            }),
        })
    }

    /// `POST /v1/retention/run`: removes what is too old by the settings, now.
    pub async fn run_retention(&self, by: &Principal) -> Result<RetentionRunView, Problem> {
        by.need(Scope::Admin)?;
        by.need_human("removing what is too old")?;
        let change = self.change(by);
        let (removed, is_done) = remove(&self.inner, &change, Some(REQUEST_TIME)).await?;
        Ok(RetentionRunView {
            removed: view(removed),
            is_done,
        })
    }

    /// `POST /v1/alerts/{uuid}/purge`: removes everything that was written because of an alert. The
    /// event log keeps that it was there, who removed it and why.
    pub async fn purge_alert(
        &self,
        by: &Principal,
        id: AlertId,
        request: PurgeRequest,
    ) -> Result<PurgeView, Problem> {
        by.need(Scope::Admin)?;
        by.need_human("purging an alert")?;
        let reason = request.reason.trim().to_owned();
        if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS {
            return Err(Problem::field(
                "reason",
                format!(
                    "say why, in 1 to {MAX_REASON_CHARS} characters; it stays in the event log"
                ),
            ));
        }
        let change = self.change(by);
        let purged = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| purge(tx, id, &reason, &change))
            .await?;
        // What was overwritten in the database is still in the log's older pages.
        if !matches!(self.inner.store.empty_log().await, Ok(true)) {
            tracing::warn!("a purged alert stays in the write-ahead log until that is emptied");
        }
        Ok(purged)
    }

    /// `POST /v1/alerts/delete-all`: everything that came in until now, when the number is right.
    pub async fn delete_all_alerts(
        &self,
        by: &Principal,
        request: DeleteAllRequest,
    ) -> Result<DeleteAllView, Problem> {
        by.need(Scope::Admin)?;
        by.need_human("deleting all alerts")?;
        let change = self.change(by);
        let alerts = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| begin_delete_all(tx, &request, &change))
            .await?;
        self.inner.retention_asked.notify_one();
        Ok(DeleteAllView { alerts })
    }
}

fn purge(
    tx: &WriteTx<'_>,
    id: AlertId,
    reason: &str,
    change: &Change,
) -> Result<PurgeView, Problem> {
    let row = alerts::row(tx, id)?;
    let payload = alert::raw_payload(tx, row.id)?.unwrap_or_default();
    let payload_sha256 = hex::encode(Sha256::digest(payload.as_bytes()));
    let purged = retention::purge(tx, row.id, id)?;
    let mut detail = Map::new();
    detail.insert("reason".to_owned(), json!(reason));
    detail.insert("source_name".to_owned(), json!(row.source_name));
    detail.insert("severity".to_owned(), json!(row.severity));
    detail.insert("payload_sha256".to_owned(), json!(payload_sha256));
    detail.insert("findings".to_owned(), json!(purged.findings));
    detail.insert("deliveries".to_owned(), json!(purged.deliveries));
    change.append_to(
        tx,
        "alert.purged",
        ("alert", Some(id.uuid())),
        Some(id),
        detail,
    )?;
    Ok(PurgeView {
        alert_uuid: id,
        payload_sha256,
        findings: purged.findings,
        notes: purged.notes,
        deliveries: purged.deliveries,
        indicators: purged.indicators,
        event_details: purged.event_details,
    })
}

fn begin_delete_all(
    tx: &WriteTx<'_>,
    request: &DeleteAllRequest,
    change: &Change,
) -> Result<u64, Problem> {
    let there = retention::alerts(tx)?;
    let expected = format!("delete {there} alerts");
    if request.confirm != expected {
        return Err(Problem::field(
            "confirm",
            format!("type {expected:?} to delete all alerts that there are now"),
        ));
    }
    let actor = &change.actor;
    let by = json!([actor.kind, actor.name, actor.key_prefix]).to_string();
    retention::begin_delete_all(tx, &by, change.at)?;
    let mut detail = Map::new();
    detail.insert("alerts".to_owned(), json!(there));
    change.append(tx, "retention.delete_all", ("retention", None), detail)?;
    Ok(there)
}
