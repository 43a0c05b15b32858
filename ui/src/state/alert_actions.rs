//! What a person does to an alert, from the list and from its page alike.

use std::collections::BTreeSet;

use calseta_contract::Patch;
use calseta_contract::alert::AlertPatch;
use calseta_domain::{AlertId, AlertStatus, CloseClassification};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::commands::{Command, Commands, Group};
use super::places::Places;
use super::queue::Queue;
use super::toasts::Toasts;
use crate::api::{self, Changed, Failure};

/// The actions, and which alert waits for its classification.
#[derive(Clone, Copy)]
pub(crate) struct AlertActions {
    queue: Queue,
    toasts: Toasts,
    places: Places,
    closing: RwSignal<Option<AlertId>>,
    /// Alerts with a change on its way: a second one to the same alert would race it.
    busy: StoredValue<BTreeSet<AlertId>>,
}

impl AlertActions {
    /// Registers the actions as commands and provides them.
    pub(crate) fn provide() -> Self {
        let actions = Self {
            queue: Queue::expect(),
            toasts: Toasts::expect(),
            places: Places::expect(),
            closing: RwSignal::new(None),
            busy: StoredValue::new(BTreeSet::new()),
        };
        provide_context(actions);
        Commands::expect().register(actions.commands());
        actions
    }

    /// The provided actions.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// The alert whose classification is being chosen.
    pub(crate) fn closing(self) -> Option<AlertId> {
        self.closing.get()
    }

    /// Chooses no classification.
    pub(crate) fn cancel_closing(self) {
        self.closing.set(None);
    }

    /// Closes the alert that waits for its classification, and goes on to the next.
    pub(crate) fn close_as(self, class: CloseClassification) {
        let Some(id) = self.closing.get_untracked() else {
            return;
        };
        self.closing.set(None);
        let patch = AlertPatch {
            status: word(AlertStatus::Closed.as_str()),
            close_classification: word(class.as_str()),
            ..AlertPatch::default()
        };
        self.change(id, patch, format!("Closed as {class}"), true);
    }

    /// Moves an alert to a status; closing asks for a classification first.
    pub(crate) fn set_status(self, id: AlertId, status: AlertStatus) {
        if status == AlertStatus::Closed {
            self.closing.set(Some(id));
            return;
        }
        let patch = AlertPatch {
            status: word(status.as_str()),
            ..AlertPatch::default()
        };
        self.change(id, patch, format!("Status is {status}"), false);
    }

    /// Opens a closed alert again.
    pub(crate) fn reopen(self, id: AlertId) {
        self.run(id, api::reopen_alert(id), "Reopened".to_owned(), false);
    }

    fn change(self, id: AlertId, patch: AlertPatch, said: String, advance: bool) {
        self.run(
            id,
            async move { api::patch_alert(id, &patch).await },
            said,
            advance,
        );
    }

    fn run(
        self,
        id: AlertId,
        work: impl Future<Output = Result<Changed, Failure>> + 'static,
        said: String,
        advance: bool,
    ) {
        let is_first = self.busy.try_update_value(|busy| busy.insert(id));
        if is_first != Some(true) {
            return;
        }
        spawn_local(async move {
            let outcome = work.await;
            self.busy.update_value(|busy| {
                busy.remove(&id);
            });
            self.queue.touch(id);
            match outcome {
                Ok(_) => {
                    self.toasts.say(said);
                    if advance {
                        self.advance_from(id);
                    }
                }
                Err(failure) => self.toasts.fail("The alert was not changed", &failure),
            }
        });
    }

    /// Goes on to the next alert that nobody has dealt with.
    fn advance_from(self, id: AlertId) {
        let next = self.queue.peek(|list| {
            list.index_of(id)
                .and_then(|index| list.next_unhandled(index))
                .filter(|n| *n != id)
        });
        let Some(next) = next else { return };
        self.queue.focus(Some(next));
        if untrack(|| self.queue.open()).is_some() {
            self.places.next_alert(next);
        }
    }

    /// The status of the target as far as it is known here.
    fn status(self) -> Option<(AlertId, AlertStatus)> {
        let id = self.queue.target()?;
        self.queue.status_of(id).map(|status| (id, status))
    }

    fn may_become(self, to: AlertStatus) -> bool {
        self.status()
            .is_some_and(|(_, from)| from.allowed_next().contains(&to))
    }

    fn commands(self) -> Vec<Command> {
        use AlertStatus::{Closed, Escalated, Triaging};
        let to = move |status| {
            move || {
                if let Some(id) = untrack(|| self.queue.target()) {
                    self.set_status(id, status);
                }
            }
        };
        let reopen = move || {
            if let Some(id) = untrack(|| self.queue.target()) {
                self.reopen(id);
            }
        };
        let act = Group::Act;
        vec![
            Command::new(
                "alert.acknowledge",
                "Acknowledge",
                act,
                &["e"],
                to(Triaging),
            )
            .when(move || self.may_become(Triaging)),
            Command::new("alert.close", "Close…", act, &["c"], to(Closed))
                .when(move || self.may_become(Closed)),
            Command::new("alert.escalate", "Escalate", act, &["i"], to(Escalated))
                .when(move || self.may_become(Escalated)),
            Command::new("alert.reopen", "Reopen", act, &["O"], reopen)
                .when(move || self.status().is_some_and(|(_, status)| status == Closed)),
        ]
    }
}

fn word(word: &str) -> Patch<String> {
    Patch::Set(word.to_owned())
}
