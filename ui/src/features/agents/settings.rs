//! One agent's settings: on or off, its test, its address, its end.

use calseta_contract::Patch;
use calseta_contract::agent::{AgentPatch, AgentTestView, AgentView};
use calseta_domain::AgentId;
use leptos::prelude::*;

use super::list::{place, receives};
use crate::api;
use crate::components::{Button, ButtonKind, Dialog, FailureBanner, Glyph, Notice, Switch};
use crate::hooks::use_action;
use crate::state::places::Places;
use crate::state::toasts::Toasts;
use crate::text::visible;

/// What is set, in words.
#[component]
pub(super) fn Facts(agent: AgentView) -> impl IntoView {
    let row = |title: &'static str, value: String| {
        view! {
            <div class="facts__row">
                <dt>{title}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let auth = match (&agent.auth_header_name, agent.has_auth_header) {
        (Some(name), true) => format!("Sent as {}; its value is never shown", visible(name)),
        (None, true) => "Sent; its value is never shown".to_owned(),
        (_, false) => "None".to_owned(),
    };
    view! {
        <dl class="facts">
            <div class="facts__row">
                <dt>"Webhook URL"</dt>
                <dd class="mono">
                    {visible(&agent.webhook_url).into_owned()}" "
                    <span class="chip chip--quiet">{place(&agent.webhook_url)}</span>
                </dd>
            </div>
            {row("Receives", receives(&agent))}
            {row("Authorization", auth)}
            {row("Time for one attempt", format!("{} s", agent.timeout_seconds))}
        </dl>
    }
}

/// On or off.
#[component]
pub(super) fn ActiveSwitch(agent: RwSignal<Option<AgentView>>) -> impl IntoView {
    let toasts = Toasts::expect();
    let action = use_action();
    let is_on = Signal::derive(move || agent.with(|a| a.as_ref().is_some_and(|a| a.is_active)));
    let change = move |wanted: bool| {
        let Some(id) = agent.with_untracked(|agent| agent.as_ref().map(|agent| agent.uuid)) else {
            return;
        };
        let patch = AgentPatch {
            is_active: Patch::Set(wanted),
            ..AgentPatch::default()
        };
        action.start_or(
            async move { api::patch_agent(id, &patch).await },
            move |changed| agent.set(Some(changed)),
            move |failure| toasts.fail("The agent was not changed", failure),
        );
    };
    view! {
        <Switch
            label="Receives alerts"
            on=is_on
            busy=Signal::derive(move || action.busy())
            on_change=change
        />
    }
}

/// Sends a marked test and says in words what came of it.
#[component]
pub(super) fn TestButton(agent: AgentId) -> impl IntoView {
    let action = use_action();
    let result = RwSignal::new(None::<AgentTestView>);
    let test = move |()| {
        action.start(async move { api::test_agent(agent).await }, move |r| {
            result.set(Some(r));
        });
    };
    view! {
        <div class="test">
            <Button
                label=Signal::derive(move || {
                    if action.busy() { "Testing…".to_owned() } else { "Test".to_owned() }
                })
                glyph=Glyph::Send
                busy=Signal::derive(move || action.busy())
                on_press=test
            />
            <span class="test__result" role="status">
                {move || {
                    result
                        .get()
                        .map(|result| {
                            let mood = if result.delivered { "ok" } else { "bad" };
                            view! { <span class="mood" data-mood=mood>{test_words(&result)}</span> }
                        })
                }}
            </span>
        </div>
        {move || {
            action.failure().map(|failure| view! { <FailureBanner failure what="The test was not sent" /> })
        }}
    }
}

/// `Delivered: it answered 200 in 12 ms`, or why not.
fn test_words(result: &AgentTestView) -> String {
    let time = format!("{} ms", result.duration_ms);
    match (result.delivered, result.status_code, &result.error) {
        (true, Some(code), _) => format!("Delivered: it answered {code} in {time}"),
        (true, None, _) => format!("Delivered in {time}"),
        (false, Some(code), _) => format!("Not delivered: it answered {code} after {time}"),
        (false, None, Some(why)) => format!("Not delivered: {}", visible(why)),
        (false, None, None) => format!("Not delivered after {time}"),
    }
}

/// The address waits for a person's word.
#[component]
pub(super) fn GrantBanner(agent: AgentView, on_granted: Callback<()>) -> impl IntoView {
    let action = use_action();
    let toasts = Toasts::expect();
    let target = address(&agent.webhook_url);
    let allow = move |()| {
        let Some((scheme, host, port)) = target.clone() else {
            return;
        };
        action.start_or(
            async move { api::grant_address(&scheme, &host, port).await },
            move |_| on_granted.run(()),
            move |failure| toasts.fail("The address was not allowed", failure),
        );
    };
    view! {
        <Notice
            text=format!(
                "{} is not allowed yet: an agent asked for it, and only a person may allow an address in this machine's networks.",
                visible(&agent.webhook_url),
            )
            warn=true
        >
            <Button
                label="Allow this address"
                kind=ButtonKind::Primary
                busy=Signal::derive(move || action.busy())
                on_press=allow
            />
        </Notice>
    }
}

/// Scheme, host without brackets, and port of an address.
fn address(url: &str) -> Option<(String, String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let default = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(default), |port| port.parse().ok())?;
    Some((scheme.to_owned(), host.to_owned(), port))
}

/// Deleting asks once, by name: it cannot be undone.
#[component]
pub(super) fn DeleteButton(agent: AgentView) -> impl IntoView {
    let asking = RwSignal::new(false);
    let agent = StoredValue::new(agent);
    view! {
        <Button label="Delete…" kind=ButtonKind::Danger on_press=move |()| asking.set(true) />
        <Show when=move || asking.get()>
            <DeleteDialog agent=agent.get_value() on_close=move |()| asking.set(false) />
        </Show>
    }
}

#[component]
fn DeleteDialog(agent: AgentView, #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let action = use_action();
    let toasts = Toasts::expect();
    let places = Places::expect();
    let (id, name) = (agent.uuid, visible(&agent.name).into_owned());
    let said = format!("{name} was deleted");
    let delete = move |()| {
        let said = said.clone();
        action.start(async move { api::delete_agent(id).await }, move |()| {
            toasts.say(said);
            places.agents();
        });
    };
    view! {
        <Dialog title=format!("Delete {name}?") on_close>
            <p class="dialog__text">
                "It receives no more alerts, and its undelivered ones are dropped. Its findings stay. This cannot be undone; switching it off can."
            </p>
            {move || {
                action.failure().map(|failure| view! { <FailureBanner failure what="It was not deleted" /> })
            }}
            <div class="dialog__actions">
                <Button label="Keep" on_press=move |()| on_close.run(()) />
                <Button
                    label=format!("Delete {name}")
                    kind=ButtonKind::Danger
                    busy=Signal::derive(move || action.busy())
                    on_press=delete
                />
            </div>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_with_its_port() {
        let parts = |url| address(url).map(|(s, h, p)| format!("{s} {h} {p}"));
        assert_eq!(
            parts("http://127.0.0.1:9000/x").as_deref(),
            Some("http 127.0.0.1 9000")
        );
        assert_eq!(parts("https://[::1]/x").as_deref(), Some("https ::1 443"));
        assert_eq!(parts("http://host").as_deref(), Some("http host 80"));
        assert_eq!(parts("nonsense"), None);
    }
}
