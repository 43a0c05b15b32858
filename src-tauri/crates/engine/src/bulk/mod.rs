//! Changing many alerts at once, by the same rules as one at a time.
//!
//! The alerts are chosen once, then changed in transactions of a bounded size, each alert as it
//! stands then: one that cannot be changed, or is so already, is left alone and named. All of it is
//! one change, which one undo takes back, and every alert has its own event. A trial run says what
//! would happen and stores nothing.

mod action;
mod consequences;
mod select;

use std::sync::Arc;

use calseta_contract::change::{BulkRequest, BulkView, Skipped};
use calseta_domain::{AlertStatus, ErrorCode, InvalidTransition, SuppressionId};
use calseta_store::WriteTx;
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::{Reads, change, suppression};

use crate::dispatch;
use crate::idempotency;
use crate::start::Inner;
use crate::triage::edit::{self, Edit};
use crate::triage::record::{Edited, Recorder};
use crate::{Engine, Principal, Problem, RequestKey};
use action::Action;

/// Alerts that one transaction changes: some ten milliseconds of the writer.
const EDITED_TOGETHER: usize = 500;
/// Alerts that one transaction sends or deletes: each costs about a millisecond.
const SENT_TOGETHER: usize = 20;
/// Alerts left alone that are named in the answer.
const SKIPPED_NAMED: usize = 1_000;
/// Alerts that a suppression is made from: what they share is looked for in all of them.
const SUPPRESSED_MAX: usize = 1_000;

/// What has been done so far.
#[derive(Debug, Default)]
struct Tally {
    changed: u64,
    skipped: Vec<Skipped>,
    skipped_count: u64,
}

impl Tally {
    fn skip(&mut self, skipped: Skipped) {
        self.skipped_count += 1;
        if self.skipped.len() < SKIPPED_NAMED {
            self.skipped.push(skipped);
        }
    }

    fn add(&mut self, part: Self) {
        self.changed += part.changed;
        let unnamed = part.skipped_count - part.skipped.len() as u64;
        for skipped in part.skipped {
            self.skip(skipped);
        }
        self.skipped_count += unnamed;
    }
}

/// What every transaction of a bulk change needs.
#[derive(Clone)]
struct Work {
    inner: Arc<Inner>,
    base_url: String,
    action: Arc<Action>,
    recorder: Recorder,
    /// The suppression that hides the alerts.
    made: Option<(i64, SuppressionId)>,
}

impl Engine {
    /// `POST /v1/alerts/bulk`. The flag says whether the answer is a replay of the first. With an
    /// `Idempotency-Key` the first answer is kept with the last transaction: a repetition of a
    /// request that was cut off does the rest, and finds what was done to be so already.
    pub async fn bulk(
        &self,
        by: &Principal,
        request: BulkRequest,
        key: Option<RequestKey>,
    ) -> Result<(BulkView, bool), Problem> {
        by.need_human("changing many alerts at once")?;
        let now = self.inner.clock.now();
        let action = Action::read(&request.action, now)?;
        if matches!(action, Action::Dispatch(_)) {
            by.need(calseta_domain::Scope::AgentsWrite)?;
        }
        if !request.dry_run
            && let Some(first) = self.first_answer(by, key.as_ref()).await?
        {
            return Ok((first, true));
        }
        let selected = self.selected(&request.select).await?;
        let mut tally = Tally::default();
        for missing in selected.missing {
            tally.skip(missing);
        }
        let rows = selected.rows;
        if matches!(action, Action::Suppress { .. }) && rows.len() > SUPPRESSED_MAX {
            let message = format!(
                "are more than the {SUPPRESSED_MAX} that one suppression is made from; select fewer"
            );
            return Err(Problem::field("select", message));
        }
        self.can_be_told(&action).await?;
        if request.dry_run {
            return Ok((self.rehearse(by, action, rows, tally).await?, false));
        }
        let view = self.run_bulk(by, action, rows, tally).await?;
        self.remember_bulk(by, key, &view).await?;
        self.inner.clock_changed.notify_one();
        Ok((view, false))
    }

