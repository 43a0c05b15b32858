//! Choosing why an alert is closed: `c`, then a number.

use calseta_domain::CloseClassification;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::components::{Button, Dialog};
use crate::state::alert_actions::AlertActions;

/// The seven classifications, numbered. Open while an alert waits for one.
#[component]
pub(super) fn CloseDialog() -> impl IntoView {
    let actions = AlertActions::expect();
    let by_number = move |event: KeyboardEvent| {
        let number = event
            .key()
            .parse::<usize>()
            .ok()
            .and_then(|n| n.checked_sub(1));
        if let Some(class) = number.and_then(|index| CloseClassification::ALL.get(index)) {
            event.prevent_default();
            event.stop_propagation();
            actions.close_as(*class);
        }
    };
    view! {
        <Show when=move || actions.closing().is_some()>
            <Dialog
                title="Close the alert as"
                on_close=move |()| actions.cancel_closing()
                class="close-dialog"
            >
                <div class="close-dialog__list" on:keydown=by_number>
                    {CloseClassification::ALL
                        .iter()
                        .enumerate()
                        .map(|(index, class)| choice(index + 1, *class))
                        .collect_view()}
                </div>
                <div class="dialog__actions">
                    <Button label="Cancel" on_press=move |()| actions.cancel_closing() />
                </div>
            </Dialog>
        </Show>
    }
}

fn choice(number: usize, class: CloseClassification) -> impl IntoView {
    let actions = AlertActions::expect();
    let (kind, why) = class
        .as_str()
        .split_once(" - ")
        .unwrap_or((class.as_str(), ""));
    view! {
        <button
            type="button"
            class="close-dialog__choice"
            autofocus=number == 1
            on:click=move |_| actions.close_as(class)
        >
            <kbd>{number}</kbd>
            <span>{kind}</span>
            <span class="close-dialog__why">{why}</span>
        </button>
    }
}
