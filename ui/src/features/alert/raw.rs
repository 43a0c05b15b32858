//! What the source really sent, and what an agent would be sent: as a tree, or the very text.

use std::collections::HashSet;

use calseta_contract::triage::AgentPayloadView;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::map_path::MapPath;
use super::open_alert::OpenAlert;
use crate::api::{self, Failure};
use crate::components::{Button, CopyButton, FailureBanner, JsonView, Place, Section, Skeleton};
use crate::text::{clip, visible, visible_lines};

/// Text longer than this is cut on the screen; the copy has all of it.
const MAX_TEXT_CHARS: usize = 200_000;
/// Places that a search lists; the rest is counted.
const MAX_FOUND: usize = 50;
/// A found value is cut to this many characters.
const FOUND_CHARS: usize = 160;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Tree,
    Text,
    AgentPayload,
}

/// The last section: it is long, and everything above was taken from it.
#[component]
pub(super) fn Raw(open: OpenAlert) -> impl IntoView {
    let text = open.slice(|detail| detail.view.raw_payload.get().to_owned());
    let shown = RwSignal::new(Shown::Tree);
    let copied = Signal::derive(move || text.get().unwrap_or_default());
    let toggle = move |label: &'static str, wanted: Shown| {
        view! {
            <button
                type="button"
                class="toggle"
                aria-pressed=move || (shown.get() == wanted).to_string()
                on:click=move |_| shown.set(wanted)
            >
                {label}
            </button>
        }
    };
    view! {
        <Section number=9 title="Raw payload">
            <div class="raw__bar">
                <span class="filters__group" role="group" aria-label="Show">
                    {toggle("Tree", Shown::Tree)}
                    {toggle("Text", Shown::Text)}
                    {toggle("Agent payload", Shown::AgentPayload)}
                </span>
                <Show when=move || shown.get() != Shown::AgentPayload>
                    <CopyButton text=copied what="Payload" worded=true />
                </Show>
            </div>
            {move || match shown.get() {
                Shown::Tree => view! { <Tree open text=text.get().unwrap_or_default() /> }.into_any(),
                Shown::Text => as_text(&text.get().unwrap_or_default()).into_any(),
                Shown::AgentPayload => view! { <Payload open /> }.into_any(),
            }}
        </Section>
    }
}

fn as_text(text: &str) -> impl IntoView + use<> {
    let shown = clip(&visible_lines(text), MAX_TEXT_CHARS);
    view! { <pre class="raw__text mono" tabindex="0">{shown}</pre> }
}

/// The payload as a tree: a name chooses its path, a search finds names and values.
#[component]
fn Tree(open: OpenAlert, text: String) -> impl IntoView {
    let Ok(value) = serde_json::from_str::<Value>(&text) else {
        return as_text(&text).into_any();
    };
    let chosen = RwSignal::new(None::<Place>);
    let wanted = RwSignal::new(String::new());
    let searched = StoredValue::new(value.clone());
    let found = Memo::new(move |_| {
        let wanted = wanted.with(|wanted| wanted.trim().to_lowercase());
        (!wanted.is_empty()).then(|| searched.with_value(|value| search(value, &wanted)))
    });
    let indicators = open.slice(|detail| {
        let values = detail.view.indicators.iter();
        values
            .map(|one| one.value.clone())
            .collect::<HashSet<String>>()
    });
    let marked = Signal::derive(move || indicators.get().unwrap_or_default());
    view! {
        <input
            class="field__input raw__search"
            type="search"
            aria-label="Search the payload"
            placeholder="Search names and values"
            spellcheck="false"
            prop:value=move || wanted.get()
            on:input=move |event| wanted.set(event_target_value(&event))
        />
        {move || chosen.get().map(|place| view! { <Chosen open place chosen /> })}
        {move || found.get().map(|found| list(found, chosen))}
        <JsonView value chosen marked />
    }
    .into_any()
}

/// Where the wanted letters stand, in names or in values.
fn search(value: &Value, wanted: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::<String>::new(), value)];
    while let Some((path, value)) = open.pop() {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(n, v)| (n.clone(), v)).collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, v)| (i.to_string(), v))
                .collect(),
            _ => Vec::new(),
        };
        let place = Place {
            path: path.clone(),
            value: value.clone(),
        };
        let named = path
            .last()
            .is_some_and(|name| name.to_lowercase().contains(wanted));
        let is_leaf = !value.is_object() && !value.is_array();
        if named || is_leaf && place.text().to_lowercase().contains(wanted) {
            found.push(place);
        }
        // Pushed the other way round, so that they come out in their order.
        for (name, value) in inner.into_iter().rev() {
            let path = path.iter().cloned().chain([name]).collect();
            open.push((path, value));
        }
    }
    found
}

