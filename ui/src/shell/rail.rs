//! The rail: where one can go, most frequent first.

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;

use crate::components::{Glyph, Icon};
use crate::state::queue::Queue;

/// Destinations with an icon and a word.
#[component]
pub(super) fn Rail() -> impl IntoView {
    let queue = Queue::expect();
    let badge = move || {
        queue
            .open_count()
            .filter(|total| total.count > 0)
            .map(|total| {
                let more = if total.is_capped { "+" } else { "" };
                format!("{}{more}", total.count)
            })
    };
    view! {
        <nav class="rail" aria-label="Main">
            <Place href="/" under="/alerts" glyph=Glyph::Queue label="Queue">
                {move || {
                    badge()
                        .map(|count| {
                            view! {
                                <span class="rail__badge" aria-label=format!("{count} waiting")>
                                    {count.clone()}
                                </span>
                            }
                        })
                }}
            </Place>
            <span class="rail__rule" role="separator"></span>
            <Place href="/agents" under="/agents" glyph=Glyph::Agent label="Agents" />
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
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let location = use_location();
    let here = move || {
        let path = location.pathname.get();
        path == href || path.starts_with(under)
    };
    view! {
        <div class="rail__place" class:rail__place--here=here>
            <A href=href attr:class="rail__link">
                <Icon glyph />
                <span>{label}</span>
            </A>
            {children.map(|children| children())}
        </div>
    }
}
