//! What opens below a button: a menu or a few settings. It takes the focus, walks by arrows,
//! closes with Escape or by looking elsewhere, and gives the focus back.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, Node};

use crate::state::commands::{Command, Commands, Group};

/// What arrows walk through.
const STOPS: &str = "button:not(:disabled), input, select, textarea, a[href]";

/// The command that closes it.
const CLOSE: (&str, &str, &[&str]) = ("menu.close", "Close the menu", &["Escape"]);

/// What a menu registers while it is open, for whoever lists all commands.
pub(crate) fn menu_commands() -> Vec<Command> {
    let (id, title, keys) = CLOSE;
    vec![Command::elsewhere(id, title, Group::Window, keys)]
}

/// Open as long as it is on the page.
#[component]
pub(crate) fn Popover(
    /// What it is, for screen readers.
    label: &'static str,
    /// Called when it should go.
    #[prop(into)]
    on_close: Callback<()>,
    /// Whether it hangs at its button's end rather than its beginning.
    #[prop(optional)]
    at_end: bool,
    /// Whether it opens above its button.
    #[prop(optional)]
    upwards: bool,
    /// Its content.
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    give_focus_back();
    // Escape closes it from wherever the focus is.
    let (id, title, keys) = CLOSE;
    Commands::expect().register(vec![Command::new(
        id,
        title,
        Group::Window,
        keys,
        move || on_close.run(()),
    )]);
    Effect::new(move |_| {
        let Some(popover) = node.get() else { return };
        let first = popover
            .query_selector("[autofocus]")
            .ok()
            .flatten()
            .or_else(|| popover.query_selector(STOPS).ok().flatten());
        if let Some(first) = first.and_then(|one| one.dyn_into::<HtmlElement>().ok()) {
            // Content that takes no focus is read without it.
            let _ = first.focus();
        }
    });
    let outside = window_event_listener(leptos::ev::pointerdown, move |event| {
        let target = event.target().and_then(|t| t.dyn_into::<Node>().ok());
        let frame = node
            .get_untracked()
            .and_then(|popover| popover.parent_element());
        // Its own button closes it by itself.
        if !frame.is_some_and(|frame| frame.contains(target.as_ref())) {
            on_close.run(());
        }
    });
    on_cleanup(move || outside.remove());
    let pressed = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "Escape" => on_close.run(()),
            "ArrowDown" => walk(node, 1),
            "ArrowUp" => walk(node, -1),
            _ => {
                // A letter in here is no shortcut of the list behind.
                event.stop_propagation();
                return;
            }
        }
        event.prevent_default();
        event.stop_propagation();
    };
    view! {
        <div
            node_ref=node
            class="popover"
            class:popover--end=at_end
            class:popover--up=upwards
            role="dialog"
            aria-label=label
            on:keydown=pressed
        >
            {children()}
        </div>
    }
}

fn walk(node: NodeRef<html::Div>, by: i32) {
    let Some(popover) = node.get_untracked() else {
        return;
    };
    let Ok(stops) = popover.query_selector_all(STOPS) else {
        return;
    };
    let active = document().active_element();
    let is_active = |at: u32| {
        let one = stops.get(at).and_then(|one| one.dyn_into::<Element>().ok());
        one.is_some() && one == active
    };
    let count = stops.length();
    let Some(last) = count.checked_sub(1) else {
        return;
    };
    let now = (0..count).find(|at| is_active(*at));
    let next = match now {
        None => 0,
        Some(at) if by > 0 => {
            if at == last {
                0
            } else {
                at + 1
            }
        }
        Some(at) => at.checked_sub(1).unwrap_or(last),
    };
    if let Some(stop) = stops
        .get(next)
        .and_then(|one| one.dyn_into::<HtmlElement>().ok())
    {
        // A stop that takes no focus is passed by with the next key.
        let _ = stop.focus();
    }
}

/// Where the focus was before, it is again afterwards, unless somebody put it elsewhere.
fn give_focus_back() {
    let before = document()
        .active_element()
        .and_then(|e| e.dyn_into::<HtmlElement>().ok());
    let before = StoredValue::new_local(before);
    on_cleanup(move || {
        let before = before.try_get_value().flatten();
        request_animation_frame(move || {
            let is_lost = document()
                .active_element()
                .is_none_or(|active| active.tag_name() == "BODY");
            if let Some(element) = before
                && is_lost
            {
                // An element that has gone meanwhile takes no focus; the body keeps it then.
                let _ = element.focus();
            }
        });
    });
}
