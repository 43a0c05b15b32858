//! The rail: where one can go, most frequent first. It is narrow, or wide with its words beside
//! its icons, and stays as it was left.

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;

use crate::components::{CommandKeys, Glyph, Icon};
use crate::state::commands::Commands;
use crate::state::preferences::Preferences;
use crate::state::queue::Queue;

/// A narrow rail has room for so many; beside words there is room for all.
const MAX_BADGE: u64 = 99;

/// Destinations with an icon and a word.
#[component]
pub(super) fn Rail() -> impl IntoView {
    let queue = Queue::expect();
    let commands = Commands::expect();
    let wide = Preferences::expect().part(|choices| choices.rail_wide);
    let badge = move || {
        queue
            .open_count()
            .filter(|total| total.count > 0)
            .map(|total| {
                let more = if total.is_capped { "+" } else { "" };
                let exact = format!("{}{more}", total.count);
                let short = if total.count > MAX_BADGE {
                    format!("{MAX_BADGE}+")
                } else {
                    exact.clone()
                };
                let shown = if wide.get() { exact.clone() } else { short };
                (exact, shown)
            })
    };
    let toggle_label = move || {
        if wide.get() {
            "Narrow the rail"
        } else {
            "Widen the rail"
        }
    };
    view! {
        <nav class="rail" class:rail--wide=move || wide.get() aria-label="Main">
            <Place href="/" under="/alerts" glyph=Glyph::Queue label="Queue" command="go.queue">
                {move || {
                    badge()
                        .map(|(count, shown)| {
                            let label = format!("{count} waiting");
                            view! {
                                <span class="rail__badge" role="img" aria-label=label.clone() title=label>
                                    {shown}
                                </span>
                            }
                        })
                }}
            </Place>
            <span class="rail__rule" role="separator"></span>
            <Place href="/agents" under="/agents" glyph=Glyph::Agent label="Agents" command="go.agents" />
            <span class="rail__space"></span>
            <button
                type="button"
                class="button button--quiet button--icon rail__toggle"
                data-command="window.rail"
                aria-expanded=move || wide.get().to_string()
                aria-label=toggle_label
                title=toggle_label
                on:click=move |_| {
                    commands.run("window.rail");
                }
            >
                <Icon glyph=Glyph::Menu />
            </button>
        </nav>
    }
}

#[component]
fn Place(
    href: &'static str,
    /// Paths that begin with this belong here too.
    under: &'static str,
    glyph: Glyph,
    label: &'static str,
    /// The command that goes there; its key is shown beside the word.
    command: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let location = use_location();
    let here = move || {
        let path = location.pathname.get();
        path == href || path.starts_with(under)
    };
    view! {
        <div class="rail__place" class:rail__place--here=here>
            <A href=href attr:class="rail__link" attr:title=label>
                <Icon glyph />
                <span class="rail__word">{label}</span>
                <span class="rail__keys"><CommandKeys id=command /></span>
            </A>
            {children.map(|children| children())}
        </div>
    }
}
