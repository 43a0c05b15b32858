//! Choosing why alerts are closed: `c`, then a number.
//!
//! One alert closes with the number. Of many, or once a comment is begun, the number chooses and
//! Enter closes, so that what it leads to is read first. The agents' consensus and what became of
//! the rule's last alerts stand beside the choices, and never choose.

use std::collections::HashMap;

use calseta_contract::alert::AlertSummary;
use calseta_contract::related::TrackRecord;
use calseta_domain::{AlertId, CloseClassification, Timestamp};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use super::about;
use super::consequences::Consequences;
use crate::api;
use crate::components::{Button, ButtonKind, Dialog, Keys};
use crate::state::alert_action::AlertAction;
use crate::state::alert_actions::AlertActions;
use crate::state::clock::now_ms;
use crate::state::prompts::{Asked, Prompts};
use crate::state::queue::Queue;

/// How long alerts like these stay out when they are suppressed from here.
const SUPPRESS_MS: i64 = 7 * 24 * 3_600_000;

/// What the dialog holds.
#[derive(Clone, Copy)]
struct Closing {
    asked: StoredValue<Asked>,
    chosen: RwSignal<Option<CloseClassification>>,
    comment: RwSignal<String>,
    comment_field: NodeRef<html::Textarea>,
    actions: AlertActions,
    prompts: Prompts,
}

/// The seven classifications, numbered.
#[component]
pub(super) fn CloseDialog(asked: Asked) -> impl IntoView {
    let closing = Closing {
        asked: StoredValue::new(asked.clone()),
        chosen: RwSignal::new(None),
        comment: RwSignal::new(String::new()),
        comment_field: NodeRef::new(),
        actions: AlertActions::expect(),
        prompts: Prompts::expect(),
    };
    let past = RwSignal::new(Past::default());
    closing.read_past(past);
    let action = move || closing.action();
    let title = format!("Close {} as", about(&asked));
    view! {
        <Dialog title on_close=move |()| closing.prompts.close() class="close-dialog">
            <div class="close-dialog__list" role="group" aria-label="Classification" on:keydown=move |event| closing.pressed(&event)>
                {CloseClassification::ALL
                    .iter()
                    .enumerate()
                    .map(|(index, class)| choice(closing, past, index + 1, *class))
                    .collect_view()}
            </div>
            <label class="field__label" for="close-comment">"Comment"<Keys sequence="Tab" /></label>
            <textarea
                node_ref=closing.comment_field
                id="close-comment"
                class="field__input close-dialog__comment"
                rows="2"
                placeholder="Why, in a sentence; kept as a note of each alert"
                prop:value=move || closing.comment.get()
                on:input=move |event| closing.comment.set(event_target_value(&event))
                on:keydown=move |event| closing.pressed_in_comment(&event)
            ></textarea>
            <Consequences asked action=Signal::derive(action) />
            <div class="dialog__actions">
                <Button label="Cancel" on_press=move |()| closing.prompts.close() />
                <Button
                    label="Close and suppress like these for 7 days (Shift+Enter)"
                    disabled=Signal::derive(move || closing.chosen.get().is_none())
                    on_press=move |()| closing.commit(Like::Suppressed)
                />
                <Button
                    label="Close"
                    kind=ButtonKind::Primary
                    disabled=Signal::derive(move || closing.chosen.get().is_none())
                    on_press=move |()| closing.commit(Like::Kept)
                />
            </div>
        </Dialog>
    }
}

/// What becomes of alerts like those that are closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Like {
    Kept,
    Suppressed,
}

impl Closing {
    fn action(self) -> Option<AlertAction> {
        let comment = self.comment.get().trim().to_owned();
        self.chosen.get().map(|class| AlertAction::Close {
            class,
            comment: (!comment.is_empty()).then_some(comment),
        })
    }

    fn is_single(self) -> bool {
        self.asked.with_value(|asked| asked.count == 1)
    }

    /// Chooses, and closes a single alert at once.
    fn choose(self, class: CloseClassification) {
        self.chosen.set(Some(class));
        if self.is_single() && self.comment.with_untracked(String::is_empty) {
            self.commit(Like::Kept);
        } else {
            self.go_to_comment();
        }
    }

