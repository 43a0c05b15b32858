//! A note on one alert or on many.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::about;
use crate::components::{Button, ButtonKind, Dialog};
use crate::state::alert_action::AlertAction;
use crate::state::alert_actions::AlertActions;
use crate::state::prompts::{Asked, Prompts};

/// A few lines; Ctrl+Enter saves.
#[component]
pub(super) fn NoteDialog(asked: Asked) -> impl IntoView {
    let (actions, prompts) = (AlertActions::expect(), Prompts::expect());
    let text = RwSignal::new(String::new());
    let title = format!("Note on {}", about(&asked));
    let select = StoredValue::new(asked.select);
    let is_empty = move || text.with(|text| text.trim().is_empty());
    let save = move || {
        if !untrack(is_empty) {
            let note = text.get_untracked().trim().to_owned();
            let select = select.get_value();
            prompts.answer(move || actions.run(select, AlertAction::Note(note)));
        }
    };
    let pressed = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            save();
        }
    };
    view! {
        <Dialog title on_close=move |()| prompts.close()>
            <label class="visually-hidden" for="note-text">"Note"</label>
            <textarea
                id="note-text"
                class="field__input field__input--lines"
                rows="6"
                autofocus=true
                placeholder="Plain text. Agents that may read the alert read it too."
                prop:value=move || text.get()
                on:input=move |event| text.set(event_target_value(&event))
                on:keydown=pressed
            ></textarea>
            <div class="dialog__actions">
                <Button label="Cancel" on_press=move |()| prompts.close() />
                <Button
                    label="Add the note (Ctrl+Enter)"
                    kind=ButtonKind::Primary
                    disabled=Signal::derive(is_empty)
                    on_press=move |()| save()
                />
            </div>
        </Dialog>
    }
}
