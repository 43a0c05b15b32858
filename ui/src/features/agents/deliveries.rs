//! What was delivered to an agent: live, with every attempt.

use calseta_contract::delivery::{AttemptView, DeliveryView};
use calseta_domain::{AgentId, DeliveryId};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure, Redelivery};
use crate::components::{Age, Button, ButtonKind, FailureBanner, Skeleton};
use crate::hooks::use_action;
use crate::state::live::{Change, Live};
use crate::state::places::alert_path;
use crate::state::toasts::Toasts;
use crate::text::{attempt_outcome, clip, delivery_state, visible, visible_lines};

/// A title is cut to this many characters.
const TITLE_CHARS: usize = 80;
/// An answer's excerpt is cut to this many characters on the screen.
const EXCERPT_CHARS: usize = 1_000;

/// The table of deliveries, newest first.
#[component]
pub(super) fn Deliveries(agent: AgentId) -> impl IntoView {
    let all = RwSignal::new(None::<Vec<DeliveryView>>);
    let failure = RwSignal::new(None::<Failure>);
    let read = move || {
        spawn_local(async move {
            match api::deliveries(agent).await {
                Ok(read) => {
                    failure.try_set(None);
                    all.try_set(Some(read));
                }
                Err(error) => drop(failure.try_set(Some(error))),
            }
        });
    };
    read();
    Live::expect().listen(move |change| match change {
        Change::Gap => read(),
        Change::Events(events) => {
            let ours = |kind: &str| kind == "delivery.updated" || kind == "finding.created";
            if events.iter().any(|event| ours(&event.kind)) {
                read();
            }
        }
    });
    view! {
        <section class="panel panel--wide" aria-label="Deliveries">
            <h2 class="panel__title">"Deliveries"</h2>
            {move || {
                failure
                    .get()
                    .map(|failure| {
                        view! {
                            <FailureBanner
                                failure
                                what="The deliveries could not be read"
                                on_retry=move |()| read()
                            />
                        }
                    })
            }}
            <Table all failed=Signal::derive(move || failure.with(Option::is_some)) />
        </section>
    }
}

#[component]
fn Table(all: RwSignal<Option<Vec<DeliveryView>>>, failed: Signal<bool>) -> impl IntoView {
    let count = Memo::new(move |_| all.with(|all| all.as_ref().map(Vec::len)));
    let ids = move || -> Vec<DeliveryId> {
        all.with(|all| all.iter().flatten().map(|delivery| delivery.uuid).collect())
    };
    let find = move |id: DeliveryId| {
        Memo::new(move |_| all.with(|all| all.iter().flatten().find(|d| d.uuid == id).cloned()))
    };
    move || {
        match count.get() {
        None if failed.get() => ().into_any(),
        None => view! { <Skeleton lines=3 /> }.into_any(),
        Some(0) => view! {
            <p class="section__none">
                "Nothing was sent yet. Matching alerts are sent when their enrichment is over; Test sends one now."
            </p>
        }
        .into_any(),
        Some(_) => view! {
            <ul class="delivery-list">
                <For each=ids key=|id| *id let:id>
                    <Delivery delivery=find(id) />
                </For>
            </ul>
        }
        .into_any(),
    }
    }
}

#[component]
fn Delivery(delivery: Memo<Option<DeliveryView>>) -> impl IntoView {
    let is_open = RwSignal::new(false);
    move || {
        delivery.get().map(|delivery| {
            let attempts = delivery.attempts.clone();
            view! {
                <li class="delivery">
                    <Line delivery=delivery.clone() is_open />
                    {move || is_open.get().then(|| view! { <Attempts attempts=attempts.clone() /> })}
                </li>
            }
        })
    }
}

