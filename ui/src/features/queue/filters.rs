//! The filter row: one toggle a word, by status, severity and source.

use std::collections::BTreeSet;

use calseta_domain::{AlertStatus, Severity};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::components::{Button, ButtonKind, Glyph, SeverityGlyph};
use crate::state::alert_list::AlertFilter;
use crate::state::queue::Queue;
use crate::text::visible;

/// Sources that fit in a row; a machine with more uses the query (a later view).
const MAX_SOURCES: usize = 8;

/// Toggles; those of one group are any-of, the groups are all-of.
#[component]
pub(super) fn FilterBar() -> impl IntoView {
    let queue = Queue::expect();
    let sources = RwSignal::new(Vec::<String>::new());
    spawn_local(async move {
        // Without the list of sources the row has one group less; the rest works.
        if let Ok(rows) = api::list_sources().await {
            let names = rows
                .into_iter()
                .map(|row| row.source_name)
                .take(MAX_SOURCES)
                .collect();
            sources.try_set(names);
        }
    });
    let changed = move || queue.filter() != AlertFilter::default();
    view! {
        <div class="filters" role="toolbar" aria-label="Filter">
            <div class="filters__group" role="group" aria-label="Status">
                {AlertStatus::ALL.iter().map(|status| status_toggle(queue, *status)).collect_view()}
            </div>
            <div class="filters__group" role="group" aria-label="Severity">
                {Severity::ALL.iter().rev().map(|s| severity_toggle(queue, *s)).collect_view()}
            </div>
            <div class="filters__group" role="group" aria-label="Source">
                {move || sources.get().into_iter().map(|s| source_toggle(queue, s)).collect_view()}
            </div>
            <span class="filters__space"></span>
            <Show when=changed>
                <Button
                    label="Reset"
                    kind=ButtonKind::Quiet
                    glyph=Glyph::Close
                    on_press=move |()| queue.set_filter(AlertFilter::default())
                />
            </Show>
            <Button
                label="Refresh (r)"
                kind=ButtonKind::Quiet
                glyph=Glyph::Refresh
                icon_only=true
                busy=Signal::derive(move || queue.is_loading())
                on_press=move |()| queue.reload()
            />
        </div>
    }
}

fn toggled<T: Ord>(set: &mut BTreeSet<T>, word: T) {
    if !set.remove(&word) {
        set.insert(word);
    }
}

fn change(queue: Queue, change: impl FnOnce(&mut AlertFilter)) {
    let mut filter = untrack(|| queue.filter());
    change(&mut filter);
    queue.set_filter(filter);
}

fn status_toggle(queue: Queue, status: AlertStatus) -> impl IntoView {
    view! {
        <button
            type="button"
            class="toggle"
            aria-pressed=move || queue.filter().status.contains(&status).to_string()
            on:click=move |_| change(queue, |filter| toggled(&mut filter.status, status))
        >
            {status.as_str()}
        </button>
    }
}

fn severity_toggle(queue: Queue, severity: Severity) -> impl IntoView {
    view! {
        <button
            type="button"
            class="toggle toggle--icon"
            aria-pressed=move || queue.filter().severity.contains(&severity).to_string()
            aria-label=severity.as_str()
            title=severity.as_str()
            on:click=move |_| change(queue, |filter| toggled(&mut filter.severity, severity))
        >
            <SeverityGlyph severity />
        </button>
    }
}

fn source_toggle(queue: Queue, source: String) -> impl IntoView {
    let shown = visible(&source).into_owned();
    let source = StoredValue::new(source);
    let on = move || source.with_value(|name| queue.filter().source_name.contains(name));
    view! {
        <button
            type="button"
            class="toggle"
            aria-pressed=move || on().to_string()
            on:click=move |_| {
                change(queue, |filter| toggled(&mut filter.source_name, source.get_value()));
            }
        >
            {shown}
        </button>
    }
}
