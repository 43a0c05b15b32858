//! Workflows that could run on this alert, and what waits for a decision.

use leptos::prelude::*;

use crate::components::Section;

/// What can be run on this alert.
#[component]
pub(super) fn Workflows() -> impl IntoView {
    view! {
        <Section number=5 title="Workflows and approvals">
            <p class="section__none">"No workflow applies to this alert, and nothing waits for a decision."</p>
        </Section>
    }
}
