//! What can be done to the selected alerts; it stands where the filter bar stands.

use leptos::prelude::*;

use crate::components::{Button, ButtonKind, CommandButton, Glyph};
use crate::state::alert_actions::AlertActions;
use crate::state::alert_list::AlertList;
use crate::state::commands::{Command, Commands, Group};
use crate::state::queue::Queue;

/// The command that ends a selection.
const CLEAR: (&str, &str, &[&str]) = ("selection.clear", "Clear the selection", &["Escape"]);

/// How many are selected, and the actions.
#[component]
pub(super) fn BulkBar() -> impl IntoView {
    let queue = Queue::expect();
    let actions = AlertActions::expect();
    let (id, title, keys) = CLEAR;
    Commands::expect().register(vec![Command::new(
        id,
        title,
        Group::List,
        keys,
        move || queue.select(|selection| selection.set([])),
    )]);
    let said = move || {
        let selection = queue.selection();
        let count = selection.count();
        if selection.is_everything() {
            format!("All {count} in view selected")
        } else {
            format!("{count} selected")
        }
    };
    view! {
        <div
            class="bulk"
            role="toolbar"
            aria-label="Bulk actions"
            aria-busy=move || actions.is_busy().then_some("true")
        >
            <span class="bulk__count" role="status">{said}</span>
            <SelectRest />
            <CommandButton id="alert.close" label="Close as…" />
            <CommandButton id="alert.acknowledge" label="Acknowledge" kind=ButtonKind::Quiet />
            <CommandButton id="alert.escalate" label="Escalate" kind=ButtonKind::Quiet />
            <CommandButton id="alert.severity" label="Severity" kind=ButtonKind::Quiet />
            <CommandButton id="alert.tag" label="Tag" kind=ButtonKind::Quiet />
            <CommandButton id="alert.note" label="Note" kind=ButtonKind::Quiet />
            <CommandButton id="alert.snooze" label="Snooze" kind=ButtonKind::Quiet />
            <CommandButton id="alert.dispatch" label="Send to agent" kind=ButtonKind::Quiet />
            <CommandButton id="alert.enrich" label="Look up again" kind=ButtonKind::Quiet />
            <CommandButton id="alert.suppress" label="Suppress like these" kind=ButtonKind::Quiet />
            <CommandButton id="queue.export-csv" label="Export CSV" kind=ButtonKind::Quiet />
            <CommandButton id="queue.export-ndjson" label="NDJSON" kind=ButtonKind::Quiet />
            <span class="bulk__space"></span>
            <Button
                label="Clear the selection (Esc)"
                kind=ButtonKind::Quiet
                glyph=Glyph::Close
                icon_only=true
                on_press=move |()| queue.select(|selection| selection.set([]))
            />
        </div>
    }
}

/// Goes on from all that is loaded to all that the view finds.
#[component]
fn SelectRest() -> impl IntoView {
    let queue = Queue::expect();
    let rest = Memo::new(move |_| {
        let total = queue.total()?;
        let loaded = queue.with(|list| u64::try_from(list.len()).unwrap_or(u64::MAX));
        let all_loaded = queue.with_selection(|one| !one.is_everything() && one.count() >= loaded);
        (all_loaded && total.count > loaded).then_some(total)
    });
    view! {
            {move || {
                rest.get()
                    .map(|total| {
                        let more = if total.is_capped { " or more" } else { "" };
                        view! {
                            <Button
                                label=format!("Select all {}{more} in view", total.count)
                                kind=ButtonKind::Quiet
                                on_press=move |()| {
                                    queue.select(|selection| {
                                        selection.select_everything(queue.peek_q(), total.count);
                                    });
                                }
                            />
                        }
                    })
            }}
    }
}

/// What the bar registers while something is selected, for whoever lists all commands.
pub(crate) fn commands() -> Vec<Command> {
    let (id, title, keys) = CLEAR;
    vec![Command::elsewhere(id, title, Group::List, keys)]
}

/// Every loaded alert.
pub(super) fn select_loaded(queue: Queue) {
    let all = queue.peek(|list: &AlertList| list.ids().to_vec());
    queue.select(|selection| selection.set(all));
}
