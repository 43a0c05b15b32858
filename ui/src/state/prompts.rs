//! What the window is asking for: one question at a time, about alerts that were meant when it
//! was asked, whatever is focused meanwhile.

use calseta_contract::change::BulkSelect;
use leptos::prelude::*;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Closed as what.
    Close,
    /// Which severity.
    Severity,
    /// Which tags.
    Tags,
    /// What the note says.
    Note,
    /// Until when it is snoozed.
    Snooze,
    /// Which agent is told.
    Dispatch,
    /// Which verdict.
    Verdict,
    /// How long alerts like these stay out.
    Suppress,
    /// Whether the indicators are looked up again.
    Enrich,
    /// What a suppression of everything that is shown is called.
    SuppressView,
    /// What the view is called.
    SaveView,
    /// What the new alert says.
    NewAlert,
    /// Which suppressions there are.
    Suppressions,
    /// What to do or where to go.
    Palette,
    /// Which shortcuts there are.
    Shortcuts,
    /// How the window behaves.
    Settings,
}

/// A question that is on the screen, and which alerts it is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// The question.
    pub(crate) prompt: Prompt,
    /// The alerts.
    pub(crate) select: BulkSelect,
    /// How many.
    pub(crate) count: u64,
}

/// The question that is on the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompts(RwSignal<Option<Asked>>, StoredValue<Option<String>>);

impl Prompts {
    /// Provides none.
    pub(crate) fn provide() -> Self {
        let prompts = Self(RwSignal::new(None), StoredValue::new(None));
        provide_context(prompts);
        prompts
    }

    /// The provided question.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// What is asked.
    pub(crate) fn asked(self) -> Option<Asked> {
        self.0.get()
    }

    /// Asks something that is not about alerts.
    pub(crate) fn open(self, prompt: Prompt) {
        self.open_for(prompt, BulkSelect::default(), 0);
    }

    /// Asks for something that is begun already.
    pub(crate) fn open_with(self, prompt: Prompt, draft: String) {
        self.1.set_value(Some(draft));
        self.open(prompt);
    }

    /// What was begun, once.
    pub(crate) fn take_draft(self) -> Option<String> {
        self.1.try_update_value(Option::take).flatten()
    }

    /// Asks about alerts.
    pub(crate) fn open_for(self, prompt: Prompt, select: BulkSelect, count: u64) {
        self.0.set(Some(Asked {
            prompt,
            select,
            count,
        }));
    }

    /// Asks no more, and then does what was answered: the dialog gives the focus back first, so
    /// that the answer may move it on.
    pub(crate) fn answer(self, run: impl FnOnce() + 'static) {
        self.close();
        request_animation_frame(run);
    }

    /// Asks no more.
    pub(crate) fn close(self) {
        self.0.set(None);
    }
}
