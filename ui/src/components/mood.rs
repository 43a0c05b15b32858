//! A state with its mark: shape and word, never the colour alone.

use leptos::prelude::*;

/// A mark before a few words.
#[component]
pub(crate) fn Mood(
    /// `ok`, `busy`, `warn` or `bad`; anything else is quiet.
    mood: &'static str,
    /// The words.
    text: String,
) -> impl IntoView {
    view! { <span class="mood" data-mood=mood>{text}</span> }
}
