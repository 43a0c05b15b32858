//! After registering: the signing secret and, if wanted, the agent's own key. Each is shown once.

use calseta_contract::agent::AgentView;
use leptos::prelude::*;

use super::settings::TestButton;
use crate::api;
use crate::components::{Button, ButtonKind, FailureBanner, Secret};
use crate::hooks::use_action;
use crate::state::places::Places;
use crate::state::session::Session;
use crate::text::visible;

/// What to copy before going on.
#[component]
pub(super) fn Registered(agent: AgentView) -> impl IntoView {
    let places = Places::expect();
    let id = agent.uuid;
    let name = agent.name.clone();
    view! {
        <div class="page page--narrow">
            <header class="page__head">
                <h1 class="page__title">{format!("{} is registered", visible(&name))}</h1>
            </header>
            {agent
                .signing_secret
                .map(|secret| {
                    view! {
                        <section class="panel">
                            <h2 class="panel__title">"Signing secret"</h2>
                            <p class="panel__text">
                                "Every webhook is signed with it (Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature). Shown this once; rotate it if you lose it."
                            </p>
                            <Secret what="Signing secret" value=secret />
                        </section>
                    }
                })}
            <AgentKey agent=id name />
            <TestButton agent=id />
            <div class="form__actions">
                <Button
                    label="Done"
                    kind=ButtonKind::Primary
                    on_press=move |()| places.agent(id)
                />
            </div>
        </div>
    }
}

/// The agent's own key: findings posted with it carry the agent's name.
#[component]
pub(super) fn AgentKey(agent: calseta_domain::AgentId, name: String) -> impl IntoView {
    let action = use_action();
    let key = RwSignal::new(None::<String>);
    let base_url = Session::expect().base_url();
    let make = move |()| {
        let key_name = format!("{name} key");
        action.start(
            async move { api::create_agent_key(agent, &key_name).await },
            move |made| key.set(made.key),
        );
    };
    view! {
        <section class="panel">
            <h2 class="panel__title">"Agent key"</h2>
            <p class="panel__text">
                "The agent needs a key to post findings back to "<code>{base_url}</code>
                ". It may read alerts and enrichments, post findings, change an alert's status and ask for workflows; it can never approve anything."
            </p>
            {move || {
                action.failure().map(|failure| view! { <FailureBanner failure what="No key was made" /> })
            }}
            {move || match key.get() {
                Some(key) => view! { <Secret what="Agent key" value=key /> }.into_any(),
                None => {
                    view! {
                        <Button
                            label="Make an agent key"
                            busy=Signal::derive(move || action.busy())
                            on_press=make.clone()
                        />
                    }
                        .into_any()
                }
            }}
        </section>
    }
}
