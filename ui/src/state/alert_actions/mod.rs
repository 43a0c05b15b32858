//! Who does what a person asks for: one alert or many, at once on the screen, and taken back by
//! one key.
//!
//! Rows change before the answer is there; a refusal rolls them back and says why. One alert goes
//! through its own routes, many through the bulk route; both answer with what takes them back.

mod commands;
mod undo;

use std::collections::BTreeSet;

use calseta_contract::Patch;
use calseta_contract::alert::AlertPatch;
use calseta_contract::change::{BulkRequest, BulkSelect, BulkView};
use calseta_contract::triage::FlagsRequest;
use calseta_domain::{AlertId, AlertStatus, ChangeId, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::alert_action::AlertAction;
use super::alert_list::AlertRow;
use super::commands::Commands;
use super::places::Places;
use super::preferences::Preferences;
use super::prompts::{Prompt, Prompts};
use super::queue::Queue;
use super::toasts::Toasts;
use crate::api::{self, Changed, Failure};

/// Alerts of a query that others are compared with when alerts like these are suppressed.
const SAMPLES: u32 = 100;
/// Skipped alerts whose reasons a message carries.
const SKIPPED_SHOWN: usize = 100;

/// The actions. Copies are handles on the same state.
#[derive(Clone, Copy)]
pub(crate) struct AlertActions {
    queue: Queue,
    toasts: Toasts,
    places: Places,
    prompts: Prompts,
    preferences: Preferences,
    /// Alerts with a change on its way: a second one to the same alert would race it.
    busy: StoredValue<BTreeSet<AlertId>>,
    bulk_busy: RwSignal<bool>,
    undoable: RwSignal<Vec<undo::Undoable>>,
}

impl AlertActions {
    /// Registers the actions as commands and provides them.
    pub(crate) fn provide() -> Self {
        let actions = Self {
            queue: Queue::expect(),
            toasts: Toasts::expect(),
            places: Places::expect(),
            prompts: Prompts::expect(),
            preferences: Preferences::expect(),
            busy: StoredValue::new(BTreeSet::new()),
            bulk_busy: RwSignal::new(false),
            undoable: RwSignal::new(Vec::new()),
        };
        provide_context(actions);
        Commands::expect().register(actions.commands());
        actions
    }

    /// The provided actions.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// Whether a bulk change is on its way.
    pub(crate) fn is_busy(self) -> bool {
        self.bulk_busy.get()
    }

    /// Moves an alert to a status; closing asks for a classification first.
    pub(crate) fn set_status(self, id: AlertId, status: AlertStatus) {
        if status == AlertStatus::Closed {
            self.prompts.open_for(Prompt::Close, one(id), 1);
        } else {
            self.run_one(id, AlertAction::Status(status));
        }
    }

    /// Does something to whatever was meant when it was asked for.
    pub(crate) fn run(self, select: BulkSelect, action: AlertAction) {
        match select.uuids.as_deref() {
            Some([id]) => self.run_one(*id, action),
            _ => self.run_many(select, action),
        }
    }

    /// Does something, and keeps alerts like these out of the queue until then.
    pub(crate) fn suppress_after(self, select: BulkSelect, action: AlertAction, until: Timestamp) {
        let suppress = AlertAction::Suppress(until);
        let Some(wire) = suppress.bulk() else { return };
        spawn_local(async move {
            // What a query finds is not what it finds once that is closed: samples are named first.
            let samples = match samples(&select).await {
                Ok(samples) => samples,
                Err(failure) => return self.toasts.fail("Nothing was changed", &failure),
            };
            // One after the other: what is suppressed is found by no query any more.
            let is_done = match select.uuids.as_deref() {
                Some([id]) => self.do_one(*id, action).await,
                _ => self.do_many(select, action).await,
            };
            if !is_done {
                return;
            }
            let request = BulkRequest {
                select: samples,
                action: wire,
                dry_run: false,
            };
            match api::bulk(&request).await {
                Ok(view) => {
                    if let Some(change) = view.change_uuid {
                        self.remember_beside(change);
                    }
                    self.toasts
                        .say("Alerts like these stay out of the queue for now");
                }
                Err(failure) => self.toasts.fail("Nothing was suppressed", &failure),
            }
            self.queue.touch_all();
        });
    }

    /// Says what doing something to many would lead to.
    pub(crate) async fn consequences(
        select: BulkSelect,
        action: &AlertAction,
    ) -> Result<Option<BulkView>, Failure> {
        let Some(action) = action.bulk() else {
            return Ok(None);
        };
        let request = BulkRequest {
            select,
            action,
            dry_run: true,
        };
        api::bulk(&request).await.map(Some)
    }

    fn run_one(self, id: AlertId, action: AlertAction) {
        spawn_local(async move {
            self.do_one(id, action).await;
        });
    }

    /// Whether it was done.
    async fn do_one(self, id: AlertId, action: AlertAction) -> bool {
        let is_first = self.busy.try_update_value(|busy| busy.insert(id));
        if is_first != Some(true) {
            return false;
        }
        self.queue.assume(&[id], |alert| action.apply(alert));
        if action.is_handling() {
            self.advance_from(&[id]);
        }
        let tags = untrack(|| self.queue.row(id)).map(|row| row.alert.tags.clone());
        let outcome = send_one(id, &action, tags.unwrap_or_default()).await;
        self.busy.update_value(|busy| {
            busy.remove(&id);
        });
        let is_done = outcome.is_ok();
        match outcome {
            Ok(changed) => {
                self.queue.update(|list| list.settle(id));
                self.note_done(action.done(1), changed.change_uuid, None);
            }
            Err(failure) => {
                self.queue.update(|list| list.roll_back(id));
                self.toasts.fail("The alert was not changed", &failure);
            }
        }
        self.queue.touch(id);
        is_done
    }

    fn run_many(self, select: BulkSelect, action: AlertAction) {
        spawn_local(async move {
            self.do_many(select, action).await;
        });
    }

    /// Whether it was done.
    async fn do_many(self, select: BulkSelect, action: AlertAction) -> bool {
        let Some(wire) = action.bulk() else {
            if select.uuids.is_none() {
                self.toasts
                    .say("This is done one by one: select the alerts themselves");
            }
            // What has no bulk route is done one by one.
            for id in select.uuids.unwrap_or_default() {
                self.run_one(id, action.clone());
            }
            return false;
        };
        if self.bulk_busy.get_untracked() {
            return false;
        }
        self.bulk_busy.set(true);
        let shown = self.meant(&select);
        self.queue.assume(&shown, |alert| action.apply(alert));
        let request = BulkRequest {
            select,
            action: wire,
            dry_run: false,
        };
        let outcome = api::bulk(&request).await;
        self.bulk_busy.set(false);
        let is_done = outcome.is_ok();
        match outcome {
            Ok(view) => {
                self.queue
                    .update(|list| shown.iter().for_each(|id| list.settle(*id)));
                self.say_many(&action, &view);
                if action.is_handling() {
                    self.queue.select(|selection| selection.set([]));
                    self.advance_from(&shown);
                }
            }
            Err(failure) => {
                self.queue
                    .update(|list| shown.iter().for_each(|id| list.roll_back(*id)));
                self.toasts.fail("No alert was changed", &failure);
            }
        }
        self.queue.touch_all();
        is_done
    }

    /// The loaded alerts that a selection means.
    fn meant(self, select: &BulkSelect) -> Vec<AlertId> {
        if let Some(ids) = &select.uuids {
            return ids.clone();
        }
        let mut ids = self.queue.found_by(select.q.as_deref().unwrap_or_default());
        ids.retain(|id| !select.except.contains(id));
        ids
    }

    fn say_many(self, action: &AlertAction, view: &BulkView) {
        let mut said = action.done(view.changed);
        let mut details = None;
        if view.skipped_count > 0 {
            let first = view.skipped.first().map_or("", |one| one.reason.as_str());
            said = format!("{said} · {} skipped ({first})", view.skipped_count);
            let lines: Vec<String> = view
                .skipped
                .iter()
                .take(SKIPPED_SHOWN)
                .map(|one| format!("{} {}", one.uuid, one.reason))
                .collect();
            details = Some(lines.join("\n"));
        }
        self.note_done(said, view.change_uuid, details);
    }

    fn note_done(self, said: String, change: Option<ChangeId>, details: Option<String>) {
        match change {
            Some(change) => {
                self.remember(change, said.clone());
                self.toasts.offer(said, details, "change.undo", "Undo");
            }
            None => self.toasts.say(said),
        }
    }

    /// Goes on to the next alert that nobody has dealt with.
    fn advance_from(self, handled: &[AlertId]) {
        if !self.preferences.peek(|choices| choices.auto_advance) {
            return;
        }
        let Some(last) = handled.last().copied() else {
            return;
        };
        let here = self.queue.peek_focused().unwrap_or(last);
        let next = self.queue.layout().with_untracked(|layout| {
            layout.next_row(here, |id| {
                !handled.contains(&id)
                    && self
                        .queue
                        .peek(|list| list.row(id).is_some_and(AlertRow::is_unhandled))
            })
        });
        let Some(next) = next else { return };
        self.queue.focus(Some(next));
        if untrack(|| self.queue.open()).is_some() {
            self.places.next_alert(next);
        }
    }
}

/// Alerts that say what others are like: by name, a page of them at most.
async fn samples(select: &BulkSelect) -> Result<BulkSelect, Failure> {
    let Some(q) = select.q.as_deref().filter(|_| select.uuids.is_none()) else {
        return Ok(select.clone());
    };
    let page = api::list_alerts(q, SAMPLES, None).await?;
    let ids = page.data.into_iter().map(|alert| alert.uuid);
    Ok(BulkSelect {
        uuids: Some(ids.filter(|id| !select.except.contains(id)).collect()),
        ..BulkSelect::default()
    })
}

/// A selection of one alert.
pub(crate) fn one(id: AlertId) -> BulkSelect {
    BulkSelect {
        uuids: Some(vec![id]),
        ..BulkSelect::default()
    }
}

/// One alert's own route for an action.
async fn send_one(
    id: AlertId,
    action: &AlertAction,
    tags: Vec<String>,
) -> Result<Changed, Failure> {
    let word = |word: &str| Patch::Set(word.to_owned());
    let patch = match action {
        AlertAction::Status(status) => AlertPatch {
            status: word(status.as_str()),
            ..AlertPatch::default()
        },
        AlertAction::Close { class, comment } => AlertPatch {
            status: word(AlertStatus::Closed.as_str()),
            close_classification: word(class.as_str()),
            comment: comment.clone(),
            ..AlertPatch::default()
        },
        AlertAction::Severity(severity) => AlertPatch {
            severity: word(severity.as_str()),
            ..AlertPatch::default()
        },
        // The row shows the tags as they will be.
        AlertAction::Tags { .. } if !tags.is_empty() => AlertPatch {
            tags: Patch::Set(tags),
            ..AlertPatch::default()
        },
        AlertAction::Verdict(malice) => AlertPatch {
            malice_override: malice.map_or(Patch::Clear, |malice| word(malice.as_str())),
            ..AlertPatch::default()
        },
        other => return send_elsewhere(id, other).await,
    };
    api::patch_alert(id, &patch).await
}

async fn send_elsewhere(id: AlertId, action: &AlertAction) -> Result<Changed, Failure> {
    match action {
        AlertAction::Reopen => api::reopen_alert(id).await,
        AlertAction::Snooze(Some(until)) => api::snooze(id, *until).await,
        AlertAction::Snooze(None) => api::wake(id).await,
        AlertAction::Unread => {
            let flags = FlagsRequest {
                unread: Some(true),
                flagged: None,
            };
            api::set_flags(id, flags).await
        }
        AlertAction::Flag(on) => {
            let flags = FlagsRequest {
                unread: None,
                flagged: Some(*on),
            };
            api::set_flags(id, flags).await
        }
        AlertAction::Dispatch(Some(agent)) => api::dispatch_agent(id, *agent)
            .await
            .map(|_| Changed::default()),
        AlertAction::Dispatch(None) => api::trigger_agents(id).await.map(|_| Changed::default()),
        AlertAction::Enrich => api::enrich_alert(id).await.map(|_| Changed::default()),
        AlertAction::Note(_)
        | AlertAction::Suppress(_)
        | AlertAction::Tags { .. }
        | AlertAction::Status(_)
        | AlertAction::Close { .. }
        | AlertAction::Severity(_)
        | AlertAction::Verdict(_) => {
            let Some(wire) = action.bulk() else {
                return Ok(Changed::default());
            };
            let request = BulkRequest {
                select: one(id),
                action: wire,
                dry_run: false,
            };
            let view = api::bulk(&request).await?;
            Ok(Changed {
                change_uuid: view.change_uuid,
                undo_until: view.undo_until,
            })
        }
    }
}
