//! To which agents the alert went, in one line each.

use calseta_contract::delivery::DeliveryView;
use leptos::prelude::*;

use super::open_alert::OpenAlert;
use crate::components::{Age, Section};
use crate::state::places::agent_path;
use crate::text::{attempt_outcome, delivery_state, visible};

/// The state lines.
#[component]
pub(super) fn Deliveries(open: OpenAlert) -> impl IntoView {
    let count = Signal::derive(move || Some(open.deliveries().len()));
    view! {
        <Section number=4 title="Deliveries" count>
            {move || {
                let deliveries = open.deliveries();
                if deliveries.is_empty() {
                    view! {
                        <p class="section__none">
                            "Sent to no agent: none is registered whose filter matches, or enrichment is not over yet."
                        </p>
                    }
                        .into_any()
                } else {
                    let lines = deliveries.into_iter().map(|d| line(open, d)).collect_view();
                    view! { <ul class="deliveries">{lines}</ul> }.into_any()
                }
            }}
        </Section>
    }
}

fn line(open: OpenAlert, delivery: DeliveryView) -> impl IntoView {
    let (mood, words) = delivery_state(&delivery);
    let at = delivery.delivered_at.unwrap_or(delivery.created_at);
    let last = delivery
        .attempts
        .last()
        .filter(|_| delivery.state != "delivered");
    let last = last.map(|attempt| {
        let (_, outcome) = attempt_outcome(attempt);
        attempt
            .error
            .as_deref()
            .map_or(outcome, |error| visible(error).into_owned())
    });
    let agent = delivery.agent_uuid;
    view! {
        <li class="deliveries__line">
            <a class="deliveries__agent" href=agent_path(agent)>
                {move || visible(&open.agent_name(agent)).into_owned()}
            </a>
            <span class="mood" data-mood=mood.word()>{words}</span>
            {last.map(|last| view! { <span class="deliveries__last">{last}</span> })}
            <span class="deliveries__space"></span>
            <Age at sentence=true />
        </li>
    }
}
