//! Short messages about what an action did. They go by themselves, unless something failed.

use leptos::prelude::*;
use std::time::Duration;

use crate::api::Failure;

/// How long a message that asks for nothing stays.
const STAY: Duration = Duration::from_secs(6);
/// How long one stays that has something to press.
const STAY_WITH_BUTTON: Duration = Duration::from_secs(20);
/// More at once nobody reads; the oldest goes.
const MAX_AT_ONCE: usize = 4;

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It worked.
    Ok,
    /// It did not.
    Danger,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    /// To tell it from the others.
    pub(crate) id: u64,
    /// How it is meant.
    pub(crate) tone: Tone,
    /// What it says.
    pub(crate) text: String,
    /// More, to copy.
    pub(crate) details: Option<String>,
    /// A command that goes on from here: its id and the button's word.
    pub(crate) command: Option<(&'static str, &'static str)>,
}

/// The messages on the screen, oldest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    next_id: StoredValue<u64>,
}

impl Toasts {
    /// Provides an empty list.
    pub(crate) fn provide() {
        provide_context(Self {
            shown: RwSignal::new(Vec::new()),
            next_id: StoredValue::new(0),
        });
    }

    /// The provided list.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// What is shown.
    pub(crate) fn shown(self) -> Vec<Toast> {
        self.shown.get()
    }

    /// Says that something worked.
    pub(crate) fn say(self, text: impl Into<String>) {
        let id = self.push(Tone::Ok, text.into(), None, None);
        set_timeout(move || self.dismiss(id), STAY);
    }

    /// The same with a button that runs a command, and time to press it (WCAG 2.2, 2.2.1).
    pub(crate) fn offer(
        self,
        text: impl Into<String>,
        details: Option<String>,
        command: &'static str,
        label: &'static str,
    ) {
        let id = self.push(Tone::Ok, text.into(), details, Some((command, label)));
        set_timeout(move || self.dismiss(id), STAY_WITH_BUTTON);
    }

    /// Says that something failed; stays until it is dismissed.
    pub(crate) fn fail(self, what: &str, failure: &Failure) {
        let text = format!("{what}: {}", failure.message);
        self.push(Tone::Danger, text, Some(failure.copyable()), None);
    }

    /// Takes away what offered a command that has been run.
    pub(crate) fn withdraw(self, command: &str) {
        self.shown.update(|shown| {
            shown.retain(|toast| toast.command.is_none_or(|(id, _)| id != command));
        });
    }

    /// Takes one away.
    pub(crate) fn dismiss(self, id: u64) {
        self.shown
            .update(|shown| shown.retain(|toast| toast.id != id));
    }

    fn push(
        self,
        tone: Tone,
        text: String,
        details: Option<String>,
        command: Option<(&'static str, &'static str)>,
    ) -> u64 {
        let id = self.next_id.get_value();
        self.next_id.set_value(id + 1);
        self.shown.update(|shown| {
            // Only the latest of its kind offers to go on: an older button would do another thing.
            shown.retain(|toast| {
                toast.text != text && (command.is_none() || toast.command != command)
            });
            shown.push(Toast {
                id,
                tone,
                text,
                details,
                command,
            });
            if shown.len() > MAX_AT_ONCE {
                shown.remove(0);
            }
        });
        id
    }
}
