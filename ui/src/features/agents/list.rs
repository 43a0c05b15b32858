//! Every agent in one line.

use calseta_contract::agent::AgentView;
use calseta_domain::AgentId;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;

use crate::api::{self, Failure};
use crate::components::{Button, ButtonKind, Empty, FailureBanner, Glyph, Skeleton};
use crate::hooks::use_title;
use crate::state::live::{Change, Live};
use crate::state::places::{Places, agent_path};
use crate::text::{clip, visible};

/// A name or address is cut to this many characters.
const NAME_CHARS: usize = 80;

/// The list, live.
#[component]
pub(crate) fn AgentsPage() -> impl IntoView {
    let places = Places::expect();
    use_title(|| Some("Agents".to_owned()));
    let agents = RwSignal::new(None::<Vec<AgentView>>);
    let failure = RwSignal::new(None::<Failure>);
    let read = move || {
        spawn_local(async move {
            match api::list_agents().await {
                Ok(list) => {
                    failure.try_set(None);
                    agents.try_set(Some(list));
                }
                Err(error) => drop(failure.try_set(Some(error))),
            }
        });
    };
    read();
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
            <header class="page__head">
                <h1 class="page__title">"Agents"</h1>
                <Button
                    label="Register an agent"
                    kind=ButtonKind::Primary
                    glyph=Glyph::Plus
                    on_press=move |()| places.new_agent()
                />
            </header>
            {move || {
                failure
                    .get()
                    .map(|failure| {
                        view! {
                            <FailureBanner
                                failure
                                what="The agents could not be read"
                                on_retry=move |()| read()
                            />
                        }
                    })
            }}
            {move || match agents.get() {
                None if failure.with(Option::is_some) => ().into_any(),
                None => view! { <Skeleton lines=5 /> }.into_any(),
                Some(agents) if agents.is_empty() => view! { <NoAgents /> }.into_any(),
                Some(agents) => view! { <Table agents /> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn NoAgents() -> impl IntoView {
    let places = Places::expect();
    view! {
        <Empty
            title="No agent yet"
            text="An agent is your program: it receives matching alerts with all their evidence as a webhook, and posts findings back. Without one, alerts still arrive and are enriched."
        >
            <Button
                label="Register an agent"
                kind=ButtonKind::Primary
                on_press=move |()| places.new_agent()
            />
        </Empty>
    }
}

#[component]
fn Table(agents: Vec<AgentView>) -> impl IntoView {
    view! {
        <table class="table">
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col">"Address"</th>
                    <th scope="col">"Receives"</th>
                    <th scope="col">"State"</th>
                </tr>
            </thead>
            <tbody>{agents.into_iter().map(line).collect_view()}</tbody>
        </table>
    }
}

fn line(agent: AgentView) -> impl IntoView {
    let places = Places::expect();
    let id = agent.uuid;
    let (mood, words) = state(&agent);
    view! {
        <tr class="table__row" on:click=move |event| open_unless_link(&event, places, id)>
            <td>
                <a class="table__name" href=agent_path(id)>
                    {clip(&visible(&agent.name), NAME_CHARS)}
                </a>
            </td>
            <td class="mono">
                {clip(&visible(&agent.webhook_url), NAME_CHARS)}
                " "
                <span class="chip chip--quiet">{place(&agent.webhook_url)}</span>
            </td>
            <td>{receives(&agent)}</td>
            <td><span class="mood" data-mood=mood>{words}</span></td>
        </tr>
    }
}

/// A click anywhere in the row opens it; the link in it does that itself.
fn open_unless_link(event: &leptos::ev::MouseEvent, places: Places, id: AgentId) {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let on_link = target.is_some_and(|target| target.closest("a").ok().flatten().is_some());
    if !on_link {
        places.agent(id);
    }
}

/// Whether the agent runs on this machine, by its address.
pub(super) fn place(url: &str) -> &'static str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let local =
        host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]");
    if local { "Local" } else { "Remote" }
}

/// The agent's state in a word or two.
pub(super) fn state(agent: &AgentView) -> (&'static str, &'static str) {
    match (agent.is_active, agent.grant.as_str(), agent.health.as_str()) {
        (_, "pending", _) => ("warn", "Address not allowed yet"),
        (false, _, _) => ("off", "Off"),
        (true, _, "open") => ("bad", "Paused: it does not answer"),
        (true, _, "half_open") => ("warn", "Being tried again"),
        (true, _, "disabled") => ("warn", "Disabled"),
        (true, _, _) => ("ok", "Ready"),
    }
}

/// The filter in words: `High and up · sentinel, elastic · #vpn`.
pub(super) fn receives(agent: &AgentView) -> String {
    let filter = &agent.trigger_filter;
    let words = |field: &str| -> Vec<String> {
        let list = filter.get(field).and_then(|value| value.as_array());
        list.into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    let mut parts = Vec::new();
    if let Some(severity) = filter.get("min_severity").and_then(|value| value.as_str()) {
        parts.push(format!("{severity} and up"));
    }
    let (sources, tags) = (words("source_names"), words("tags"));
    if !sources.is_empty() {
        parts.push(sources.join(", "));
    }
    if !tags.is_empty() {
        parts.push(
            tags.iter()
                .map(|tag| format!("#{tag}"))
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    if filter.contains_key("match_any") || filter.contains_key("match_all") {
        parts.push("further rules".to_owned());
    }
    if parts.is_empty() {
        "Every alert".to_owned()
    } else {
        visible(&parts.join(" · ")).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_on_this_machine_is_called_local() {
        assert_eq!(place("http://127.0.0.1:9000/hook"), "Local");
        assert_eq!(place("http://[::1]:9000"), "Local");
        assert_eq!(place("https://agent.example.com/hook"), "Remote");
    }
}
