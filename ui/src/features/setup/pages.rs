//! Pages without a frame: there is no backend to frame yet.

use leptos::prelude::*;

use crate::api::Failure;
use crate::components::{FailureBanner, ToastStack};

/// A browser without a bearer: only the printed link admits.
#[component]
pub(crate) fn SignInPage(why: Option<Failure>) -> impl IntoView {
    view! {
        <main class="plain">
            <h1 class="plain__title">"Open the link"</h1>
            <p class="plain__text">
                "This window is admitted by the link that "<code>"calseta serve --ui"</code>
                " printed when it started. Each link works once; start it again for a new one."
            </p>
            {why
                .map(|failure| {
                    view! { <FailureBanner failure what="The link was not accepted" /> }
                })}
        </main>
        <ToastStack />
    }
}

/// The backend does not answer.
#[component]
pub(crate) fn StartFailedPage(
    failure: Failure,
    #[prop(into)] on_retry: Callback<()>,
) -> impl IntoView {
    view! {
        <main class="plain">
            <h1 class="plain__title">"Calseta could not start"</h1>
            <FailureBanner failure what="The backend did not answer" on_retry />
        </main>
        <ToastStack />
    }
}
