//! Suppressions: queries that keep alerts out of the queue for a while.
//!
//! A suppressed alert is stored, enriched, matched and sent to agents like any other, and counted
//! by every metric; only the queue and the notifications leave it out. It is judged in the
//! transaction that stores it, again when its enrichment is over, and again when a repetition
//! raises its severity, so that what no longer fits comes back. Suppressions end by the clock or
//! by hand; then their alerts come back, some hundred at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use calseta_contract::suppression::{
    SuppressionPatch, SuppressionPreview, SuppressionPreviewRequest, SuppressionRequest,
    SuppressionView,
};
use calseta_domain::query::{self, Query};
use calseta_domain::{FieldError, SuppressionId, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::Reads;
use calseta_store::tables::suppression::{self, SuppressionRow};
use serde_json::{Map, Value, json};

use crate::changes::{Change, differences};
use crate::documents::set;
use crate::search::unreadable;
use crate::start::Inner;
use crate::triage::{DAY_MS, ahead};
use crate::{Engine, Principal, Problem, attack_names, views};

/// The longest that a suppression lasts, in days.
pub(crate) const MAX_DAYS: i64 = 90;
/// How long one lasts when nothing is said, in days.
const DEFAULT_DAYS: i64 = 7;
/// The longest name.
const NAME_MAX_CHARS: usize = 100;
/// The longest reason.
const REASON_MAX_CHARS: usize = 1_000;
/// The most suppressions that are not over: every alert is judged by all of them.
const ACTIVE_MAX: usize = 200;
/// Days that a preview looks back when it is not told, and the most.
const PREVIEW_DAYS: (u32, u32) = (30, 365);
/// Alerts that come back in one transaction.
const LIFTED_TOGETHER: u32 = 200;
/// Queries kept parsed; more empties the cache.
const PARSED_MAX: usize = 1_000;

/// The queries of suppressions, parsed once per text. They say nothing that depends on the time.
#[derive(Debug, Default)]
pub(crate) struct ParsedQueries(Mutex<HashMap<String, Arc<Query>>>);

impl ParsedQueries {
    /// A stored query. `None` when it is not understood any more: then it hides nothing.
    fn get(&self, q: &str, now: Timestamp) -> Option<Arc<Query>> {
        let mut parsed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(query) = parsed.get(q) {
            return Some(Arc::clone(query));
        }
        match query::suppressible(q, now) {
            Ok(query) => {
                let query = Arc::new(attack_names::in_query(query));
                if parsed.len() >= PARSED_MAX {
                    parsed.clear();
                }
                parsed.insert(q.to_owned(), Arc::clone(&query));
                Some(query)
            }
            Err(error) => {
                tracing::error!(error = %error, "a suppression's query cannot be read; it hides nothing");
                None
            }
        }
    }
}

/// When a suppression ends that was not told when.
pub(crate) fn default_end(now: Timestamp) -> Timestamp {
    now.plus_millis(DEFAULT_DAYS * DAY_MS)
}

fn view(row: SuppressionRow, now: Timestamp) -> SuppressionView {
    SuppressionView {
        uuid: row.uuid,
        name: row.name,
        q: row.q,
        reason: row.reason,
        is_expired: row.expires_at <= now,
        expires_at: row.expires_at,
        hidden_count: row.hidden_count,
        created_by: row.created_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn row(tx: &impl Reads, id: SuppressionId) -> Result<SuppressionRow, Problem> {
    suppression::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("suppression"))
}

pub(crate) fn readable(q: &str, now: Timestamp) -> Result<Query, Problem> {
    let query = query::suppressible(q, now).map_err(|error| unreadable("q", &error))?;
    Ok(attack_names::in_query(query))
}

fn check(row: &SuppressionRow, now: Timestamp) -> Result<(), Problem> {
    let mut errors = Vec::new();
    let mut bounded = |path: &str, text: &str, max: usize| {
        let length = text.trim().chars().count();
        if length == 0 || length > max {
            let message = format!("must have 1 to {max} characters");
            errors.push(FieldError::new(path, message));
        }
    };
    bounded("name", &row.name, NAME_MAX_CHARS);
    if let Some(reason) = &row.reason {
        bounded("reason", reason, REASON_MAX_CHARS);
    }
    if !errors.is_empty() {
        return Err(Problem::fields(&errors));
    }
    readable(&row.q, now).map(drop)
}

/// The event of a change of a suppression.
fn record(
    tx: &WriteTx<'_>,
    change: &Change,
    (row, what): (&SuppressionRow, &str),
    mut detail: Map<String, Value>,
) -> Result<(), Problem> {
    detail.insert("what".to_owned(), json!(what));
    detail.entry("name").or_insert_with(|| json!(row.name));
    detail.entry("q").or_insert_with(|| json!(row.q));
    let object = ("suppression", Some(row.uuid.uuid()));
    change.append(tx, "suppression.updated", object, detail)
}

/// Stores a new suppression, with its event; its row.
pub(crate) fn make(
    tx: &WriteTx<'_>,
    row: &SuppressionRow,
    change: &Change,
) -> Result<i64, Problem> {
    if suppression::active(tx, change.at)?.len() >= ACTIVE_MAX {
        let message = format!("{ACTIVE_MAX} suppressions are in force; end one first");
        return Err(Problem::field("name", message));
    }
    let id = suppression::insert(tx, row)?;
    let mut detail = Map::new();
    detail.insert("expires_at".to_owned(), json!(row.expires_at));
    record(tx, change, (row, "created"), detail)?;
    Ok(id)
}

/// The suppression that hides an alert from now on, if one does: in the transaction that stores the
/// alert, or that changes what is known of it.
pub(crate) fn hide(
    tx: &WriteTx<'_>,
    parsed: &ParsedQueries,
    alert: i64,
    now: Timestamp,
) -> Result<Option<SuppressionId>, Problem> {
    for row in suppression::active(tx, now)? {
        let Some(query) = parsed.get(&row.q, now) else {
            continue;
        };
        if suppression::matches(tx, &query, alert)? && suppression::hide(tx, row.id, alert)? {
            return Ok(Some(row.uuid));
        }
    }
    Ok(None)
}

/// Judges an alert again after more is known of it: one that is hidden and does not fit any more
/// comes back, unless another suppression takes it. What hides it before and after.
pub(crate) fn judge_again(
    tx: &WriteTx<'_>,
    parsed: &ParsedQueries,
    (alert, hidden_by): (i64, Option<SuppressionId>),
    now: Timestamp,
) -> Result<Option<SuppressionId>, Problem> {
    if let Some(by) = hidden_by
        && let Some(row) = suppression::by_uuid(tx, by)?
    {
        let query = parsed.get(&row.q, now);
        let fits = query.map(|query| suppression::matches(tx, &query, alert));
        if fits.transpose()?.unwrap_or(false) {
            return Ok(hidden_by);
        }
        suppression::show(tx, alert)?;
    }
    hide(tx, parsed, alert, now)
}

/// Lets some alerts of a suppression come back, each with its event. Whether there may be more.
pub(crate) fn lift(
    tx: &WriteTx<'_>,
    row: &SuppressionRow,
    change: &Change,
) -> Result<bool, Problem> {
    let lifted = suppression::lift(tx, row.id, LIFTED_TOGETHER)?;
    let count = lifted.len();
    for alert in lifted {
        let mut detail = Map::new();
        detail.insert("suppressed_by".to_owned(), json!([row.uuid, null]));
        let object = ("alert", Some(alert.uuid()));
        change.append_to(tx, "alert.updated", object, Some(alert), detail)?;
    }
    Ok(count == LIFTED_TOGETHER as usize)
}

/// What the clock found to be over: some of its alerts come back; the last of them with the
/// suppression's own event. Whether there may be more.
pub(crate) fn end_by_clock(
    tx: &WriteTx<'_>,
    row: &SuppressionRow,
    change: &Change,
) -> Result<bool, Problem> {
    let more = lift(tx, row, change)?;
    if more {
        return Ok(true);
    }
    if row.expires_at > row.updated_at {
        record(tx, change, (row, "expired"), Map::new())?;
    } else {
        // Somebody took it away; this is the rest of that, and it was told.
        suppression::delete(tx, row.id)?;
    }
    Ok(false)
}

impl Inner {
    /// Ends a suppression now and takes it away: it hides nothing more from the first commit on,
    /// and what it hid comes back in the next ones. One that is gone already is no error.
    pub(crate) async fn end_suppression(
        &self,
        id: SuppressionId,
        change: &Change,
    ) -> Result<(), Problem> {
        let first = change.clone();
        let found = self
            .store
            .write(move |tx: &WriteTx<'_>| {
                let Some(mut row) = suppression::by_uuid(tx, id)? else {
                    return Ok(None);
                };
                // Not later than its last change: that tells it from one that ran out.
                row.expires_at = first.at;
                row.updated_at = first.at;
                suppression::update(tx, &row)?;
                record(tx, &first, (&row, "deleted"), Map::new())?;
                Ok::<_, Problem>(Some(row))
            })
            .await?;
        let Some(row) = found else { return Ok(()) };
        loop {
            let (row, change) = (row.clone(), change.clone());
            let more = self
                .store
                .write(move |tx: &WriteTx<'_>| {
                    let more = lift(tx, &row, &change)?;
                    if !more {
                        suppression::delete(tx, row.id)?;
                    }
                    Ok::<_, Problem>(more)
                })
                .await?;
            if !more {
                return Ok(());
            }
        }
    }
}