#[component]
fn Line(delivery: DeliveryView, is_open: RwSignal<bool>) -> impl IntoView {
    let (mood, words) = delivery_state(&delivery);
    let tries = delivery.attempts.len();
    let label = if tries == 1 {
        "1 attempt".to_owned()
    } else {
        format!("{tries} attempts")
    };
    let title = delivery
        .alert_title
        .as_deref()
        .map(|title| clip(&visible(title), TITLE_CHARS));
    let answers = delivery.finding_uuids.len();
    view! {
        <div class="delivery__line">
            <span class="delivery__age"><Age at=delivery.created_at /></span>
            <span class="delivery__alert">
                {match (delivery.alert_uuid, title) {
                    (Some(id), title) => {
                        let title = title.unwrap_or_else(|| "An alert".to_owned());
                        view! { <a href=alert_path(id)>{title}</a> }.into_any()
                    }
                    (None, _) => view! { <span>"Test with a made-up alert"</span> }.into_any(),
                }}
                {(delivery.trigger != "enriched")
                    .then(|| view! { <span class="chip chip--quiet">{delivery.trigger.clone()}</span> })}
            </span>
            <span class="mood" data-mood=mood.word()>{words}</span>
            {(answers > 0).then(|| view! { <span class="chip chip--quiet">"answered"</span> })}
            <span class="delivery__space"></span>
            <button
                type="button"
                class="button button--quiet"
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|open| *open = !*open)
            >
                {label}
            </button>
            <Again delivery />
        </div>
    }
}

/// Sending it once more.
#[component]
fn Again(delivery: DeliveryView) -> impl IntoView {
    let toasts = Toasts::expect();
    let action = use_action();
    let id = delivery.uuid;
    let waits = matches!(delivery.state.as_str(), "due" | "parked");
    let is_over = matches!(delivery.state.as_str(), "delivered" | "dead" | "cancelled");
    let busy = Signal::derive(move || action.busy());
    let failed = move |failure: &Failure| toasts.fail("It was not sent again", failure);
    let again = move |mode: Redelivery| {
        action.start_or(
            async move { api::redeliver(id, mode).await },
            move |()| toasts.say("It will be sent again"),
            failed,
        );
    };
    let now = move |()| {
        action.start_or(
            async move { api::retry_now(id).await },
            move |()| toasts.say("It is tried now"),
            failed,
        );
    };
    view! {
        {waits
            .then(|| {
                view! { <Button label="Retry now" kind=ButtonKind::Quiet busy on_press=now /> }
            })}
        {(is_over && delivery.trigger != "test")
            .then(|| {
                view! {
                    <Button
                        label="Redeliver"
                        kind=ButtonKind::Quiet
                        busy
                        on_press=move |()| again(Redelivery::AsSent)
                    />
                    <Button
                        label="Send current"
                        kind=ButtonKind::Quiet
                        busy
                        on_press=move |()| again(Redelivery::Current)
                    />
                }
            })}
    }
}

#[component]
fn Attempts(attempts: Vec<AttemptView>) -> impl IntoView {
    view! {
        <table class="table attempts">
            <thead>
                <tr>
                    <th scope="col">"#"</th>
                    <th scope="col">"When"</th>
                    <th scope="col">"Outcome"</th>
                    <th scope="col">"ms"</th>
                    <th scope="col">"Said"</th>
                </tr>
            </thead>
            <tbody>{attempts.into_iter().map(attempt).collect_view()}</tbody>
        </table>
    }
}

fn attempt(attempt: AttemptView) -> impl IntoView {
    let (mood, words) = attempt_outcome(&attempt);
    let said = attempt
        .error
        .or(attempt.response_excerpt)
        .unwrap_or_default();
    view! {
        <tr>
            <td>{attempt.n}</td>
            <td><Age at=attempt.started_at sentence=true /></td>
            <td><span class="mood" data-mood=mood.word()>{words}</span></td>
            <td class="attempts__ms">{attempt.duration_ms}</td>
            <td class="attempts__said mono">{clip(&visible_lines(&said), EXCERPT_CHARS)}</td>
        </tr>
    }
}
