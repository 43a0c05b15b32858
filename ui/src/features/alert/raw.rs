//! What the source really sent: as a tree, or the very text.

use leptos::prelude::*;
use serde_json::Value;

use super::open_alert::OpenAlert;
use crate::components::{CopyButton, JsonView, Section};
use crate::text::{clip, visible_lines};

/// Text longer than this is cut on the screen; the copy has all of it.
const MAX_TEXT_CHARS: usize = 200_000;

/// The last section: it is long, and everything above was taken from it.
#[component]
pub(super) fn Raw(open: OpenAlert) -> impl IntoView {
    let text = open.slice(|detail| detail.view.raw_payload.get().to_owned());
    let as_text = RwSignal::new(false);
    let copied = Signal::derive(move || text.get().unwrap_or_default());
    let toggle = move |label: &'static str, wanted: bool| {
        view! {
            <button
                type="button"
                class="toggle"
                aria-pressed=move || (as_text.get() == wanted).to_string()
                on:click=move |_| as_text.set(wanted)
            >
                {label}
            </button>
        }
    };
    view! {
        <Section number=7 title="Raw payload">
            <div class="raw__bar">
                <span class="filters__group" role="group" aria-label="Show as">
                    {toggle("Tree", false)}
                    {toggle("Text", true)}
                </span>
                <CopyButton text=copied what="Payload" worded=true />
            </div>
            {move || {
                let text = text.get().unwrap_or_default();
                match serde_json::from_str::<Value>(&text) {
                    Ok(value) if !as_text.get() => view! { <JsonView value /> }.into_any(),
                    Ok(_) | Err(_) => {
                        let shown = clip(&visible_lines(&text), MAX_TEXT_CHARS);
                        view! { <pre class="raw__text mono" tabindex="0">{shown}</pre> }.into_any()
                    }
                }
            }}
        </Section>
    }
}
