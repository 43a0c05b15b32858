//! Which agent is told: each has a letter; one more tells all that match.

use calseta_contract::agent::AgentView;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::about;
use super::consequences::Consequences;
use crate::api::{self, Failure};
use crate::components::{Button, ButtonKind, Dialog, FailureBanner};
use crate::state::alert_action::AlertAction;
use crate::state::alert_actions::AlertActions;
use crate::state::prompts::{Asked, Prompts};
use crate::text::visible;

/// The letters of the agents; more agents are chosen by the pointer or by Tab.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxy";
/// The letter of all that match.
const ALL: char = 'z';
/// What is said of it.
const EVERY: &str = "Every agent whose filter lets it pass";

#[component]
pub(super) fn DispatchDialog(asked: Asked) -> impl IntoView {
    let (actions, prompts) = (AlertActions::expect(), Prompts::expect());
    let agents = RwSignal::new(None::<Result<Vec<AgentView>, Failure>>);
    let chosen = RwSignal::new(None::<AlertAction>);
    let is_single = asked.count == 1;
    let select = StoredValue::new(asked.select.clone());
    spawn_local(async move {
        let read = api::list_agents().await;
        agents.try_set(Some(read));
    });
    let commit = move || {
        if let Some(action) = chosen.get_untracked() {
            let select = select.get_value();
            prompts.answer(move || actions.run(select, action));
        }
    };
    let choose = move |action: AlertAction| {
        chosen.set(Some(action));
        if is_single {
            commit();
        }
    };
    let pressed = move |event: KeyboardEvent| {
        let key = event.key();
        let action = agents.with_untracked(|read| by_letter(read.as_ref(), &key));
        if let Some(action) = action {
            event.prevent_default();
            event.stop_propagation();
            choose(action);
        } else if key == "Enter" && chosen.with_untracked(Option::is_some) {
            event.prevent_default();
            commit();
        }
    };
    let list = move || agents.with(|read| listed(read.as_ref(), chosen, choose));
    let title = format!("Send {} to an agent", about(&asked));
    view! {
        <Dialog title on_close=move |()| prompts.close() class="close-dialog">
            <div class="close-dialog__list" on:keydown=pressed>
                {line(Some(ALL), EVERY.to_owned(), AlertAction::Dispatch(None), chosen, choose)}
                {list}
            </div>
            <Consequences asked action=chosen />
            <div class="dialog__actions">
                <Button label="Cancel" on_press=move |()| prompts.close() />
                {(!is_single)
                    .then(|| {
                        view! {
                            <Button
                                label="Send"
                                kind=ButtonKind::Primary
                                disabled=Signal::derive(move || chosen.with(Option::is_none))
                                on_press=move |()| commit()
                            />
                        }
                    })}
            </div>
        </Dialog>
    }
}

/// The agents, or why there are none.
fn listed(
    read: Option<&Result<Vec<AgentView>, Failure>>,
    chosen: RwSignal<Option<AlertAction>>,
    choose: impl Fn(AlertAction) + Copy + 'static,
) -> AnyView {
    match read {
        None => view! { <p>"Reading the agents…"</p> }.into_any(),
        Some(Err(failure)) => {
            view! { <FailureBanner failure=failure.clone() what="The agents could not be read" /> }
                .into_any()
        }
        Some(Ok(all)) => all
            .iter()
            .enumerate()
            .map(|(index, agent)| {
                let name = visible(&agent.name).into_owned();
                let action = AlertAction::Dispatch(Some(agent.uuid));
                line(LETTERS.chars().nth(index), name, action, chosen, choose)
            })
            .collect_view()
            .into_any(),
    }
}

fn line(
    letter: Option<char>,
    title: String,
    action: AlertAction,
    chosen: RwSignal<Option<AlertAction>>,
    choose: impl Fn(AlertAction) + Copy + 'static,
) -> impl IntoView {
    let same = action.clone();
    view! {
        <button
            type="button"
            class="close-dialog__choice"
            autofocus=letter == Some(ALL)
            aria-pressed=move || chosen.with(|now| now.as_ref() == Some(&same)).to_string()
            on:click=move |_| choose(action.clone())
        >
            <kbd>{letter.map(String::from)}</kbd>
            <span>{title}</span>
        </button>
    }
}

fn by_letter(read: Option<&Result<Vec<AgentView>, Failure>>, key: &str) -> Option<AlertAction> {
    let mut letters = key.chars();
    let letter = letters.next().filter(|_| letters.next().is_none())?;
    if letter == ALL {
        return Some(AlertAction::Dispatch(None));
    }
    let index = LETTERS.find(letter)?;
    let agents = read?.as_ref().ok()?;
    agents
        .get(index)
        .map(|agent| AlertAction::Dispatch(Some(agent.uuid)))
}
