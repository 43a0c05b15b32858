//! One agent: its settings, its test, what was delivered to it.

use calseta_contract::agent::AgentView;
use calseta_domain::AgentId;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;

use super::backlog::Backlog;
use super::deliveries::Deliveries;
use super::list::state;
use super::secrets::AgentKey;
use super::settings::{ActiveSwitch, DeleteButton, Facts, GrantBanner, TestButton};
use crate::api::{self, Failure};
use crate::components::{Empty, FailureBanner, Skeleton};
use crate::hooks::use_title;
use crate::state::live::{Change, Live};
use crate::text::{clip, visible};

/// A name is cut to this many characters in the heading.
const NAME_CHARS: usize = 120;

/// The page of the agent that the address names.
#[component]
pub(crate) fn AgentPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| {
        params.with(|params| {
            params
                .get("uuid")
                .and_then(|uuid| uuid.parse::<AgentId>().ok())
        })
    });
    let agent = RwSignal::new(None::<AgentView>);
    let failure = RwSignal::new(None::<Failure>);
    use_title(move || agent.with(|a| a.as_ref().map(|a| clip(&visible(&a.name), NAME_CHARS))));
    let read = move || {
        let Some(id) = id.get_untracked() else { return };
        spawn_local(async move {
            match api::get_agent(id).await {
                Ok(read) => {
                    failure.try_set(None);
                    agent.try_set(Some(read));
                }
                Err(error) => drop(failure.try_set(Some(error))),
            }
        });
    };
    Effect::new(move |_| {
        id.track();
        agent.set(None);
        read();
    });
    Live::expect().listen(move |change| match change {
        Change::Gap => read(),
        Change::Events(events) => {
            if events.iter().any(|event| event.kind == "agent.updated") {
                read();
            }
        }
    });
    view! {
        <div class="page">
            {move || failure.get().map(|failure| view! { <Failed failure on_retry=Callback::new(move |()| read()) /> })}
            {move || match id.get() {
                Some(id) => view! { <Body id agent failure on_changed=Callback::new(move |()| read()) /> }.into_any(),
                None => view! { <Empty title="No such agent" text="The address names no agent." /> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Failed(failure: Failure, on_retry: Callback<()>) -> impl IntoView {
    if failure.is_not_found() {
        return view! {
            <Empty title="This agent is gone" text="It was deleted, or never existed here.">
                <a class="button" href="/agents">"All agents"</a>
            </Empty>
        }
        .into_any();
    }
    view! { <FailureBanner failure what="The agent could not be read" on_retry /> }.into_any()
}

#[component]
fn Body(
    id: AgentId,
    agent: RwSignal<Option<AgentView>>,
    failure: RwSignal<Option<Failure>>,
    on_changed: Callback<()>,
) -> impl IntoView {
    let is_read = Memo::new(move |_| agent.with(Option::is_some));
    view! {
        <Show
            when=move || is_read.get()
            fallback=move || failure.with(Option::is_none).then(|| view! { <Skeleton lines=6 /> })
        >
            {move || agent.get().map(|agent| view! { <Head agent on_changed /> })}
            <div class="agent__bar">
                <ActiveSwitch agent />
                <TestButton agent=id />
            </div>
            {move || agent.get().map(|agent| view! { <Backlog agent on_changed /> })}
            {move || agent.get().map(|agent| view! { <Facts agent /> })}
            <Deliveries agent=id />
            <Keys id agent />
            <div class="agent__end">
                {move || agent.get().map(|agent| view! { <DeleteButton agent /> })}
            </div>
        </Show>
    }
}

#[component]
fn Head(agent: AgentView, on_changed: Callback<()>) -> impl IntoView {
    let (mood, words) = state(&agent);
    view! {
        <header class="page__head">
            <h1 class="page__title">{clip(&visible(&agent.name), NAME_CHARS)}</h1>
            <span class="mood" data-mood=mood>{words}</span>
        </header>
        {(agent.grant == "pending")
            .then(|| view! { <GrantBanner agent=agent.clone() on_granted=on_changed /> })}
    }
}

/// A further key; its own component, so that an event does not paint a key away.
#[component]
fn Keys(id: AgentId, agent: RwSignal<Option<AgentView>>) -> impl IntoView {
    let name = agent.with_untracked(|agent| agent.as_ref().map(|agent| agent.name.clone()));
    view! { <AgentKey agent=id name=name.unwrap_or_default() /> }
}
