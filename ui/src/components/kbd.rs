//! A key sequence as caps.

use leptos::prelude::*;

use crate::state::commands::key_caps;

/// `g g` as two caps. Hidden from screen readers: the shortcut sheet says it in a list.
#[component]
pub(crate) fn Keys(sequence: &'static str) -> impl IntoView {
    view! {
        <span class="keys" aria-hidden="true">
            {key_caps(sequence).into_iter().map(|cap| view! { <kbd>{cap}</kbd> }).collect_view()}
        </span>
    }
}