impl Engine {
    /// `GET /v1/suppressions`: newest first, those that are over too.
    pub async fn suppressions(&self) -> Result<Vec<SuppressionView>, Problem> {
        let now = self.inner.clock.now();
        self.inner
            .store
            .read(move |tx| {
                let rows = suppression::all(tx)?;
                Ok::<_, Problem>(rows.into_iter().map(|row| view(row, now)).collect())
            })
            .await
    }

    /// `GET /v1/suppressions/{uuid}`.
    pub async fn suppression(&self, id: SuppressionId) -> Result<SuppressionView, Problem> {
        let now = self.inner.clock.now();
        self.inner
            .store
            .read(move |tx| Ok(view(row(tx, id)?, now)))
            .await
    }

    /// `POST /v1/suppressions`. Alerts that are there already stay where they are.
    pub async fn create_suppression(
        &self,
        by: &Principal,
        request: SuppressionRequest,
    ) -> Result<SuppressionView, Problem> {
        by.need_human("suppressing alerts")?;
        let change = self.change(by);
        let expires_at = match request.expires_at {
            Some(at) => ahead("expires_at", at, change.at, MAX_DAYS)?,
            None => default_end(change.at),
        };
        let row = SuppressionRow {
            id: 0,
            uuid: self.inner.ids.next(),
            name: request.name.trim().to_owned(),
            q: request.q.trim().to_owned(),
            reason: request.reason,
            expires_at,
            hidden_count: 0,
            created_by: change.actor.name.clone(),
            created_at: change.at,
            updated_at: change.at,
        };
        check(&row, change.at)?;
        let made = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                make(tx, &row, &change)?;
                Ok::<_, Problem>(view(row, change.at))
            })
            .await?;
        self.inner.clock_changed.notify_one();
        Ok(made)
    }

    /// `PATCH /v1/suppressions/{uuid}`. Alerts that are hidden already stay so.
    pub async fn patch_suppression(
        &self,
        by: &Principal,
        id: SuppressionId,
        patch: SuppressionPatch,
    ) -> Result<SuppressionView, Problem> {
        by.need_human("changing a suppression")?;
        let change = self.change(by);
        let patched = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let mut after = apply(before.clone(), patch, change.at)?;
                check(&after, change.at)?;
                if after == before {
                    return Ok(view(after, change.at));
                }
                after.updated_at = change.at;
                suppression::update(tx, &after)?;
                record(tx, &change, (&after, "changed"), changes(&before, &after))?;
                Ok::<_, Problem>(view(after, change.at))
            })
            .await?;
        self.inner.clock_changed.notify_one();
        Ok(patched)
    }

    /// `DELETE /v1/suppressions/{uuid}`: what it hid comes back.
    pub async fn delete_suppression(
        &self,
        by: &Principal,
        id: SuppressionId,
    ) -> Result<(), Problem> {
        by.need_human("ending a suppression")?;
        self.suppression(id).await?;
        let change = self.change(by);
        self.inner.end_suppression(id, &change).await
    }

    /// `POST /v1/suppressions/preview`: what it would have hidden.
    pub async fn preview_suppression(
        &self,
        request: SuppressionPreviewRequest,
    ) -> Result<SuppressionPreview, Problem> {
        let (now, most) = (self.inner.clock.now(), PREVIEW_DAYS.1);
        let days = request.days.unwrap_or(PREVIEW_DAYS.0);
        if days == 0 || days > most {
            return Err(Problem::field("days", format!("must be 1 to {most}")));
        }
        let query = readable(&request.q, now)?;
        self.inner
            .store
            .read(move |tx| preview(tx, &query, now, days))
            .await
    }
}