    async fn first_answer(
        &self,
        by: &Principal,
        key: Option<&RequestKey>,
    ) -> Result<Option<BulkView>, Problem> {
        let Some(key) = key.cloned() else {
            return Ok(None);
        };
        let (by, now) = (by.clone(), self.inner.clock.now());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| idempotency::replay(tx, &by, Some(&key), now))
            .await
    }

    async fn remember_bulk(
        &self,
        by: &Principal,
        key: Option<RequestKey>,
        view: &BulkView,
    ) -> Result<(), Problem> {
        let Some(key) = key else { return Ok(()) };
        let (by, now, view) = (by.clone(), self.inner.clock.now(), view.clone());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                idempotency::remember(tx, &by, Some(&key), (200, &view), now)
            })
            .await
    }

    /// Refuses an agent that cannot be told before anything is done.
    async fn can_be_told(&self, action: &Action) -> Result<(), Problem> {
        let Action::Dispatch(Some(agent)) = action else {
            return Ok(());
        };
        let agent = *agent;
        self.inner
            .store
            .read(move |tx| {
                let row = agent::by_uuid(tx, agent)?.ok_or_else(|| Problem::not_found("agent"))?;
                dispatch::is_on(&row)
            })
            .await
    }

    async fn run_bulk(
        &self,
        by: &Principal,
        action: Action,
        rows: Vec<i64>,
        mut tally: Tally,
    ) -> Result<BulkView, Problem> {
        let together = match action {
            Action::Edit { .. } | Action::Note(_) | Action::Suppress { .. } => EDITED_TOGETHER,
            Action::Dispatch(_) | Action::Enrich | Action::Delete => SENT_TOGETHER,
        };
        let mut work = Work {
            inner: Arc::clone(&self.inner),
            base_url: self.base_url(),
            recorder: self.recorder(by, action.kind()),
            action: Arc::new(action),
            made: None,
        };
        if let Action::Suppress { .. } = *work.action {
            work = self.make_suppression(work, &rows).await?;
        }
        let mut reached = 0;
        for chunk in rows.chunks(together) {
            let (mut next, some) = (work.clone(), chunk.to_vec());
            let done = self
                .inner
                .store
                .write(move |tx: &WriteTx<'_>| {
                    let part = next.on_rows(tx, &some)?;
                    Ok::<_, Problem>((next, part))
                })
                .await;
            match done {
                Ok((next, part)) => {
                    work = next;
                    reached += chunk.len();
                    tally.add(part);
                }
                // What is done is done, and can be taken back: the answer says so.
                Err(problem) if tally.changed > 0 => {
                    let left = rows.len() - reached;
                    return Ok(answer(&work, tally, vec![cut_off(left, &problem)]));
                }
                Err(problem) => return Err(problem),
            }
        }
        let said = consequences::done(&work.action, tally.changed);
        Ok(answer(&work, tally, said))
    }

    /// Makes the suppression that hides the alerts and those like them.
    async fn make_suppression(&self, work: Work, rows: &[i64]) -> Result<Work, Problem> {
        let (mut work, rows) = (work, rows.to_vec());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let uuid = work.inner.ids.next();
                let row = consequences::like_these(tx, &work.action, &rows, uuid)?;
                let row = suppression::SuppressionRow {
                    created_by: work.recorder.change.actor.name.clone(),
                    created_at: work.recorder.change.at,
                    updated_at: work.recorder.change.at,
                    ..row
                };
                let made = crate::suppressions::make(tx, &row, &work.recorder.change)?;
                let change = work.recorder.row(tx)?;
                change::made_suppression(tx, change, made)?;
                work.made = Some((made, uuid));
                Ok::<_, Problem>(work)
            })
            .await
    }
}

fn cut_off(left: usize, problem: &Problem) -> String {
    format!(
        "{left} alerts were not reached: {}; ask again for the rest",
        problem.message
    )
}

fn answer(work: &Work, tally: Tally, consequences: Vec<String>) -> BulkView {
    let undoable = work.recorder.undoable();
    BulkView {
        change_uuid: undoable.map(|undoable| undoable.change_uuid),
        undo_until: undoable.map(|undoable| undoable.undo_until),
        changed: tally.changed,
        skipped: tally.skipped,
        skipped_count: tally.skipped_count,
        consequences,
    }
}

