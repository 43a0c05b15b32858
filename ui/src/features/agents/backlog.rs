//! Why an agent is not sent everything, what waits for it, and what brings that on its way again.

use calseta_contract::agent::{AgentView, BacklogView, BreakerView};
use calseta_domain::AgentId;
use calseta_domain::breaker::Health;
use leptos::prelude::*;

use crate::api;
use crate::components::{Age, Button, Mood};
use crate::hooks::use_action;
use crate::state::toasts::Toasts;
use crate::text::{clip, visible};

/// A reason is cut to this many characters.
const REASON_CHARS: usize = 300;

/// Shown only when something waits or is held back.
#[component]
pub(super) fn Backlog(
    /// The agent as it was read last.
    agent: AgentView,
    /// Called when something was done about it.
    on_changed: Callback<()>,
) -> impl IntoView {
    let id = agent.uuid;
    let backlog = agent.backlog.unwrap_or(BacklogView {
        due: 0,
        parked: 0,
        dead: 0,
    });
    let held = agent
        .breaker
        .filter(|breaker| breaker.state != Health::Closed);
    let shown = held.is_some() || backlog.parked > 0 || backlog.dead > 0;
    shown.then(|| {
        let is_disabled = held
            .as_ref()
            .is_some_and(|breaker| breaker.state == Health::Disabled);
        view! {
            <section class="backlog" aria-label="What waits for this agent">
                {held.map(why)}
                {waiting(backlog).map(|text| view! { <p>{text}</p> })}
                <p class="backlog__actions">
                    {is_disabled
                        .then(|| view! { <Act id verb=Verb::Enable label="Switch on and recover" on_changed /> })}
                    {(!is_disabled && backlog.parked > 0)
                        .then(|| view! { <Act id verb=Verb::RetryParked label="Retry now" on_changed /> })}
                    {(!is_disabled && backlog.dead > 0)
                        .then(|| view! { <Act id verb=Verb::RecoverDead label="Send what was given up again" on_changed /> })}
                </p>
            </section>
        }
    })
}

fn why(breaker: BreakerView) -> impl IntoView {
    let (mood, word) = match breaker.state {
        Health::Closed => ("ok", "Ready"),
        Health::Open => ("bad", "Held back"),
        Health::HalfOpen => ("busy", "Being tried again"),
        Health::Disabled => ("warn", "Switched off"),
    };
    let reason = breaker
        .reason
        .map(|reason| clip(&visible(&reason), REASON_CHARS));
    let text = reason.map_or_else(|| word.to_owned(), |reason| format!("{word}: {reason}"));
    view! {
        <p>
            <Mood mood text />
            {breaker.opened_at.map(|at| view! { " since " <Age at /> })}
        </p>
    }
}

/// `12 alerts wait until it answers, 3 were given up.`
fn waiting(backlog: BacklogView) -> Option<String> {
    let alerts = |count: u64, verb: &str| match count {
        0 => None,
        1 => Some(format!("1 alert {verb}")),
        many => Some(format!("{many} alerts {verb}")),
    };
    let parts: Vec<String> = [
        alerts(backlog.parked, "parked until it answers"),
        alerts(backlog.dead, "given up"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join(", ")))
}

/// What can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Enable,
    RetryParked,
    RecoverDead,
}

#[component]
fn Act(id: AgentId, verb: Verb, label: &'static str, on_changed: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    let action = use_action();
    let press = move |()| {
        action.start_or(
            async move {
                match verb {
                    Verb::Enable => api::enable_agent(id).await,
                    Verb::RetryParked => api::recover_agent(id, "parked").await,
                    Verb::RecoverDead => api::recover_agent(id, "dead").await,
                }
            },
            move |()| {
                toasts.say("On their way again");
                on_changed.run(());
            },
            move |failure| toasts.fail("Nothing was sent again", failure),
        );
    };
    view! { <Button label busy=Signal::derive(move || action.busy()) on_press=press /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_said_in_words() {
        let backlog = |parked, dead| BacklogView {
            due: 0,
            parked,
            dead,
        };
        assert_eq!(waiting(backlog(0, 0)), None);
        assert_eq!(
            waiting(backlog(12, 1)).as_deref(),
            Some("12 alerts parked until it answers, 1 alert given up.")
        );
    }
}