    fn pressed(self, event: &KeyboardEvent) {
        let number = event
            .key()
            .parse::<usize>()
            .ok()
            .and_then(|n| n.checked_sub(1));
        if let Some(class) = number.and_then(|index| CloseClassification::ALL.get(index)) {
            event.prevent_default();
            event.stop_propagation();
            self.choose(*class);
            return;
        }
        match event.key().as_str() {
            "Enter" if event.shift_key() => {
                // Of one alert a number closes at once: here the choice that has the focus is meant.
                if self.chosen.with_untracked(Option::is_none) {
                    self.chosen.set(focused(event));
                }
                self.commit(Like::Suppressed);
            }
            "Enter" if self.chosen.with_untracked(Option::is_some) => self.commit(Like::Kept),
            "Tab" if !event.shift_key() => self.go_to_comment(),
            "ArrowDown" => walk(event, Step::Next),
            "ArrowUp" => walk(event, Step::Previous),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    }

    fn go_to_comment(self) {
        if let Some(field) = self.comment_field.get_untracked() {
            // A field that takes no focus can be pressed.
            let _ = field.focus();
        }
    }

    fn pressed_in_comment(self, event: &KeyboardEvent) {
        if event.key() == "Enter" {
            event.prevent_default();
            self.commit(if event.shift_key() {
                Like::Suppressed
            } else {
                Like::Kept
            });
        }
    }

    fn commit(self, like: Like) {
        let Some(action) = untrack(|| self.action()) else {
            return;
        };
        let select = self.asked.with_value(|asked| asked.select.clone());
        let actions = self.actions;
        self.prompts.answer(move || {
            if like == Like::Suppressed {
                let until = Timestamp::from_millis(now_ms()).plus_millis(SUPPRESS_MS);
                actions.suppress_after(select, action, until);
            } else {
                actions.run(select, action);
            }
        });
    }

    /// What the agents said of these, and what became of their rule's last alerts.
    fn read_past(self, past: RwSignal<Past>) {
        let queue = Queue::expect();
        let select = self.asked.with_value(|asked| asked.select.clone());
        let ids = select
            .uuids
            .unwrap_or_else(|| queue.found_by(select.q.as_deref().unwrap_or_default()));
        let said = |id: &AlertId| untrack(|| queue.row(*id)).and_then(|row| consensus(&row.alert));
        let mut words: Vec<&'static str> = ids.iter().filter_map(said).collect();
        words.sort_unstable();
        words.dedup();
        past.set(Past {
            consensus: match words.as_slice() {
                [one] => Some(*one),
                _ => None,
            },
            record: HashMap::new(),
        });
        let Some(first) = ids.first().copied() else {
            return;
        };
        spawn_local(async move {
            // The choices are complete without the rule's past.
            if let Ok(found) = api::related(first, 1).await {
                let record = found
                    .track_record
                    .as_ref()
                    .map(by_class)
                    .unwrap_or_default();
                past.try_update(|past| past.record = record);
            }
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Next,
    Previous,
}

/// The class of the choice that has the focus.
fn focused(event: &KeyboardEvent) -> Option<CloseClassification> {
    let choice = event.target()?.dyn_into::<Element>().ok()?;
    let before = std::iter::successors(choice.previous_element_sibling(), |one| {
        one.previous_element_sibling()
    });
    CloseClassification::ALL.get(before.count()).copied()
}

/// From one choice to the next or the one before.
fn walk(event: &KeyboardEvent, step: Step) {
    let here = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    let there = here.and_then(|choice| match step {
        Step::Next => choice.next_element_sibling(),
        Step::Previous => choice.previous_element_sibling(),
    });
    if let Some(choice) = there.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        // A choice that takes no focus is passed by with the next key.
        let _ = choice.focus();
    }
}

/// What is known beside the choices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Past {
    consensus: Option<&'static str>,
    record: HashMap<String, u64>,
}

fn by_class(record: &TrackRecord) -> HashMap<String, u64> {
    record
        .last_closed
        .iter()
        .map(|one| (one.classification.clone(), one.count))
        .collect()
}

/// The verdict that every finding of an alert names.
fn consensus(alert: &AlertSummary) -> Option<&'static str> {
    let mut words = alert
        .finding_summary
        .iter()
        .filter_map(|f| f.verdict.as_deref());
    let first = words.next()?;
    if !words.all(|word| word == first) {
        return None;
    }
    ["malicious", "suspicious", "benign", "inconclusive"]
        .into_iter()
        .find(|word| *word == first)
}

/// Whether a verdict speaks for a classification.
fn speaks_for(verdict: &str, class: CloseClassification) -> bool {
    use CloseClassification as Class;
    match verdict {
        "malicious" | "suspicious" => class == Class::TruePositive,
        "benign" => matches!(class, Class::BenignPositive | Class::FalsePositiveLogic),
        "inconclusive" => class == Class::Undetermined,
        _ => false,
    }
}

fn choice(
    closing: Closing,
    past: RwSignal<Past>,
    number: usize,
    class: CloseClassification,
) -> impl IntoView {
    let (kind, why) = class
        .as_str()
        .split_once(" - ")
        .unwrap_or((class.as_str(), ""));
    let agents = move || {
        past.with(|past| past.consensus.filter(|word| speaks_for(word, class)))
            .map(|word| view! { <span class="close-dialog__agents">{format!("agents: {word}")}</span> })
    };
    let before = move || {
        past.with(|past| past.record.get(class.as_str()).copied())
            .map(|count| view! { <span class="close-dialog__past">{format!("{count} of the rule’s last")}</span> })
    };
    view! {
        <button
            type="button"
            class="close-dialog__choice"
            autofocus=number == 1
            aria-pressed=move || (closing.chosen.get() == Some(class)).to_string()
            on:click=move |_| closing.choose(class)
        >
            <kbd>{number}</kbd>
            <span>{kind}</span>
            <span class="close-dialog__why">{why}</span>
            <span class="close-dialog__space"></span>
            {agents}
            {before}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::alert_list::tests::alert;
    use calseta_contract::alert::FindingSummary;

    #[test]
    fn agents_that_disagree_have_no_consensus() {
        let finding = |verdict: Option<&str>| FindingSummary {
            agent: "a".to_owned(),
            verdict: verdict.map(str::to_owned),
        };
        let mut one = alert(1);
        assert_eq!(consensus(&one), None);
        one.finding_summary = vec![finding(Some("benign")), finding(None)];
        assert_eq!(consensus(&one), Some("benign"));
        one.finding_summary.push(finding(Some("malicious")));
        assert_eq!(consensus(&one), None);
        assert!(speaks_for("benign", CloseClassification::BenignPositive));
        assert!(!speaks_for("benign", CloseClassification::TruePositive));
    }
}
