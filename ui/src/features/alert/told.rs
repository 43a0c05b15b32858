//! Which agents were told, how that went, and why the others were not.

use std::collections::HashSet;

use calseta_contract::alert::DispatchExplanation;
use calseta_contract::delivery::DeliveryView;
use calseta_domain::{AgentId, AlertId};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::open_alert::OpenAlert;
use crate::api::{self, Failure};
use crate::components::{Age, Button, ButtonKind, FailureBanner, Section};
use crate::hooks::use_action;
use crate::state::places::agent_path;
use crate::text::{attempt_outcome, delivery_state, visible};

/// Why each agent was or was not told, as last read.
#[derive(Clone, Copy)]
struct Explained {
    read: RwSignal<Vec<DispatchExplanation>>,
    failure: RwSignal<Option<Failure>>,
}

impl Explained {
    fn follow(open: OpenAlert) -> Self {
        let explained = Self {
            read: RwSignal::new(Vec::new()),
            failure: RwSignal::new(None),
        };
        // What filters look at: when it changes, so may the reasons.
        let decided_by = open.slice(|detail| {
            let alert = &detail.view.summary;
            (
                alert.uuid,
                alert.severity,
                alert.tags.clone(),
                alert.enrichment_status,
            )
        });
        Effect::new(move |_| {
            let alert = decided_by.with(|by| by.as_ref().map(|(alert, ..)| *alert));
            let told = open.deliveries().len();
            explained.read_of(open, alert, told);
        });
        explained
    }

    fn read_of(self, open: OpenAlert, alert: Option<AlertId>, _told: usize) {
        let Some(alert) = alert else {
            self.read.set(Vec::new());
            return;
        };
        spawn_local(async move {
            let outcome = api::dispatch_explanation(alert).await;
            if open.peek_id() != Some(alert) {
                return;
            }
            match outcome {
                Ok(read) => {
                    self.failure.try_set(None);
                    self.read.try_set(read);
                }
                Err(failure) => drop(self.failure.try_set(Some(failure))),
            }
        });
    }
}

/// Deliveries first, then the agents without one.
#[component]
pub(super) fn AgentsTold(open: OpenAlert) -> impl IntoView {
    let count = Signal::derive(move || Some(open.deliveries().len()));
    let explained = Explained::follow(open);
    let told = Memo::new(move |_| {
        let deliveries = open.deliveries();
        deliveries
            .iter()
            .map(|d| d.agent_uuid)
            .collect::<HashSet<AgentId>>()
    });
    let others = move || {
        let told = told.get();
        let mut all = explained.read.get();
        all.retain(|one| !told.contains(&one.agent_uuid));
        all
    };
    view! {
        <Section number=8 title="Agents told" count>
            {move || {
                let deliveries = open.deliveries();
                if deliveries.is_empty() {
                    view! { <p class="section__none">"This alert was sent to no agent."</p> }.into_any()
                } else {
                    let lines = deliveries.into_iter().map(|d| line(open, d)).collect_view();
                    view! { <ul class="deliveries">{lines}</ul> }.into_any()
                }
            }}
            {move || {
                explained
                    .failure
                    .get()
                    .map(|failure| view! { <FailureBanner failure what="Why agents were not told could not be read" /> })
            }}
            {move || others().into_iter().map(|one| view! { <Untold open one /> }).collect_view()}
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
    let (id, failed) = (delivery.uuid, mood.word() == "bad" || mood.word() == "warn");
    let retry = use_action();
    view! {
        <li class="deliveries__line">
            <a class="deliveries__agent" href=agent_path(agent)>
                {move || visible(&open.agent_name(agent)).into_owned()}
            </a>
            <span class="mood" data-mood=mood.word()>{words}</span>
            {last.map(|last| view! { <span class="deliveries__last">{last}</span> })}
            <span class="deliveries__space"></span>
            {failed
                .then(|| {
                    view! {
                        <Button
                            label="Retry now"
                            kind=ButtonKind::Quiet
                            busy=Signal::derive(move || retry.busy())
                            on_press=move |()| retry.start(api::retry_now(id), move |()| open.reload())
                        />
                    }
                })}
            <Age at sentence=true />
        </li>
        {move || {
            retry
                .failure()
                .map(|failure| view! { <FailureBanner failure what="It was not tried again" /> })
        }}
    }
}

/// An agent that has no delivery: every clause of its filter, with what the alert has.
#[component]
fn Untold(open: OpenAlert, one: DispatchExplanation) -> impl IntoView {
    let agent = one.agent_uuid;
    let (word, mood) = if one.matched {
        ("fits, not told", "busy")
    } else {
        ("not told", "off")
    };
    let send = use_action();
    let tell = move |()| {
        if let Some(alert) = untrack(|| open.id()) {
            send.start(api::dispatch_agent(alert, agent), move |_| open.reload());
        }
    };
    let clause = |clause: calseta_contract::alert::TraceClause| {
        let (sign, said) = if clause.holds {
            ("✓", "holds")
        } else {
            ("✗", "does not hold")
        };
        view! {
            <li class="untold__clause" class:untold__clause--fails=!clause.holds>
                <span role="img" aria-label=said>{sign}</span>
                <span>{visible(&clause.text).into_owned()}</span>
            </li>
        }
    };
    view! {
        <details class="untold">
            <summary class="untold__head">
                <a class="deliveries__agent" href=agent_path(agent)>{visible(&one.agent_name).into_owned()}</a>
                <span class="mood" data-mood=mood>{word}</span>
                <span class="untold__why">{first_reason(&one)}</span>
            </summary>
            <ul class="untold__trace">{one.trace.into_iter().map(clause).collect_view()}</ul>
            <Button
                label="Send it anyway"
                busy=Signal::derive(move || send.busy())
                on_press=tell
            />
            {move || {
                send.failure().map(|failure| view! { <FailureBanner failure what="It was not sent" /> })
            }}
        </details>
    }
}

/// The first clause that does not hold.
fn first_reason(one: &DispatchExplanation) -> String {
    let failing = one.trace.iter().find(|clause| !clause.holds);
    failing.map_or_else(String::new, |clause| visible(&clause.text).into_owned())
}