impl Work {
    /// Does it to some alerts, in the caller's transaction.
    fn on_rows(&mut self, tx: &WriteTx<'_>, rows: &[i64]) -> Result<Tally, Problem> {
        let mut tally = Tally::default();
        let agents = match *self.action {
            Action::Dispatch(_) => agent::all(tx)?,
            _ => Vec::new(),
        };
        for id in rows {
            // Deleted since it was selected: nobody misses it.
            let Some(row) = alert::by_row(tx, *id)? else {
                continue;
            };
            match self.on_one(tx, &row, &agents)? {
                None => tally.changed += 1,
                Some(reason) => tally.skip(Skipped {
                    uuid: row.uuid,
                    reason,
                }),
            }
        }
        Ok(tally)
    }

    /// Does it to one alert, or says why not.
    fn on_one(
        &mut self,
        tx: &WriteTx<'_>,
        row: &AlertRow,
        agents: &[AgentRow],
    ) -> Result<Option<String>, Problem> {
        let action = Arc::clone(&self.action);
        match &*action {
            Action::Edit {
                kind,
                edit,
                comment,
            } => {
                if let Some(reason) = refusal(kind, edit, row, &self.recorder)? {
                    return Ok(Some(reason));
                }
                let edited = self.recorder.edit(tx, row, edit, comment.as_deref())?;
                Ok((edited == Edited::AlreadySo).then(|| already(kind, row)))
            }
            Action::Note(text) => {
                self.recorder.add_note(tx, row, text)?;
                Ok(None)
            }
            Action::Dispatch(agent) => {
                let told = dispatch::wanted_agents(&self.inner, row, (*agent, agents));
                if told.is_empty() {
                    return Ok(Some("no agent's filter matches it".to_owned()));
                }
                let (inner, change) = (&self.inner, &self.recorder.change);
                dispatch::deliver_now(tx, inner, (row, &told), &self.base_url, change)?;
                Ok(None)
            }
            Action::Enrich => {
                let asked = dispatch::Asked::WithoutFreshAnswer;
                dispatch::enrich_again(tx, &self.inner, row, (&self.recorder.change, asked))?;
                Ok(None)
            }
            Action::Suppress { .. } => self.suppress(tx, row),
            Action::Delete => {
                dispatch::remove(tx, row, &self.recorder.change)?;
                Ok(None)
            }
        }
    }

    fn suppress(&mut self, tx: &WriteTx<'_>, before: &AlertRow) -> Result<Option<String>, Problem> {
        let Some((made, _)) = self.made else {
            return Err(Problem::new(
                ErrorCode::Internal,
                "the suppression was not made",
            ));
        };
        if !suppression::hide(tx, made, before.id)? {
            return Ok(Some("another suppression hides it already".to_owned()));
        }
        let change = self.recorder.row(tx)?;
        change::record(tx, change, before, None)?;
        let after = alert::by_row(tx, before.id)?.unwrap_or_else(|| before.clone());
        let changed = edit::differences(before, &after);
        self.recorder
            .event(tx, ("alert.updated", before), changed)?;
        Ok(None)
    }
}

/// Why an edit cannot be done to an alert, when the alert is the reason.
fn refusal(
    kind: &str,
    edit: &Edit,
    row: &AlertRow,
    recorder: &Recorder,
) -> Result<Option<String>, Problem> {
    if kind == "close" && row.status == AlertStatus::Closed {
        return Ok(Some(already(kind, row)));
    }
    if let Some(to) = edit.status
        && let Err(InvalidTransition { from, to }) = row.status.change(to)
    {
        return Ok(Some(format!("cannot go from {from} to {to}")));
    }
    match edit.apply(row, recorder.by_agent, recorder.change.at) {
        Ok(_) => Ok(None),
        Err(problem) if problem.status() < 500 => Ok(Some(problem.first_reason())),
        Err(problem) => Err(problem),
    }
}

/// That an alert is as it is wanted.
fn already(kind: &str, row: &AlertRow) -> String {
    match kind {
        "close" => "already closed".to_owned(),
        "status" => format!("already {}", row.status),
        "severity" => format!("already {}", row.severity),
        "tags" => "has these tags already".to_owned(),
        "snooze" if row.snoozed_until.is_none() => "is not snoozed".to_owned(),
        "snooze" => "already snoozed until then".to_owned(),
        _ => "already so".to_owned(),
    }
}

/// The rows of some alerts.
fn rows_of(tx: &impl Reads, rows: &[i64]) -> Result<Vec<AlertRow>, Problem> {
    let mut found = Vec::with_capacity(rows.len());
    for id in rows {
        found.extend(alert::by_row(tx, *id)?);
    }
    Ok(found)
}
