//! JSON as a tree of text nodes. Big branches are painted when they are opened.

use leptos::prelude::*;
use serde_json::Value;

use crate::text::{clip, visible_lines};

/// Members of one branch that are painted; the rest is said to be there.
const MAX_MEMBERS: usize = 200;
/// A text longer than this is cut until it is opened.
const MAX_TEXT_CHARS: usize = 300;
/// Branches this deep are open at first.
const OPEN_DEPTH: usize = 2;
/// Deeper than any payload that was accepted; deeper JSON is shown as text.
const MAX_DEPTH: usize = 66;

/// A tree.
#[component]
pub(crate) fn JsonView(
    /// What it shows.
    value: Value,
) -> impl IntoView {
    // The braces around everything say nothing: their members are shown at once.
    let whole = match value {
        Value::Object(members) if members.len() <= MAX_MEMBERS => members
            .into_iter()
            .map(|(name, value)| node(Some(name), value, 1))
            .collect_view()
            .into_any(),
        other => node(None, other, 0),
    };
    view! { <div class="json mono">{whole}</div> }
}

fn node(name: Option<String>, value: Value, depth: usize) -> AnyView {
    match value {
        _ if depth > MAX_DEPTH => leaf(name, "text", value.to_string()),
        Value::Object(members) => {
            let summary = format!("{{{}}}", members.len());
            branch(name, summary, members.into_iter().collect(), depth)
        }
        Value::Array(items) => {
            let summary = format!("[{}]", items.len());
            let members = items
                .into_iter()
                .enumerate()
                .map(|(i, v)| (i.to_string(), v))
                .collect();
            branch(name, summary, members, depth)
        }
        Value::Null => leaf(name, "word", "null".to_owned()),
        Value::Bool(yes) => leaf(name, "word", yes.to_string()),
        Value::Number(number) => leaf(name, "number", number.to_string()),
        Value::String(text) => leaf(name, "text", text),
    }
}

fn key(name: Option<String>) -> impl IntoView {
    name.map(|name| view! { <span class="json__key">{visible_lines(&name).into_owned()}</span> })
}

fn leaf(name: Option<String>, kind: &'static str, text: String) -> AnyView {
    let shown = visible_lines(&text).into_owned();
    let short = clip(&shown, MAX_TEXT_CHARS);
    let long = (short != shown).then_some(shown);
    view! {
        <div class="json__leaf">
            {key(name)}
            {match long {
                None => view! { <span class="json__value" data-kind=kind>{short}</span> }.into_any(),
                Some(long) => {
                    view! {
                        <details class="json__long">
                            <summary class="json__value" data-kind=kind>{short}</summary>
                            <span class="json__value" data-kind=kind>{long}</span>
                        </details>
                    }
                        .into_any()
                }
            }}
        </div>
    }
    .into_any()
}

fn branch(
    name: Option<String>,
    summary: String,
    members: Vec<(String, Value)>,
    depth: usize,
) -> AnyView {
    let starts_open = depth < OPEN_DEPTH;
    let open = RwSignal::new(starts_open);
    let more = members.len().saturating_sub(MAX_MEMBERS);
    let members = StoredValue::new(members);
    let painted = move || {
        open.get().then(|| {
            members.with_value(|members| {
                let shown = members.iter().take(MAX_MEMBERS).cloned();
                shown
                    .map(|(name, value)| node(Some(name), value, depth + 1))
                    .collect_view()
            })
        })
    };
    view! {
        <details
            class="json__branch"
            open=starts_open
            on:toggle=move |event| open.set(event_target::<web_sys::HtmlDetailsElement>(&event).open())
        >
            <summary>{key(name)}<span class="json__summary">{summary}</span></summary>
            {painted}
            {(more > 0).then(|| view! { <p class="json__more">{format!("… and {more} more; see the text")}</p> })}
        </details>
    }
    .into_any()
}
