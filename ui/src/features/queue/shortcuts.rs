//! The queue's commands.

use calseta_domain::query::{Group as Grouping, with_group};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use super::bulk_bar::select_loaded;
use super::query_bar::INPUT_ID;
use crate::components::copy_text;
use crate::state::alert_list::AlertRow;
use crate::state::commands::{Command, Commands, Group};
use crate::state::layout::{Layout, Line};
use crate::state::places::Places;
use crate::state::preferences::Preferences;
use crate::state::queue::Queue;
use crate::state::toasts::Toasts;
use crate::text::defang;

/// Registers what can be done while the queue is on the screen.
pub(super) fn register(queue: Queue) {
    let places = Places::expect();
    let mut all = moving(queue, places);
    all.extend(listing(queue, Preferences::expect()));
    all.extend(grouping(queue));
    all.extend(super::export::commands(queue));
    all.extend(selecting(queue, places));
    all.extend(copying(queue, Toasts::expect()));
    Commands::expect().register(all);
}

fn moving(queue: Queue, places: Places) -> Vec<Command> {
    let go = Group::Move;
    let has_rows = move || queue.with(|list| !list.is_empty());
    let to = move |id, title, keys, run: fn(Queue, Places)| {
        Command::new(id, title, go, keys, move || run(queue, places)).when(has_rows)
    };
    vec![
        to("queue.next", "Next alert", &["j", "ArrowDown"], |q, p| {
            step(q, p, 1);
        }),
        to(
            "queue.previous",
            "Previous alert",
            &["k", "ArrowUp"],
            |q, p| step(q, p, -1),
        ),
        to("queue.page-down", "A screen down", &["PageDown"], |q, p| {
            step(q, p, 20);
        }),
        to("queue.page-up", "A screen up", &["PageUp"], |q, p| {
            step(q, p, -20);
        }),
        to("queue.first", "First alert", &["g g", "Home"], |q, p| {
            to_end(q, p, false);
        }),
        to("queue.last", "Last loaded alert", &["G", "End"], |q, p| {
            to_end(q, p, true);
        }),
        to(
            "queue.next-unhandled",
            "Next unhandled alert",
            &["]"],
            |q, p| unhandled(q, p, true),
        ),
        to(
            "queue.previous-unhandled",
            "Previous unhandled alert",
            &["["],
            |q, p| {
                unhandled(q, p, false);
            },
        ),
        Command::new(
            "queue.open",
            "Open the alert",
            go,
            &["Enter", "o"],
            move || match untrack(|| queue.focused_group()) {
                Some(key) => queue.fold(&key, !untrack(|| queue.is_collapsed(&key))),
                None => {
                    if let Some(id) = queue.peek_focused() {
                        places.alert(id);
                    }
                }
            },
        )
        .when(move || queue.focused_line().is_some()),
        Command::new(
            "queue.back",
            "Back to the list",
            go,
            &["Escape"],
            move || {
                back(queue, places);
            },
        )
        .when(move || queue.open().is_some() || queue.focused_line().is_some()),
    ]
}

fn listing(queue: Queue, preferences: Preferences) -> Vec<Command> {
    let list = Group::List;
    vec![
        Command::new("queue.filter", "Filter", list, &["/"], focus_filter),
        Command::new("queue.merge", "Show new alerts", list, &["."], move || {
            queue.merge();
        })
        .when(move || queue.with(|list| !list.waiting().is_empty())),
        Command::new("queue.refresh", "Refresh", list, &["r"], move || {
            queue.reload();
        }),
        Command::new(
            "queue.pause",
            "Pause or resume updates",
            list,
            &["P"],
            move || {
                queue.toggle_pause();
            },
        ),
        Command::new(
            "queue.pin",
            "Pin the open alert, or let it follow",
            list,
            &["p"],
            move || queue.toggle_pin(),
        )
        .when(move || queue.open().is_some()),
        Command::new("queue.facets", "Facets", list, &["f"], move || {
            preferences.change(|choices| choices.facets = !choices.facets);
        }),
        Command::new(
            "queue.peek",
            "Peek at the indicators",
            list,
            &["Space"],
            move || {
                if let Some(id) = queue.peek_focused() {
                    queue.toggle_peek(id);
                }
            },
        )
        .when(move || queue.focused().is_some()),
    ]
}

