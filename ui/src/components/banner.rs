//! What went wrong, where it went wrong, with the way on.

use leptos::prelude::*;

use super::copy::copy_text;
use super::icon::{Glyph, Icon};
use crate::api::Failure;
use crate::state::toasts::Toasts;

/// A failed call: cause, code, Retry, Copy details. The data that was there stays there.
#[component]
pub(crate) fn FailureBanner(
    /// Why.
    failure: Failure,
    /// What could not be done: `The alerts could not be read`.
    #[prop(into)]
    what: String,
    /// Tries again.
    #[prop(optional, into)]
    on_retry: Option<Callback<()>>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let copyable = StoredValue::new(failure.copyable());
    view! {
        <div class="banner banner--danger" role="alert">
            <Icon glyph=Glyph::Warning />
            <p class="banner__text">
                <strong>{what}". "</strong>
                {failure.message}
                " "
                <code class="banner__code">{failure.code}</code>
            </p>
            <span class="banner__actions">
                {on_retry
                    .map(|retry| {
                        view! {
                            <button type="button" class="button" on:click=move |_| retry.run(())>
                                "Retry"
                            </button>
                        }
                    })}
                <button
                    type="button"
                    class="button button--quiet"
                    on:click=move |_| copy_text(toasts, copyable.get_value(), "Details")
                >
                    "Copy details"
                </button>
            </span>
        </div>
    }
}

/// Something a person should know; nothing failed.
#[component]
pub(crate) fn Notice(
    /// What it says.
    #[prop(into)]
    text: String,
    /// Whether somebody should act.
    #[prop(optional)]
    warn: bool,
    /// Buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="banner" class:banner--warn=warn role="status">
            <Icon glyph=if warn { Glyph::Warning } else { Glyph::Pulse } />
            <p class="banner__text">{text}</p>
            {children.map(|children| view! { <span class="banner__actions">{children()}</span> })}
        </div>
    }
}