fn list(found: Vec<Place>, chosen: RwSignal<Option<Place>>) -> impl IntoView {
    let said = match found.len() {
        0 => "Nothing in the payload has it.".to_owned(),
        1 => "1 place".to_owned(),
        count if count > MAX_FOUND => format!("{count} places, the first {MAX_FOUND}:"),
        count => format!("{count} places"),
    };
    let line = move |place: Place| {
        let pointer = visible(&place.pointer()).into_owned();
        let value = clip(&visible(&place.text()), FOUND_CHARS);
        view! {
            <li>
                <button type="button" class="raw__found mono" on:click=move |_| chosen.set(Some(place.clone()))>
                    <span class="json__key">{pointer}</span>
                    <span class="json__value">{value}</span>
                </button>
            </li>
        }
    };
    view! {
        <p class="section__note" role="status">{said}</p>
        <ul class="raw__results">{found.into_iter().take(MAX_FOUND).map(line).collect_view()}</ul>
    }
}

/// The chosen path, and what can be done with it.
#[component]
fn Chosen(open: OpenAlert, place: Place, chosen: RwSignal<Option<Place>>) -> impl IntoView {
    let mapping = RwSignal::new(false);
    let crumbs = visible(&place.path.join(" › ")).into_owned();
    let (value, pointer) = (place.text(), place.pointer());
    let dotted = place.path.join(".");
    let can_be_mapped = !place.value.is_object();
    let mapped = place.clone();
    view! {
        <div class="raw__chosen" role="status">
            <span class="raw__crumbs mono">{crumbs}</span>
            <CopyButton text=value what="Value" />
            <CopyButton text=dotted what="Path" worded=true />
            <CopyButton text=pointer what="JSON pointer" worded=true />
            {can_be_mapped
                .then(|| {
                    view! { <Button label="Map to an indicator…" on_press=move |()| mapping.set(true) /> }
                })}
            <Button label="Done" on_press=move |()| chosen.set(None) />
        </div>
        {move || {
            mapping
                .get()
                .then(|| {
                    view! { <MapPath open place=mapped.clone() on_close=move |()| mapping.set(false) /> }
                })
        }}
    }
}

/// The exact body that an agent would be sent now, and what it weighs.
#[component]
fn Payload(open: OpenAlert) -> impl IntoView {
    let read = RwSignal::new(None::<Result<AgentPayloadView, Failure>>);
    let fetch = move || {
        let Some(alert) = untrack(|| open.id()) else {
            return;
        };
        spawn_local(async move {
            let outcome = api::agent_payload(alert, None).await;
            read.try_set(Some(outcome));
        });
    };
    fetch();
    move || match &*read.read() {
        None => view! { <Skeleton lines=6 /> }.into_any(),
        Some(Err(failure)) => {
            let failure = failure.clone();
            view! {
                <FailureBanner
                    failure
                    what="The agents' payload could not be built"
                    on_retry=move |()| fetch()
                />
            }
            .into_any()
        }
        Some(Ok(payload)) => weighed(payload).into_any(),
    }
}

fn weighed(payload: &AgentPayloadView) -> impl IntoView + use<> {
    let all = payload.tokens.max(1);
    let line = |section: &calseta_contract::triage::SectionTokens| {
        let percent = section.tokens * 100 / all;
        view! {
            <tr>
                <th scope="row" class="mono">{section.section.clone()}</th>
                <td class="weights__number">{section.tokens}</td>
                <td>
                    <meter min="0" max="100" value=percent.to_string() aria-label="Share">
                        {format!("{percent} %")}
                    </meter>
                </td>
            </tr>
        }
    };
    let body = payload.body.get().to_owned();
    let value = serde_json::from_str(&body).unwrap_or(Value::Null);
    view! {
        <div class="raw__bar">
            <span class="section__note">
                {format!("{} bytes, ≈ {} tokens: an estimate, models count differently", payload.body_bytes, payload.tokens)}
            </span>
            <CopyButton text=body what="Payload" worded=true />
        </div>
        <table class="weights">
            <caption class="visually-hidden">"Tokens by section"</caption>
            <tbody>{payload.tokens_by_section.iter().map(line).collect_view()}</tbody>
        </table>
        <JsonView value />
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_values_are_found_in_their_order() {
        let value = json!({"host": {"ip": ["10.0.0.1", "10.0.0.2"]}, "note": "from 10.0.0.1", "ip_count": 2});
        let found: Vec<String> = search(&value, "ip").iter().map(Place::pointer).collect();
        assert_eq!(found, ["/host/ip", "/ip_count"]);
        let found: Vec<String> = search(&value, "10.0.0.1")
            .iter()
            .map(Place::pointer)
            .collect();
        assert_eq!(found, ["/host/ip/0", "/note"]);
    }
}
