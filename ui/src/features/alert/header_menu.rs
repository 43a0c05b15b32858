//! What else can be done with the alert: the rarer commands, each with its key.

use leptos::prelude::*;

use crate::components::{Button, ButtonKind, CommandButton, Popover};

/// In the order of the menu.
const COMMANDS: [&str; 11] = [
    "alert.dispatch",
    "alert.enrich",
    "alert.severity",
    "alert.verdict",
    "alert.tag",
    "alert.note",
    "alert.snooze",
    "alert.flag",
    "alert.unread",
    "alert.suppress",
    "window.copy-link",
];

/// A button and its menu.
#[component]
pub(super) fn HeaderMenu() -> impl IntoView {
    let open = RwSignal::new(false);
    let items = move || {
        let item = |id| view! { <CommandButton id kind=ButtonKind::Quiet /> };
        COMMANDS.map(item).into_iter().collect_view()
    };
    view! {
        <span class="menu">
            <Button label="More" on_press=move |()| open.update(|open| *open = !*open) />
            <Show when=move || open.get()>
                <Popover label="More for this alert" at_end=true on_close=move |()| open.set(false)>
                    <div class="alert-head__menu" on:click=move |_| open.set(false)>
                        {items()}
                    </div>
                </Popover>
            </Show>
        </span>
    }
}
