//! The first admin key, shown once.

use leptos::prelude::*;

use crate::api;
use crate::components::{Button, ButtonKind, Dialog, FailureBanner, Secret, Skeleton};
use crate::hooks::use_action;

/// Takes the key from the backend, which gives it once, and keeps it on the screen until it is
/// said to be stored. Escape does not close it: there is no second look.
#[component]
pub(crate) fn FirstKeyDialog(#[prop(into)] on_done: Callback<()>) -> impl IntoView {
    let key = RwSignal::new(None::<String>);
    let action = use_action();
    action.start_or(
        api::take_first_key(),
        move |taken| key.set(Some(taken.key)),
        move |failure| {
            // Another window has shown it meanwhile.
            if failure.is_not_found() {
                on_done.run(());
            }
        },
    );
    view! {
        <Dialog title="Your admin key" on_close=|()| () dismissable=false class="first-key">
            <p class="dialog__text">
                "Scripts and sources use it to talk to the API. It is shown this once and stored only as a hash. This window itself needs no key."
            </p>
            {move || match (key.get(), action.failure()) {
                (Some(key), _) => view! { <Secret what="Admin key" value=key /> }.into_any(),
                (None, Some(failure)) => {
                    view! { <FailureBanner failure what="The key could not be read" /> }.into_any()
                }
                (None, None) => view! { <Skeleton lines=1 /> }.into_any(),
            }}
            <div class="dialog__actions">
                <Button
                    label="I have stored it"
                    kind=ButtonKind::Primary
                    disabled=Signal::derive(move || key.with(Option::is_none) && action.failure().is_none())
                    on_press=move |()| on_done.run(())
                />
            </div>
        </Dialog>
    }
}
