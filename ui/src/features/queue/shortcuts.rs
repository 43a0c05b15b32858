//! The queue's commands.

use calseta_domain::AlertId;
use leptos::prelude::*;

use super::grid::focus_row;
use crate::state::commands::{Command, Commands, Group};
use crate::state::places::Places;
use crate::state::queue::Queue;

/// Registers what can be done while the queue is on the screen.
pub(super) fn register(queue: Queue) {
    let places = Places::expect();
    let step = move |by: isize| move || step(queue, places, by);
    let go = Group::Move;
    let has_rows = move || queue.with(|list| !list.is_empty());
    Commands::expect().register(vec![
        Command::new("queue.next", "Next alert", go, &["j", "ArrowDown"], step(1)).when(has_rows),
        Command::new(
            "queue.previous",
            "Previous alert",
            go,
            &["k", "ArrowUp"],
            step(-1),
        )
        .when(has_rows),
        Command::new("queue.first", "First alert", go, &["g g"], step(isize::MIN)).when(has_rows),
        Command::new(
            "queue.last",
            "Last loaded alert",
            go,
            &["G"],
            step(isize::MAX),
        )
        .when(has_rows),
        Command::new(
            "queue.open",
            "Open the alert",
            go,
            &["Enter", "o"],
            move || {
                if let Some(id) = queue.focused() {
                    places.alert(id);
                }
            },
        )
        .when(move || queue.focused().is_some()),
        Command::new(
            "queue.back",
            "Back to the list",
            go,
            &["Escape"],
            move || back(queue, places),
        )
        .when(move || queue.open().is_some() || queue.focused().is_some()),
        Command::new("queue.merge", "Show new alerts", go, &["."], move || {
            queue.merge();
        })
        .when(move || queue.with(|list| !list.waiting().is_empty())),
        Command::new(
            "queue.refresh",
            "Read the list anew",
            go,
            &["r"],
            move || queue.reload(),
        ),
        Command::new("queue.filter", "Filter", go, &["/"], focus_filter),
    ]);
}

/// Moves the focus; an open alert follows it.
fn step(queue: Queue, places: Places, by: isize) {
    let (now, count) = untrack(|| {
        let now = queue.open().or_else(|| queue.focused());
        queue.peek(|list| (now.and_then(|id| list.index_of(id)), list.len()))
    });
    if count == 0 {
        return;
    }
    let next = match now {
        Some(index) => index.saturating_add_signed(by).min(count - 1),
        None if by == isize::MAX => count - 1,
        None => 0,
    };
    let Some(id) = queue.peek(|list| list.id_at(next)) else {
        return;
    };
    focus(queue, id);
    if untrack(|| queue.open().is_some_and(|open| open != id)) {
        places.next_alert(id);
    }
}

fn back(queue: Queue, places: Places) {
    let open = untrack(|| queue.open());
    if let Some(id) = open {
        places.queue();
        focus(queue, id);
    } else {
        queue.focus(None);
        if let Some(active) = document().active_element() {
            use wasm_bindgen::JsCast as _;
            if let Some(element) = active.dyn_ref::<web_sys::HtmlElement>() {
                // An element that keeps the focus does no harm.
                let _ = element.blur();
            }
        }
    }
}

fn focus(queue: Queue, id: AlertId) {
    queue.focus(Some(id));
    focus_row(id);
}

fn focus_filter() {
    use wasm_bindgen::JsCast as _;
    let first = document().query_selector(".filters button").ok().flatten();
    if let Some(element) = first.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // A filter that cannot take the focus is not on the screen.
        let _ = element.focus();
    }
}