fn grouping(queue: Queue) -> Vec<Command> {
    let list = Group::List;
    let grouped = move || queue.group() != Grouping::None;
    let by = move |id, title, group: Grouping| {
        Command::new(id, title, list, &[], move || {
            let wanted = (group != Grouping::None).then_some(group);
            // A query with another grouping is a query.
            let _ = queue.set_q(&with_group(&queue.peek_q(), wanted));
        })
    };
    let fold = move |is_collapsed: bool| {
        if let Some(key) = focused_group(queue) {
            queue.focus_group(key.clone());
            queue.fold(&key, is_collapsed);
        }
    };
    vec![
        by("queue.group-none", "Group by nothing", Grouping::None),
        by("queue.group-rule", "Group by rule", Grouping::Rule),
        by(
            "queue.group-entity",
            "Group by key indicator",
            Grouping::Entity,
        ),
        by("queue.group-source", "Group by source", Grouping::Source),
        by(
            "queue.group-duplicate",
            "Group by recurrence",
            Grouping::Duplicate,
        ),
        Command::new(
            "queue.collapse",
            "Fold the group",
            list,
            &["ArrowLeft"],
            move || {
                if queue.peek_focused().is_some() && untrack(|| queue.peeked()).is_some() {
                    queue.end_peek();
                } else {
                    fold(true);
                }
            },
        )
        .when(move || grouped() || queue.peeked().is_some()),
        Command::new(
            "queue.expand",
            "Unfold the group, or peek",
            list,
            &["ArrowRight"],
            move || match queue.peek_focused() {
                Some(id) => queue.toggle_peek(id),
                None => fold(false),
            },
        )
        .when(move || queue.focused_line().is_some()),
        Command::new(
            "queue.collapse-all",
            "Fold or unfold all groups",
            list,
            &["Shift+ArrowLeft"],
            move || {
                // A row that is folded away leaves the focus to its group.
                if let Some(key) = focused_group(queue) {
                    queue.focus_group(key);
                }
                queue.fold_all();
            },
        )
        .when(grouped),
    ]
}

fn selecting(queue: Queue, places: Places) -> Vec<Command> {
    let list = Group::List;
    let extend = move |by: isize| {
        move || {
            let from = queue.peek_focused();
            step(queue, places, by);
            if let (Some(from), Some(to)) = (from, queue.peek_focused()) {
                let order = queue.layout().with_untracked(Layout::shown_rows);
                queue.select(|selection| selection.extend(from, to, &order));
            }
        }
    };
    vec![
        Command::new(
            "selection.toggle",
            "Select, or not",
            list,
            &["x"],
            move || {
                let group = untrack(|| queue.focused_group());
                match (group, queue.peek_focused()) {
                    (Some(key), _) => queue.toggle_group(&key),
                    (None, Some(id)) => queue.select(|selection| selection.toggle(id)),
                    (None, None) => {}
                }
            },
        )
        .when(move || queue.focused_line().is_some()),
        Command::new(
            "selection.down",
            "Select downwards",
            list,
            &["J", "Shift+ArrowDown"],
            extend(1),
        ),
        Command::new(
            "selection.up",
            "Select upwards",
            list,
            &["K", "Shift+ArrowUp"],
            extend(-1),
        ),
        Command::new(
            "selection.all",
            "Select all loaded",
            list,
            &["Ctrl+a"],
            move || {
                select_loaded(queue);
            },
        ),
    ]
}

