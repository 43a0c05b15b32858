//! Values to take elsewhere: copied raw or defanged, never opened.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use super::icon::{Glyph, Icon};
use crate::state::toasts::Toasts;
use crate::text::{clip, defang, visible};

/// A value in a list is cut to this many characters until it has the focus.
const CLAMP_CHARS: usize = 96;

/// Copies a text and says so.
pub(crate) fn copy_text(toasts: Toasts, text: String, what: &'static str) {
    let promise = window().navigator().clipboard().write_text(&text);
    spawn_local(async move {
        match JsFuture::from(promise).await {
            Ok(_) => toasts.say(format!("{what} copied")),
            Err(_) => toasts.say("The desktop did not allow copying. Select the text instead."),
        }
    });
}

/// A small button that copies.
#[component]
pub(crate) fn CopyButton(
    /// What is copied.
    #[prop(into)]
    text: Signal<String>,
    /// What it is called, in the tooltip and the message.
    what: &'static str,
    /// Whether the word is shown beside the icon.
    #[prop(optional)]
    worded: bool,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let label = format!("Copy {}", lower_first(what));
    view! {
        <button
            type="button"
            class=if worded { "button" } else { "button button--quiet button--icon" }
            aria-label=label.clone()
            title=label
            on:click=move |event| {
                event.stop_propagation();
                copy_text(toasts, text.get_untracked(), what);
            }
        >
            <Icon glyph=Glyph::Copy />
            {worded.then(|| view! { <span>"Copy"</span> })}
        </button>
    }
}

/// Abbreviations keep their capitals: `API key`, but `value`.
fn lower_first(what: &str) -> String {
    let mut letters = what.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => what.to_owned(),
    }
}

/// An indicator's value in full: text only, with copy buttons for both spellings.
#[component]
pub(crate) fn Indicator(
    /// The canonical value.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    let shown = visible(&value).into_owned();
    let short = clip(&shown, CLAMP_CHARS);
    let is_cut = short != shown;
    let (raw, defanged) = (value.clone(), defang(&value));
    view! {
        <span class="indicator">
            {if is_cut {
                view! {
                    <details class="indicator__long">
                        <summary class="mono">{short}</summary>
                        <span class="mono indicator__full">{shown}</span>
                    </details>
                }
                    .into_any()
            } else {
                view! { <span class="mono indicator__value">{shown}</span> }.into_any()
            }}
            <CopyButton text=raw what="Value" />
            <DefangedCopy text=defanged />
        </span>
    }
}

#[component]
fn DefangedCopy(text: String) -> impl IntoView {
    let toasts = Toasts::expect();
    let text = StoredValue::new(text);
    view! {
        <button
            type="button"
            class="button button--quiet button--icon"
            aria-label="Copy defanged"
            title="Copy defanged"
            on:click=move |event| {
                event.stop_propagation();
                copy_text(toasts, text.get_value(), "Defanged value");
            }
        >
            <span class="indicator__defang" aria-hidden="true">"[.]"</span>
        </button>
    }
}

/// A secret that is shown this once.
#[component]
pub(crate) fn Secret(
    /// What it is.
    what: &'static str,
    /// Itself.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    let copied = value.clone();
    view! {
        <div class="secret">
            <span class="secret__what">{what}</span>
            <code class="secret__value" tabindex="0">{value}</code>
            <CopyButton text=copied what worded=true />
        </div>
    }
}
