//! The border between list and alert: dragged, or moved by arrows while it has the focus.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use crate::state::preferences::{Preferences, SPLIT_MAX, SPLIT_MIN};

/// How far an arrow moves it, in percent.
const STEP: i32 = 2;

/// The border; its value is the list's share in percent.
#[component]
pub(crate) fn SplitHandle() -> impl IntoView {
    let preferences = Preferences::expect();
    let share = preferences.part(|choices| choices.split);
    let is_dragged = RwSignal::new(false);
    let pressed = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowLeft" => -STEP,
            "ArrowRight" => STEP,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        preferences.move_split(by);
    };
    let begin = move |event: PointerEvent| {
        if let Some(handle) = event
            .target()
            .and_then(|t| t.dyn_into::<HtmlElement>().ok())
        {
            // A pointer that cannot be captured drags as long as it stays on the border.
            let _ = handle.set_pointer_capture(event.pointer_id());
        }
        is_dragged.set(true);
    };
    let drag = move |event: PointerEvent| {
        if is_dragged.get_untracked()
            && let Some(share) = share_at(&event)
        {
            preferences.change(|choices| choices.split = share);
        }
    };
    view! {
        <div
            class="split__handle"
            role="separator"
            tabindex="0"
            aria-orientation="vertical"
            aria-label="Width of the list"
            aria-valuenow=move || share.get()
            aria-valuemin=SPLIT_MIN
            aria-valuemax=SPLIT_MAX
            on:keydown=pressed
            on:pointerdown=begin
            on:pointermove=drag
            on:pointerup=move |_| is_dragged.set(false)
            on:pointercancel=move |_| is_dragged.set(false)
        ></div>
    }
}

/// The list's share where the pointer is.
fn share_at(event: &PointerEvent) -> Option<u32> {
    let handle = event.target()?.dyn_into::<HtmlElement>().ok()?;
    let frame = handle.parent_element()?.get_bounding_client_rect();
    if frame.width() <= 0.0 {
        return None;
    }
    let share = (f64::from(event.client_x()) - frame.left()) / frame.width() * 100.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a percentage"
    )]
    let share = share.clamp(f64::from(SPLIT_MIN), f64::from(SPLIT_MAX)) as u32;
    Some(share)
}
