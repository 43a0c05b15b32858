//! The stack of short messages in the corner.

use leptos::prelude::*;

use super::copy::copy_text;
use super::icon::{Glyph, Icon};
use super::kbd::CommandKeys;
use crate::state::commands::Commands;
use crate::state::toasts::{Toast, Toasts, Tone};

/// All messages that are on the screen.
#[component]
pub(crate) fn ToastStack() -> impl IntoView {
    let toasts = Toasts::expect();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toasts.shown() key=|toast| toast.id let:toast>
                <ToastCard toast />
            </For>
        </div>
    }
}

#[component]
fn ToastCard(toast: Toast) -> impl IntoView {
    let (toasts, commands) = (Toasts::expect(), use_context::<Commands>());
    let failed = toast.tone == Tone::Danger;
    let details = toast.details.map(StoredValue::new);
    let offered = toast.command.map(|(command, label)| {
        view! {
            <button
                type="button"
                class="button button--quiet"
                data-command=command
                on:click=move |_| {
                    toasts.dismiss(toast.id);
                    if let Some(commands) = commands {
                        commands.run(command);
                    }
                }
            >
                {label}
                <CommandKeys id=command />
            </button>
        }
    });
    view! {
        <div class="toast" class:toast--danger=failed>
            <Icon glyph=if failed { Glyph::Warning } else { Glyph::Check } />
            <span class="toast__text">{toast.text}</span>
            {offered}
            {details
                .map(|details| {
                    view! {
                        <button
                            type="button"
                            class="button button--quiet"
                            on:click=move |_| copy_text(toasts, details.get_value(), "Details")
                        >
                            "Copy details"
                        </button>
                    }
                })}
            <button
                type="button"
                class="button button--quiet button--icon"
                aria-label="Dismiss"
                on:click=move |_| toasts.dismiss(toast.id)
            >
                <Icon glyph=Glyph::Close />
            </button>
        </div>
    }
}
