//! No alerts: what to do first, and what hides them.

use calseta_domain::Timestamp;
use leptos::prelude::*;

use crate::api;
use crate::components::{Button, ButtonKind, CopyButton, Empty, Glyph, Icon};
use crate::hooks::use_action;
use crate::state::clock::now_ms;
use crate::state::places::Places;
use crate::state::queue::hidden::{self, Hidden};
use crate::state::queue::{Queue, WAITING};
use crate::state::session::Session;
use crate::state::toasts::Toasts;
use crate::text::visible;

/// Alerts exist, but the query finds none: why, and what it leaves out.
#[component]
pub(super) fn EmptyFilter() -> impl IntoView {
    let queue = Queue::expect();
    // Each of these is a query.
    let show = move |q: &str| drop(queue.set_q(q));
    let is_waiting = move || queue.q() == WAITING;
    let text = move || {
        let hidden = left_out(&queue.hidden());
        let filter = (!is_waiting()).then(|| format!("No alert fits {}.", visible(&queue.q())));
        let parts = [hidden, filter];
        let mut said: Vec<String> = parts.into_iter().flatten().collect();
        said.push("New alerts appear here by themselves.".to_owned());
        said.join(" ")
    };
    let title = move || {
        if is_waiting() {
            "Nothing waits for you"
        } else {
            "Nothing matches"
        }
    };
    view! {
        {move || {
            let (hides, waits) = (queue.hidden(), is_waiting());
            view! {
                <Empty title=title() text=text()>
                    <Button
                        label=if waits { "Show closed alerts too" } else { "Clear the filter" }
                        on_press=move |()| show("")
                    />
                    {(!waits)
                        .then(|| {
                            view! {
                                <Button
                                    label="Show what waits"
                                    kind=ButtonKind::Primary
                                    on_press=move |()| show(WAITING)
                                />
                            }
                        })}
                    {(hides.snoozed > 0)
                        .then(|| view! { <Button label="Show snoozed" on_press=move |()| show(&hidden::snoozed(&queue.peek_q())) /> })}
                    {(hides.suppressed > 0)
                        .then(|| view! { <Button label="Show suppressed" on_press=move |()| show(&hidden::suppressed(&queue.peek_q())) /> })}
                </Empty>
            }
        }}
    }
}

/// `12 alerts are snoozed, 3 suppressed.`
fn left_out(hidden: &Hidden) -> Option<String> {
    let alerts = |count: u64| {
        if count == 1 {
            "1 alert is".to_owned()
        } else {
            format!("{count} alerts are")
        }
    };
    match (hidden.snoozed, hidden.suppressed) {
        (0, 0) => None,
        (snoozed, 0) => Some(format!("{} snoozed.", alerts(snoozed))),
        (0, suppressed) => Some(format!("{} suppressed.", alerts(suppressed))),
        (snoozed, suppressed) => Some(format!(
            "{} snoozed, {suppressed} suppressed.",
            alerts(snoozed)
        )),
    }
}

/// Not one alert yet: three ways to begin.
#[component]
pub(super) fn EmptyProduct() -> impl IntoView {
    view! {
        <div class="start">
            <h1 class="start__title">"No alerts yet"</h1>
            <p class="start__text">
                "Alerts appear here the moment they arrive. Nothing leaves this machine but what you set up."
            </p>
            <div class="start__cards">
                <TestAlertCard />
                <SourceCard />
                <AgentCard />
            </div>
        </div>
    }
}

#[component]
fn TestAlertCard() -> impl IntoView {
    let toasts = Toasts::expect();
    let queue = Queue::expect();
    let action = use_action();
    let send = move |()| {
        let at = Timestamp::from_millis(now_ms()).to_string();
        action.start_or(
            async move { api::send_test_alert(&at).await },
            move |accepted| {
                toasts.say("The test alert was accepted");
                queue.touch(accepted.alert_uuid);
            },
            move |failure| toasts.fail("The test alert was not accepted", failure),
        );
    };
    view! {
        <section class="card">
            <h2 class="card__title"><Icon glyph=Glyph::Send />"Send a test alert"</h2>
            <p class="card__text">
                "Goes the whole way: ingest, enrichment, matching agents. Close it when you have seen it."
            </p>
            <Button
                label="Send a test alert"
                kind=ButtonKind::Primary
                busy=Signal::derive(move || action.busy())
                on_press=send
            />
        </section>
    }
}

#[component]
fn SourceCard() -> impl IntoView {
    let snippet = curl(&Session::expect().base_url());
    view! {
        <section class="card card--wide">
            <h2 class="card__title"><Icon glyph=Glyph::Source />"Connect a source"</h2>
            <p class="card__text">
                "Post to it from your SIEM. Sentinel, Elastic and Splunk have an address of their own in place of “generic”."
            </p>
            <div class="snippet">
                <pre class="snippet__text mono" tabindex="0">{snippet.clone()}</pre>
                <CopyButton text=snippet what="Command" worded=true />
            </div>
        </section>
    }
}

#[component]
fn AgentCard() -> impl IntoView {
    let places = Places::expect();
    view! {
        <section class="card">
            <h2 class="card__title"><Icon glyph=Glyph::Agent />"Register an agent"</h2>
            <p class="card__text">
                "It receives matching alerts as a webhook and posts its findings back. Yours, on this machine or elsewhere."
            </p>
            <Button label="Register an agent" on_press=move |()| places.new_agent() />
        </section>
    }
}

/// The command that posts an alert, with the address that this backend really listens on.
fn curl(base_url: &str) -> String {
    format!(
        "curl -X POST {base_url}/v1/ingest/generic \\\n  \
         -H \"Authorization: Bearer $CALSETA_KEY\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  \
         -d '{{\"title\": \"Impossible travel\", \"severity\": \"High\", \"source_ip\": \"185.220.101.47\"}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_in_words() {
        let said = |snoozed, suppressed| {
            left_out(&Hidden {
                snoozed,
                suppressed,
            })
        };
        assert_eq!(said(0, 0), None);
        assert_eq!(
            said(12, 3).as_deref(),
            Some("12 alerts are snoozed, 3 suppressed.")
        );
        assert_eq!(said(0, 1).as_deref(), Some("1 alert is suppressed."));
    }

    #[test]
    fn the_snippet_names_the_real_address_and_valid_json() {
        let text = curl("http://localhost:8003");
        assert!(text.starts_with("curl -X POST http://localhost:8003/v1/ingest/generic"));
        let body = text.split('\'').nth(1).expect("a quoted body");
        serde_json::from_str::<serde_json::Value>(body).expect("the body is JSON");
    }
}
