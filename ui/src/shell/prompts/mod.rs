//! The questions that the window asks: one at a time, by keys alone, with what an answer leads to
//! said before it is given.

mod choices;
mod close;
mod consequences;
mod dispatch;
mod new_alert;
mod note;
mod save_view;
mod suppress;
mod suppress_view;
mod suppressions;
mod tags;

use leptos::prelude::*;

use super::palette::Palette;
use super::settings::Settings;
use super::shortcut_sheet::ShortcutSheet;
use crate::state::prompts::{Asked, Prompt, Prompts};

/// The question that is on the screen, if any.
#[component]
pub(super) fn PromptHost() -> impl IntoView {
    let prompts = Prompts::expect();
    move || prompts.asked().map(shown)
}

fn shown(asked: Asked) -> AnyView {
    match asked.prompt {
        Prompt::Close => view! { <close::CloseDialog asked /> }.into_any(),
        Prompt::Severity => view! { <choices::SeverityDialog asked /> }.into_any(),
        Prompt::Verdict => view! { <choices::VerdictDialog asked /> }.into_any(),
        Prompt::Snooze => view! { <choices::SnoozeDialog asked /> }.into_any(),
        Prompt::Enrich => view! { <choices::EnrichDialog asked /> }.into_any(),
        Prompt::Tags => view! { <tags::TagsDialog asked /> }.into_any(),
        Prompt::Note => view! { <note::NoteDialog asked /> }.into_any(),
        Prompt::Dispatch => view! { <dispatch::DispatchDialog asked /> }.into_any(),
        Prompt::Suppress => view! { <suppress::SuppressDialog asked /> }.into_any(),
        Prompt::SuppressView => view! { <suppress_view::SuppressViewDialog /> }.into_any(),
        Prompt::SaveView => view! { <save_view::SaveViewDialog /> }.into_any(),
        Prompt::NewAlert => view! { <new_alert::NewAlertDialog /> }.into_any(),
        Prompt::Suppressions => view! { <suppressions::SuppressionsDialog /> }.into_any(),
        Prompt::Palette => view! { <Palette /> }.into_any(),
        Prompt::Shortcuts => view! { <ShortcutSheet /> }.into_any(),
        Prompt::Settings => view! { <Settings /> }.into_any(),
    }
}

/// `3 alerts`, or the title of the only one.
fn about(asked: &Asked) -> String {
    if asked.count == 1 {
        "the alert".to_owned()
    } else {
        format!("{} alerts", asked.count)
    }
}
