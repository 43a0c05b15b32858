//! A key sequence as caps.

use leptos::prelude::*;

use crate::state::commands::{Commands, key_caps};

/// `g g` as two caps. Hidden from screen readers: the shortcut sheet says it in a list.
#[component]
pub(crate) fn Keys(#[prop(into)] sequence: String) -> impl IntoView {
    view! {
        <span class="keys" aria-hidden="true">
            {key_caps(&sequence)
                .into_iter()
                .map(|cap| view! { <kbd>{cap}</kbd> })
                .collect_view()}
        </span>
    }
}

/// The keys that run a command now, whatever they were remapped to; nothing when there are none.
/// A key that is pressed twice is shown once: a button is no place to count presses, the sheet is.
#[component]
pub(crate) fn CommandKeys(
    /// The command's id.
    id: &'static str,
) -> impl IntoView {
    let commands = Commands::expect();
    move || {
        let command = commands.find(id)?;
        let first = commands.keys(&command).into_iter().next()?;
        let mut keys: Vec<&str> = first.split(' ').collect();
        keys.dedup();
        Some(view! { <Keys sequence=keys.join(" ") /> })
    }
}
