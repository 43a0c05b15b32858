//! Keeping alerts like these out of the queue for a while: what that would hide is said first.

use calseta_domain::Timestamp;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::consequences::Consequences;
use crate::components::{Button, ButtonKind, Dialog};
use crate::state::alert_action::AlertAction;
use crate::state::alert_actions::AlertActions;
use crate::state::clock::now_ms;
use crate::state::prompts::{Asked, Prompts};

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;
/// How long, in days, with the key of each.
const SPANS: [(&str, i64); 4] = [("1", 1), ("7", 7), ("3", 30), ("9", 90)];

#[component]
pub(super) fn SuppressDialog(asked: Asked) -> impl IntoView {
    let (actions, prompts) = (AlertActions::expect(), Prompts::expect());
    let days = RwSignal::new(7_i64);
    let select = StoredValue::new(asked.select.clone());
    let title = match asked.count {
        1 => "Suppress alerts like this one".to_owned(),
        many => format!("Suppress alerts like these {many}"),
    };
    let action = Memo::new(move |_| {
        let until = Timestamp::from_millis(now_ms()).plus_millis(days.get() * DAY_MS);
        Some(AlertAction::Suppress(until))
    });
    let commit = move || {
        if let Some(action) = action.get_untracked() {
            let select = select.get_value();
            prompts.answer(move || actions.run(select, action));
        }
    };
    let pressed = move |event: KeyboardEvent| {
        if let Some((_, span)) = SPANS.iter().find(|(key, _)| *key == event.key()) {
            event.prevent_default();
            days.set(*span);
        } else if event.key() == "Enter" {
            event.prevent_default();
            commit();
        }
    };
    let span = move |(key, span): (&'static str, i64)| {
        let word = if span == 1 {
            "1 day".to_owned()
        } else {
            format!("{span} days")
        };
        view! {
            <button
                type="button"
                class="close-dialog__choice"
                autofocus=span == 7
                aria-pressed=move || (days.get() == span).to_string()
                on:click=move |_| days.set(span)
            >
                <kbd>{key}</kbd>
                <span>{word}</span>
            </button>
        }
    };
    view! {
        <Dialog title on_close=move |()| prompts.close() class="close-dialog">
            <p class="dialog__text">
                "Alerts of the same kind stay out of the queue for this long. They are counted, found with is:suppressed, and never dropped."
            </p>
            <div class="close-dialog__list" on:keydown=pressed>
                {SPANS.map(span).collect_view()}
            </div>
            <Consequences asked action=action of_one=true />
            <div class="dialog__actions">
                <Button label="Cancel" on_press=move |()| prompts.close() />
                <Button label="Suppress" kind=ButtonKind::Primary on_press=move |()| commit() />
            </div>
        </Dialog>
    }
}