fn copying(queue: Queue, toasts: Toasts) -> Vec<Command> {
    let copy = move |id, title, keys, spell: fn(&str) -> String| {
        let run = move || {
            let target = untrack(|| queue.target());
            let row = target.and_then(|id| untrack(|| queue.row(id)));
            if let Some(row) = row {
                copy_text(toasts, copied(&row, spell), "Indicators");
            }
        };
        Command::new(id, title, Group::Act, keys, run).when(move || queue.target().is_some())
    };
    vec![
        copy("alert.copy", "Copy key indicators", &["y"], str::to_owned),
        copy(
            "alert.copy-defanged",
            "Copy key indicators defanged",
            &["Y"],
            defang,
        ),
    ]
}

/// A row's key indicators, a line each; without any, its title.
fn copied(row: &AlertRow, spell: fn(&str) -> String) -> String {
    let values: Vec<String> = row
        .alert
        .key_indicators
        .iter()
        .map(|one| spell(&one.value))
        .collect();
    if values.is_empty() {
        row.alert.title.clone()
    } else {
        values.join("\n")
    }
}

/// The group that is focused, or that the focused row is in.
fn focused_group(queue: Queue) -> Option<String> {
    untrack(|| queue.focused_group()).or_else(|| {
        let id = queue.peek_focused()?;
        queue.layout().with_untracked(|layout| {
            layout.group_keys().into_iter().find(|key| {
                layout
                    .group(key)
                    .is_some_and(|head| head.members.contains(&id))
            })
        })
    })
}

/// Moves the focus; an open alert follows it.
fn step(queue: Queue, places: Places, by: isize) {
    let open = untrack(|| queue.open().filter(|_| !queue.is_pinned()));
    let now = open
        .map(Line::Row)
        .or_else(|| untrack(|| queue.focused_line()));
    let next = queue.layout().with_untracked(|layout| {
        let at = now.as_ref().and_then(|line| layout.place(line));
        match at {
            Some(at) => layout.step(at, by).cloned(),
            None => layout.end(false).cloned(),
        }
    });
    if let Some(line) = next {
        go_to(queue, places, &line);
    }
}

fn to_end(queue: Queue, places: Places, is_last: bool) {
    let line = queue
        .layout()
        .with_untracked(|layout| layout.end(is_last).cloned());
    if let Some(line) = line {
        go_to(queue, places, &line);
    }
}

fn unhandled(queue: Queue, places: Places, is_forward: bool) {
    let now = untrack(|| queue.focused_line());
    let next = queue.layout().with_untracked(|layout| {
        let at = now
            .as_ref()
            .and_then(|line| layout.place(line))
            .unwrap_or(0);
        layout.find_row(at, is_forward, |id| {
            queue.peek(|list| list.row(id).is_some_and(AlertRow::is_unhandled))
        })
    });
    if let Some(id) = next {
        go_to(queue, places, &Line::Row(id));
    }
}

fn go_to(queue: Queue, places: Places, line: &Line) {
    queue.focus_line(line);
    super::grid::focus_line(queue, line);
    if let Some(id) = line.alert()
        && untrack(|| !queue.is_pinned() && queue.open().is_some_and(|open| open != id))
    {
        places.next_alert(id);
    }
}

fn back(queue: Queue, places: Places) {
    let open = untrack(|| queue.open());
    if let Some(id) = open {
        places.queue();
        queue.focus(Some(id));
        super::grid::focus_row(id);
        return;
    }
    if untrack(|| queue.peeked()).is_some() {
        queue.end_peek();
        return;
    }
    queue.blur();
    let active = document().active_element();
    if let Some(element) = active.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // An element that keeps the focus does no harm.
        let _ = element.blur();
    }
}

fn focus_filter() {
    let input = document().get_element_by_id(INPUT_ID);
    if let Some(input) = input.and_then(|e| e.dyn_into::<web_sys::HtmlInputElement>().ok()) {
        // An input that takes no focus can be pressed.
        let _ = input.focus();
        input.select();
    }
}
