//! The shortcut sheet: the registry as a table, so that it cannot be out of date.

use leptos::prelude::*;

use crate::components::{Button, ButtonKind, Dialog, Keys};
use crate::state::commands::{Command, Commands, Group};

/// Every command that is registered now, by group.
#[component]
pub(super) fn ShortcutSheet(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let commands = untrack(|| Commands::expect().list());
    let group = move |group: Group| {
        let rows: Vec<Command> = commands
            .iter()
            .filter(|c| c.group == group)
            .cloned()
            .collect();
        (!rows.is_empty()).then(|| {
            view! {
                <section class="sheet__group">
                    <h3 class="sheet__title">{group.title()}</h3>
                    <dl class="sheet__list">{rows.into_iter().map(row).collect_view()}</dl>
                </section>
            }
        })
    };
    view! {
        <Dialog title="Keyboard shortcuts" on_close class="sheet">
            <div class="sheet__groups">{Group::ALL.map(group).collect_view()}</div>
            <div class="dialog__actions">
                <Button label="Close" kind=ButtonKind::Primary on_press=move |()| on_close.run(()) />
            </div>
        </Dialog>
    }
}

fn row(command: Command) -> impl IntoView {
    view! {
        <div class="sheet__row">
            <dt>{command.title}</dt>
            <dd>
                {command
                    .keys
                    .iter()
                    .map(|keys| view! { <Keys sequence=keys /> })
                    .collect_view()}
            </dd>
        </div>
    }
}
