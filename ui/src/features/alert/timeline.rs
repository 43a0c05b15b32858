//! What happened to the alert, newest first.

use calseta_contract::alert::ActivityView;
use leptos::prelude::*;

use super::open_alert::OpenAlert;
use crate::components::{Age, Section};
use crate::text::{event_facts, event_title, visible};

/// The event log's entries about this alert.
#[component]
pub(super) fn Timeline(open: OpenAlert) -> impl IntoView {
    view! {
        <Section number=6 title="Timeline">
            <Show
                when=move || !open.activity().is_empty()
                fallback=|| view! { <p class="section__none">"Nothing has happened yet."</p> }
            >
                <ol class="timeline">
                    <For each=move || open.activity() key=|entry| entry.seq let:entry>
                        <Entry entry />
                    </For>
                </ol>
            </Show>
        </Section>
    }
}

#[component]
fn Entry(entry: ActivityView) -> impl IntoView {
    let facts = event_facts(&entry.references).join(" · ");
    view! {
        <li class="timeline__entry" data-actor=entry.actor_kind.clone()>
            <Age at=entry.created_at />
            <span class="timeline__what">
                <strong>{event_title(&entry.kind)}</strong>
                {(!facts.is_empty()).then(|| view! { <span class="timeline__facts">{facts}</span> })}
            </span>
            <span class="timeline__who">
                {visible(&entry.actor_name).into_owned()}
                {entry.actor_key_prefix.map(|prefix| view! { <code>{prefix}"…"</code> })}
            </span>
        </li>
    }
}
