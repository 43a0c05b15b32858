//! An alert by hand: written as a form's few fields, or pasted or dropped as JSON. It goes in by
//! the same door as everybody else's.

use leptos::ev::DragEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Value, json};
use wasm_bindgen_futures::JsFuture;

use crate::api;
use crate::components::{Button, ButtonKind, Dialog};
use crate::hooks::use_action;
use crate::state::places::Places;
use crate::state::prompts::Prompts;
use crate::state::queue::Queue;
use crate::state::toasts::Toasts;

/// A pasted or dropped payload is at most so long, in bytes; the API's own bound is larger.
const MAX_BYTES: usize = 1_000_000;
/// What stands there first: the fields that an alert usually has.
const EXAMPLE: &str = "{\n  \"title\": \"\",\n  \"severity\": \"Medium\",\n  \"description\": \"\",\n  \"indicators\": [\n    { \"type\": \"ip\", \"value\": \"\" }\n  ]\n}";

/// What will be understood of a payload, or why nothing can be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Preview {
    Fields(Vec<(&'static str, String)>),
    Wrong(String),
}

#[component]
pub(super) fn NewAlertDialog() -> impl IntoView {
    let (prompts, toasts, queue, places) = (
        Prompts::expect(),
        Toasts::expect(),
        Queue::expect(),
        Places::expect(),
    );
    let text = RwSignal::new(prompts.take_draft().unwrap_or_else(|| EXAMPLE.to_owned()));
    let action = use_action();
    let preview = Memo::new(move |_| text.with(|text| preview(text)));
    let is_ready = move || preview.with(|preview| matches!(preview, Preview::Fields(_)));
    let send = move |()| {
        let payload = text.get_untracked();
        action.start(
            async move { api::ingest_generic(&payload).await },
            move |accepted| {
                prompts.close();
                toasts.say("The alert was accepted");
                queue.touch(accepted.alert_uuid);
                places.alert(accepted.alert_uuid);
            },
        );
    };
    let dropped = move |event: DragEvent| take_file(&event, text, toasts);
    let said = move || action.failure().map(|failure| failure.message);
    view! {
        <Dialog title="New alert" on_close=move |()| prompts.close() class="wide-dialog">
            <p class="dialog__text">"Write it, paste its JSON, or drop a file here. It is read as the source “generic”."</p>
            <label class="visually-hidden" for="new-alert">"JSON of the alert"</label>
            <textarea
                id="new-alert"
                class="field__input field__input--lines mono"
                rows="14"
                spellcheck="false"
                autofocus=true
                prop:value=move || text.get()
                on:input=move |event| text.set(event_target_value(&event))
                on:dragover=|event: DragEvent| event.prevent_default()
                on:drop=dropped
            ></textarea>
            <div class="consequences" role="status">
                {move || match preview.get() {
                    Preview::Wrong(why) => view! { <p class="consequences__failed">{why}</p> }.into_any(),
                    Preview::Fields(fields) => fields.into_iter().map(fact).collect_view().into_any(),
                }}
                {move || said().map(|text| view! { <p class="consequences__failed">{text}</p> })}
            </div>
            <div class="dialog__actions">
                <Button label="Cancel" on_press=move |()| prompts.close() />
                <Button
                    label="Create the alert"
                    kind=ButtonKind::Primary
                    busy=Signal::derive(move || action.busy())
                    disabled=Signal::derive(move || !is_ready())
                    on_press=send
                />
            </div>
        </Dialog>
    }
}

/// Reads a file that was dropped.
fn take_file(event: &DragEvent, text: RwSignal<String>, toasts: Toasts) {
    event.prevent_default();
    let files = event.data_transfer().and_then(|dropped| dropped.files());
    let Some(file) = files.and_then(|all| all.get(0)) else {
        return;
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    if file.size() > MAX_BYTES as f64 {
        toasts.say("The file is too long to be one alert. Post it to the API instead.");
        return;
    }
    spawn_local(async move {
        match JsFuture::from(file.text()).await {
            Ok(read) => {
                text.try_set(read.as_string().unwrap_or_default());
            }
            Err(_) => toasts.say("The file could not be read. Paste its text instead."),
        }
    });
}

fn fact((name, value): (&'static str, String)) -> impl IntoView {
    view! { <p><span class="lines__quiet">{name}</span>" "{value}</p> }
}

/// What the source “generic” will understand, by the same rules as the backend's.
fn preview(text: &str) -> Preview {
    if text.len() > MAX_BYTES {
        return Preview::Wrong("This is too long to be one alert.".to_owned());
    }
    let payload: Value = match serde_json::from_str(text) {
        Ok(payload) => payload,
        Err(error) => return Preview::Wrong(format!("This is not JSON: {error}.")),
    };
    let Some(fields) = payload.as_object() else {
        return Preview::Wrong("An alert is a JSON object, { … }.".to_owned());
    };
    let word = |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim);
    match word("title") {
        None | Some("") => Preview::Wrong("Give it a title.".to_owned()),
        Some(title) => {
            let empty = json!([]);
            let indicators = fields.get("indicators").unwrap_or(&empty);
            let count = indicators.as_array().map_or(0, Vec::len);
            Preview::Fields(vec![
                ("Title", crate::text::visible(title).into_owned()),
                (
                    "Severity",
                    crate::text::visible(word("severity").unwrap_or("Pending")).into_owned(),
                ),
                ("Indicators named", count.to_string()),
            ])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_says_what_it_will_be_or_what_is_missing() {
        assert!(matches!(preview("{"), Preview::Wrong(_)));
        assert!(matches!(preview("[]"), Preview::Wrong(_)));
        assert!(matches!(preview(EXAMPLE), Preview::Wrong(_)));
        let read = preview(r#"{"title":" Travel ","indicators":[{}, {}]}"#);
        let Preview::Fields(fields) = read else {
            panic!("{read:?}")
        };
        assert_eq!(fields[0].1, "Travel");
        assert_eq!(fields[2].1, "2");
    }
}
