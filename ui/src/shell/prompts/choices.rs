//! Questions with a few answers, each with its key.

use calseta_domain::{Malice, Severity, Timestamp};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::about;
use super::consequences::Consequences;
use crate::components::{Button, ButtonKind, Dialog, SeverityGlyph, VerdictChip};
use crate::state::alert_action::AlertAction;
use crate::state::alert_actions::AlertActions;
use crate::state::clock::now_ms;
use crate::state::prompts::{Asked, Prompts};

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// One answer.
#[derive(Clone)]
struct Answer {
    key: &'static str,
    title: String,
    mark: Option<Mark>,
    action: AlertAction,
}

/// What stands before an answer's word.
#[derive(Clone, Copy)]
enum Mark {
    Severity(Severity),
    Verdict(Malice),
}

#[component]
pub(super) fn SeverityDialog(asked: Asked) -> impl IntoView {
    let keys = ["0", "1", "2", "3", "4", "5"];
    let answers = Severity::ALL
        .iter()
        .zip(keys)
        .map(|(severity, key)| Answer {
            key,
            title: severity.as_str().to_owned(),
            mark: Some(Mark::Severity(*severity)),
            action: AlertAction::Severity(*severity),
        })
        .collect();
    let title = format!("Severity of {}", about(&asked));
    view! { <Choice asked title answers /> }
}

#[component]
pub(super) fn VerdictDialog(asked: Asked) -> impl IntoView {
    let verdict = |key, malice: Malice| Answer {
        key,
        title: malice.as_str().to_owned(),
        mark: Some(Mark::Verdict(malice)),
        action: AlertAction::Verdict(Some(malice)),
    };
    let answers = vec![
        verdict("1", Malice::Benign),
        verdict("2", Malice::Suspicious),
        verdict("3", Malice::Malicious),
        Answer {
            key: "0",
            title: "As the indicators say".to_owned(),
            mark: None,
            action: AlertAction::Verdict(None),
        },
    ];
    let title = format!("Verdict of {}", about(&asked));
    view! { <Choice asked title answers /> }
}

#[component]
pub(super) fn SnoozeDialog(asked: Asked) -> impl IntoView {
    let snooze = |key, title: &str, hours: i64| {
        let until = Timestamp::from_millis(now_ms()).plus_millis(hours * HOUR_MS);
        Answer {
            key,
            title: title.to_owned(),
            mark: None,
            action: AlertAction::Snooze(Some(until)),
        }
    };
    let answers = vec![
        snooze("1", "For an hour", 1),
        snooze("4", "For 4 hours", 4),
        snooze("d", "For a day", 24),
        snooze("w", "For a week", 24 * 7),
        Answer {
            key: "0",
            title: "Wake now".to_owned(),
            mark: None,
            action: AlertAction::Snooze(None),
        },
    ];
    let title = format!("Snooze {}", about(&asked));
    view! { <Choice asked title answers /> }
}

#[component]
pub(super) fn EnrichDialog(asked: Asked) -> impl IntoView {
    let answers = vec![Answer {
        key: "1",
        title: "Look their indicators up again, where an answer is stale".to_owned(),
        mark: None,
        action: AlertAction::Enrich,
    }];
    let title = format!("Look up {} again", about(&asked));
    view! { <Choice asked title answers /> }
}

/// The answers; a key gives one, of many alerts it only chooses, and Enter gives it.
#[component]
fn Choice(asked: Asked, title: String, answers: Vec<Answer>) -> impl IntoView {
    let (actions, prompts) = (AlertActions::expect(), Prompts::expect());
    let is_single = asked.count == 1;
    let select = StoredValue::new(asked.select.clone());
    let chosen = RwSignal::new(None::<AlertAction>);
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
    let by_key = StoredValue::new(answers.clone());
    let pressed = move |event: KeyboardEvent| {
        let key = event.key();
        let answer = by_key.with_value(|all| all.iter().find(|one| one.key == key).cloned());
        if let Some(answer) = answer {
            event.prevent_default();
            event.stop_propagation();
            choose(answer.action);
        } else if key == "Enter" && chosen.with_untracked(Option::is_some) {
            event.prevent_default();
            event.stop_propagation();
            commit();
        }
    };
    let line = move |(index, answer): (usize, Answer)| {
        let (same, given) = (answer.action.clone(), answer.action.clone());
        view! {
            <button
                type="button"
                class="close-dialog__choice"
                autofocus=index == 0
                aria-pressed=move || chosen.with(|now| now.as_ref() == Some(&same)).to_string()
                on:click=move |_| choose(given.clone())
            >
                <kbd>{answer.key}</kbd>
                {answer.mark.map(marked)}
                <span>{answer.title}</span>
            </button>
        }
    };
    view! {
        <Dialog title on_close=move |()| prompts.close() class="close-dialog">
            <div class="close-dialog__list" on:keydown=pressed>
                {answers.into_iter().enumerate().map(line).collect_view()}
            </div>
            <Consequences asked action=chosen />
            <div class="dialog__actions">
                <Button label="Cancel" on_press=move |()| prompts.close() />
                {(!is_single)
                    .then(|| {
                        view! {
                            <Button
                                label="Do it"
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

fn marked(mark: Mark) -> AnyView {
    match mark {
        Mark::Severity(severity) => view! { <SeverityGlyph severity /> }.into_any(),
        Mark::Verdict(malice) => {
            view! { <VerdictChip mark=malice word=malice.as_str() /> }.into_any()
        }
    }
}
