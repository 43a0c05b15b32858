//! Saving what is shown under a name.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::components::{Button, ButtonKind, Dialog, Field};
use crate::hooks::use_action;
use crate::state::prompts::Prompts;
use crate::state::queue::Queue;
use crate::state::toasts::Toasts;
use crate::state::views::Views;
use crate::text::visible;

#[component]
pub(super) fn SaveViewDialog() -> impl IntoView {
    let (views, prompts, toasts) = (Views::expect(), Prompts::expect(), Toasts::expect());
    let q = visible(&Queue::expect().peek_q()).into_owned();
    let name = RwSignal::new(String::new());
    let action = use_action();
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        action.start(views.save(wanted), move |()| {
            prompts.close();
            toasts.say("The view was saved");
        });
    };
    let error = move || {
        let said = action.field("name");
        said.or_else(|| action.failure().map(|failure| failure.message))
    };
    view! {
        <Dialog title="Save this view" on_close=move |()| prompts.close()>
            <form on:submit=save>
                <Field
                    id="view-name"
                    label="Name"
                    value=name
                    autofocus=true
                    error=Signal::derive(error)
                    help=if q.is_empty() { "It shows every alert".to_owned() } else { format!("It shows {q}") }
                />
                <div class="dialog__actions">
                    <Button label="Cancel" on_press=move |()| prompts.close() />
                    <Button
                        label="Save"
                        kind=ButtonKind::Primary
                        submit=true
                        busy=Signal::derive(move || action.busy())
                        disabled=Signal::derive(move || name.with(|name| name.trim().is_empty()))
                    />
                </div>
            </form>
        </Dialog>
    }
}