/// What a query would have hidden of the last days.
pub(crate) fn preview(
    tx: &impl Reads,
    query: &Query,
    now: Timestamp,
    days: u32,
) -> Result<SuppressionPreview, Problem> {
    let from = now.plus_millis(-i64::from(days) * DAY_MS);
    let found = suppression::preview(tx, query, from)?;
    Ok(SuppressionPreview {
        // Fields of the raw payload are refused, so it was counted.
        matched: found.matched.unwrap_or(0),
        of: found.of,
        true_positives: found.true_positives,
        examples: views::summaries(tx, &found.examples)?,
    })
}

fn apply(
    mut row: SuppressionRow,
    patch: SuppressionPatch,
    now: Timestamp,
) -> Result<SuppressionRow, Problem> {
    let mut errors = Vec::new();
    let before = row.expires_at;
    set(&mut errors, "name", &mut row.name, patch.name);
    set(&mut errors, "q", &mut row.q, patch.q);
    let end = &mut row.expires_at;
    set(&mut errors, "expires_at", end, patch.expires_at);
    row.reason = patch.reason.apply(row.reason);
    if !errors.is_empty() {
        return Err(Problem::fields(&errors));
    }
    if row.expires_at != before {
        ahead("expires_at", row.expires_at, now, MAX_DAYS)?;
    }
    row.name = String::from(row.name.trim());
    row.q = String::from(row.q.trim());
    Ok(row)
}

fn changes(before: &SuppressionRow, after: &SuppressionRow) -> Map<String, Value> {
    differences([
        ("name", json!(before.name), json!(after.name)),
        ("q", json!(before.q), json!(after.q)),
        (
            "expires_at",
            json!(before.expires_at),
            json!(after.expires_at),
        ),
        ("reason", json!(before.reason), json!(after.reason)),
    ])
}
