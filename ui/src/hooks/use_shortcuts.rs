//! One key listener for the window. It asks the registry and knows no command itself.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::Element;

use crate::state::commands::{Commands, Press};

/// Controls that use every key themselves.
const TYPING: &str =
    "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
/// Documents that the arrow keys scroll.
const SCROLLED: &str = "[data-arrows=scroll]";
/// Controls that Enter and Space already press.
const PRESSABLE: &str = "button, a[href], summary, input, [role=button]";

/// Listens until the calling view goes away; `noticed` is called for every key.
pub(crate) fn use_shortcuts(commands: Commands, noticed: impl Fn() + 'static) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        noticed();
        if event.default_prevented() || event.is_composing() || is_modal_open() {
            return;
        }
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let Some(key) = spelled(&event) else { return };
        let within = |css| {
            target
                .as_ref()
                .is_some_and(|t| t.matches(css).unwrap_or(false))
        };
        if within(TYPING) && !is_for_the_window(&key) {
            if key == "Escape" {
                leave(target.as_ref());
                event.prevent_default();
            }
            return;
        }
        if key.starts_with("Arrow") && target.as_ref().is_some_and(is_scrolled) {
            return;
        }
        if (key == "Enter" || key == "Space") && within(PRESSABLE) {
            return;
        }
        if commands.press(&key) != Press::Unknown {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

/// Keys that no text field has a use for: the palette and the history work everywhere.
fn is_for_the_window(key: &str) -> bool {
    key == "Ctrl+k" || key.starts_with("Alt+Arrow") || key.starts_with("Ctrl+Shift+Arrow")
}

/// A key with its modifiers; `None` for a modifier alone. Shift is in the letter already.
pub(crate) fn spelled(event: &KeyboardEvent) -> Option<String> {
    let key = event.key();
    if matches!(
        key.as_str(),
        "Shift" | "Control" | "Alt" | "Meta" | "AltGraph" | "CapsLock"
    ) {
        return None;
    }
    let mut out = String::new();
    if event.ctrl_key() || event.meta_key() {
        out.push_str("Ctrl+");
    }
    if event.alt_key() {
        out.push_str("Alt+");
    }
    if event.shift_key() && key.chars().count() > 1 {
        out.push_str("Shift+");
    }
    let has_modifier = event.ctrl_key() || event.meta_key() || event.alt_key();
    match event.code().strip_prefix("Key") {
        // On a layout without Latin letters the key's place says what is meant.
        Some(letter) if has_modifier && !key.is_ascii() => out.push_str(&letter.to_lowercase()),
        _ if key == " " => out.push_str("Space"),
        _ => out.push_str(&key),
    }
    Some(out)
}

/// Whether arrows scroll a document at this place, and do not walk through the list.
fn is_scrolled(target: &Element) -> bool {
    target.closest(SCROLLED).ok().flatten().is_some()
}

fn is_modal_open() -> bool {
    document()
        .query_selector("dialog[open]")
        .ok()
        .flatten()
        .is_some()
}

fn leave(target: Option<&Element>) {
    if let Some(element) = target.and_then(|t| t.dyn_ref::<web_sys::HtmlElement>()) {
        // A control that cannot lose focus keeps it; nothing else depends on it.
        let _ = element.blur();
    }
}
