//! JSON as a tree of text nodes. Big branches are painted when they are opened.

use std::collections::HashSet;

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

/// A place in a tree, as somebody chose it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Names and positions from the outside in.
    pub(crate) path: Vec<String>,
    /// What stands there.
    pub(crate) value: Value,
}

impl Place {
    /// The place as a JSON pointer (RFC 6901).
    pub(crate) fn pointer(&self) -> String {
        let step = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.path.iter().map(step).collect()
    }

    /// What stands there, as a text to take elsewhere.
    pub(crate) fn text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// What a tree does besides showing itself.
#[derive(Clone, Default)]
struct Extras {
    chosen: Option<RwSignal<Option<Place>>>,
    marked: Signal<HashSet<String>>,
}

/// A tree.
#[component]
pub(crate) fn JsonView(
    /// What it shows.
    value: Value,
    /// Where a place goes that somebody chooses by its name; without it names are words only.
    #[prop(optional)]
    chosen: Option<RwSignal<Option<Place>>>,
    /// Texts that are set off from the others.
    #[prop(optional, into)]
    marked: Signal<HashSet<String>>,
) -> impl IntoView {
    let extras = Extras { chosen, marked };
    // The braces around everything say nothing: their members are shown at once.
    let whole = match value {
        Value::Object(members) if members.len() <= MAX_MEMBERS => members
            .into_iter()
            .map(|(name, value)| node(&extras, &[], Some(name), value, 1))
            .collect_view()
            .into_any(),
        other => node(&extras, &[], None, other, 0),
    };
    view! { <div class="json mono">{whole}</div> }
}

fn node(
    extras: &Extras,
    above: &[String],
    name: Option<String>,
    value: Value,
    depth: usize,
) -> AnyView {
    let path: Vec<String> = above.iter().cloned().chain(name.clone()).collect();
    let key = key(extras, &path, name.as_deref(), &value);
    match value {
        _ if depth > MAX_DEPTH => leaf(extras, key, "text", value.to_string()),
        Value::Object(members) => {
            let summary = format!("{{{}}}", members.len());
            branch(
                extras,
                path,
                key,
                summary,
                members.into_iter().collect(),
                depth,
            )
        }
        Value::Array(items) => {
            let summary = format!("[{}]", items.len());
            let members = items
                .into_iter()
                .enumerate()
                .map(|(i, v)| (i.to_string(), v))
                .collect();
            branch(extras, path, key, summary, members, depth)
        }
        Value::Null => leaf(extras, key, "word", "null".to_owned()),
        Value::Bool(yes) => leaf(extras, key, "word", yes.to_string()),
        Value::Number(number) => leaf(extras, key, "number", number.to_string()),
        Value::String(text) => leaf(extras, key, "text", text),
    }
}

fn key(extras: &Extras, path: &[String], name: Option<&str>, value: &Value) -> Option<AnyView> {
    let shown = visible_lines(name?).into_owned();
    let Some(chosen) = extras.chosen else {
        return Some(view! { <span class="json__key">{shown}</span> }.into_any());
    };
    let place = StoredValue::new(Place {
        path: path.to_vec(),
        value: value.clone(),
    });
    let choose = move |event: leptos::ev::MouseEvent| {
        // In a branch's head it must not fold the branch.
        event.prevent_default();
        event.stop_propagation();
        chosen.set(Some(place.get_value()));
    };
    Some(
        view! {
            <button type="button" class="json__key json__key--button" title="Choose this path" on:click=choose>
                {shown}
            </button>
        }
        .into_any(),
    )
}

fn leaf(extras: &Extras, key: Option<AnyView>, kind: &'static str, text: String) -> AnyView {
    let shown = visible_lines(&text).into_owned();
    let short = clip(&shown, MAX_TEXT_CHARS);
    let long = (short != shown).then_some(shown);
    let marked = extras.marked;
    let is_marked = move || marked.with(|marked| marked.contains(&text));
    view! {
        <div class="json__leaf" class:json__leaf--marked=is_marked>
            {key}
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
    extras: &Extras,
    path: Vec<String>,
    key: Option<AnyView>,
    summary: String,
    members: Vec<(String, Value)>,
    depth: usize,
) -> AnyView {
    let open = RwSignal::new(depth < OPEN_DEPTH);
    let said = format!(
        "Members of {}, {summary}",
        path.last().map_or("all", String::as_str)
    );
    let more = members.len().saturating_sub(MAX_MEMBERS);
    let members = StoredValue::new(members);
    let extras = extras.clone();
    let painted = move || {
        open.get().then(|| {
            members.with_value(|members| {
                let shown = members.iter().take(MAX_MEMBERS).cloned();
                shown
                    .map(|(name, value)| node(&extras, &path, Some(name), value, depth + 1))
                    .collect_view()
            })
        })
    };
    let fold = move |_| open.update(|open| *open = !*open);
    view! {
        <div class="json__branch">
            // Beside the name and not around it: the name may be a button of its own.
            <div class="json__head">
                {key}
                <button
                    type="button"
                    class="json__fold"
                    aria-expanded=move || open.get().to_string()
                    aria-label=said
                    on:click=fold
                >
                    {summary}
                </button>
            </div>
            {painted}
            {move || {
                (open.get() && more > 0)
                    .then(|| view! { <p class="json__more">{format!("… and {more} more; see the text")}</p> })
            }}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_what_it_uses_itself() {
        let place = Place {
            path: vec!["a/b".to_owned(), "0".to_owned(), "c~d".to_owned()],
            value: Value::Null,
        };
        assert_eq!(place.pointer(), "/a~1b/0/c~0d");
    }
}
