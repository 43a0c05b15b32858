//! The status bar: what goes on in the background, in words.

use calseta_domain::Timestamp;
use leptos::prelude::*;

use super::activity::Activity;
use crate::components::Popover;
use crate::state::clock::Clock;
use crate::state::commands::{Command, Commands, Group};
use crate::state::live::{Link, Live};
use crate::state::queue::Queue;
use crate::state::session::Session;
use crate::text::ago;

/// One line below every page.
#[component]
pub(super) fn StatusBar() -> impl IntoView {
    let live = Live::expect();
    let clock = Clock::expect();
    let queue = Queue::expect();
    let boot = Session::expect().boot();
    let link = move || match live.link() {
        Link::Connecting => ("wait", "Connecting…"),
        Link::Live => ("ok", "Live"),
        Link::Reconnecting => ("warn", "Reconnecting… the list may be out of date"),
    };
    let last = move || {
        live.last_event().map(|at| {
            let at = ago(clock.now(), Timestamp::from_millis(at));
            format!("last event {at}")
        })
    };
    let waiting = move || {
        let count = queue.with(|list| list.waiting().len());
        (count > 0).then(|| format!("{count} new behind the pill"))
    };
    let looked_up = move || match queue.looked_up() {
        None => String::new(),
        Some(total) if total.count == 0 => "nothing is being looked up".to_owned(),
        Some(total) if total.count == 1 => "1 alert is being looked up".to_owned(),
        Some(total) => {
            let more = if total.is_capped { "+" } else { "" };
            format!("{}{more} alerts are being looked up", total.count)
        }
    };
    let paused = move || queue.is_paused().then_some("Updates paused (Shift+P)");
    view! {
        <footer class="status-bar">
            <span class="status-bar__link" data-link=move || link().0 role="status">
                {move || link().1}
            </span>
            <span>{last}</span>
            <span>{looked_up}</span>
            <span>{waiting}</span>
            <span class="status-bar__paused">{paused}</span>
            <ActivityButton />
            <span class="status-bar__space"></span>
            <span class="status-bar__path" title="Where the data lives">{boot.data_dir}</span>
            <span>{format!("v{}", boot.version)}</span>
        </footer>
    }
}

/// Opens the drawer behind the bar.
#[component]
fn ActivityButton() -> impl IntoView {
    let is_open = RwSignal::new(false);
    Commands::expect().register(vec![Command::new(
        "window.activity",
        "Activity in the background",
        Group::Window,
        &["Ctrl+j"],
        move || is_open.update(|open| *open = !*open),
    )]);
    view! {
        <div class="menu">
            <button
                type="button"
                class="status-bar__button"
                data-command="window.activity"
                aria-haspopup="dialog"
                aria-expanded=move || is_open.get().to_string()
                title="Lookups, deliveries and providers"
                on:click=move |_| is_open.update(|open| *open = !*open)
            >
                "Activity"
            </button>
            <Show when=move || is_open.get()>
                <Popover label="Activity" upwards=true on_close=move |()| is_open.set(false)>
                    <Activity on_leave=move |()| is_open.set(false) />
                </Popover>
            </Show>
        </div>
    }
}
