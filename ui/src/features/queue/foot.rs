//! What frames the list: the pill for what is new, and how many there are.

use std::time::Duration;

use leptos::prelude::*;

use super::grid::whole;
use crate::components::CommandKeys;
use crate::state::alert_list::AlertList;
use crate::state::layout::Layout;
use crate::state::queue::Queue;

/// New alerts are read out at most so often (one announcement a batch).
const ANNOUNCE_EVERY: Duration = Duration::from_secs(5);

/// `▲ 6 new (1 Critical)`: what waits, and the key that brings it in.
#[component]
pub(super) fn NewPill() -> impl IntoView {
    let queue = Queue::expect();
    let new = Memo::new(move |_| {
        queue.with(|list| {
            let waiting = list.waiting();
            let worst = waiting.iter().map(|alert| alert.severity).max()?;
            let count = waiting
                .iter()
                .filter(|alert| alert.severity == worst)
                .count();
            let more = if list.is_waiting_partial() { "+" } else { "" };
            Some((waiting.len(), more, count, worst))
        })
    });
    let text = Memo::new(move |_| {
        let is_held = queue.is_paused() || queue.with_selection(|one| !one.is_empty());
        match (new.get(), queue.is_paused()) {
            (Some((all, more, _, _)), _) if is_held => {
                Some(format!("Updates paused — {all}{more} new"))
            }
            (None, true) if queue.held() > 0 => {
                Some(format!("Updates paused — {} changed", queue.held()))
            }
            (None, true) => Some("Updates paused".to_owned()),
            (Some((all, more, count, worst)), _) => {
                Some(format!("{all}{more} new ({count} {worst})"))
            }
            (None, false) => None,
        }
    });
    let press = move |_| {
        if untrack(|| queue.is_paused()) {
            queue.toggle_pause();
        }
        queue.merge();
    };
    view! {
        {move || {
            text.get()
                .map(|text| {
                    view! {
                        <button type="button" class="pill" data-command="queue.merge" on:click=press>
                            <span aria-hidden="true">"▲ "</span>
                            {text}
                            <CommandKeys id="queue.merge" />
                        </button>
                    }
                })
        }}
        <Announcer />
    }
}

/// Says how many are new, once a batch.
#[component]
fn Announcer() -> impl IntoView {
    let queue = Queue::expect();
    let said = RwSignal::new(String::new());
    let waits = StoredValue::new(false);
    Effect::new(move |_| {
        let count = queue.with(|list| list.waiting().len());
        if count == 0 || waits.get_value() {
            return;
        }
        waits.set_value(true);
        let say = move || {
            if waits.try_set_value(false).is_some() {
                return;
            }
            let count = queue.peek(|list| list.waiting().len());
            let text = match count {
                0 => String::new(),
                1 => "1 new alert".to_owned(),
                many => format!("{many} new alerts"),
            };
            said.try_set(text);
        };
        set_timeout(say, ANNOUNCE_EVERY);
    });
    view! {
        <p class="visually-hidden" role="status" aria-live="polite">
            {said}
        </p>
    }
}

/// How many there are, in words.
#[component]
pub(super) fn Foot() -> impl IntoView {
    let queue = Queue::expect();
    let text = move || {
        let loaded = queue.with(AlertList::len);
        let count = match queue.total() {
            None => format!("{loaded} loaded, counting…"),
            Some(total) if total.is_capped => format!("{loaded} of more than {}", total.count),
            Some(total) if whole(total.count) <= loaded => plural(loaded),
            Some(total) => format!("{loaded} loaded of {}", total.count),
        };
        let groups = queue.layout().with(Layout::group_count);
        match groups {
            0 => count,
            groups if queue.groups_are_partial() => {
                format!("{count}, the {groups} largest groups")
            }
            1 => format!("{count} in 1 group"),
            groups => format!("{count} in {groups} groups"),
        }
    };
    let selected = move || {
        let count = queue.with_selection(crate::state::selection::Selection::count);
        (count > 0).then(|| format!(" · {count} selected"))
    };
    let pinned = move || {
        queue
            .is_pinned()
            .then(|| view! { <span class="grid__pinned">" · the open alert is pinned " <CommandKeys id="queue.pin" /></span> })
    };
    view! {
        <p class="grid__foot">
            <span>{text}</span>
            {selected}
            {pinned}
        </p>
    }
}

fn plural(count: usize) -> String {
    if count == 1 {
        "1 alert".to_owned()
    } else {
        format!("{count} alerts")
    }
}
