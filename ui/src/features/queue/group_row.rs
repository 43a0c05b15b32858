//! The head of a group: how many, how bad, over which time, and what became of its rule's alerts.

use std::collections::HashMap;

use calseta_contract::related::TrackRecord;
use calseta_domain::query::Group;
use calseta_domain::{AlertId, Malice};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::grid::{group_id, px};
use crate::api;
use crate::components::{Age, Glyph, Icon, SeverityGlyph, VerdictChip};
use crate::state::layout::{GroupHead, Line};
use crate::state::queue::Queue;
use crate::text::{clip, visible};

/// A label is cut to this many characters.
const LABEL_CHARS: usize = 120;
/// Records of rules that are kept; more groups than that are on no screen.
const MAX_RECORDS: usize = 200;

/// What is known of the rules' past, by a group's key, as long as the window lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Records(RwSignal<HashMap<String, String>>);

impl Records {
    /// Provides none.
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new(HashMap::new())));
    }

    fn of(self, key: &str) -> Option<String> {
        self.0.with(|all| all.get(key).cloned())
    }

    /// Reads a rule's record by one of its alerts, once.
    fn read(self, key: String, member: AlertId) {
        if self
            .0
            .with_untracked(|all| all.contains_key(&key) || all.len() >= MAX_RECORDS)
        {
            return;
        }
        self.0.update(|all| {
            all.insert(key.clone(), String::new());
        });
        spawn_local(async move {
            // A group is a group without its rule's record.
            if let Ok(found) = api::related(member, 1).await {
                let text = found.track_record.as_ref().map(record).unwrap_or_default();
                self.0.update(|all| {
                    all.insert(key, text);
                });
            }
        });
    }
}

/// `17 of last 20 closed as false positives`.
fn record(record: &TrackRecord) -> String {
    let of: u64 = record.last_closed.iter().map(|one| one.count).sum();
    let false_positives: u64 = record
        .last_closed
        .iter()
        .filter(|one| one.classification.starts_with("False Positive"))
        .map(|one| one.count)
        .sum();
    if of == 0 {
        "none closed lately".to_owned()
    } else {
        format!("{false_positives} of last {of} closed as false positives")
    }
}

/// A line that folds its members, selects them and is acted on like them.
#[component]
pub(super) fn GroupRow(key: String, row_px: Memo<f64>) -> impl IntoView {
    let queue = Queue::expect();
    let records = use_context::<Records>();
    let key = StoredValue::new(key);
    let layout = queue.layout();
    let place = Memo::new(move |_| {
        let line = key.with_value(|key| Line::Head(key.clone()));
        layout.with(|layout| layout.place(&line)).unwrap_or(0)
    });
    let head =
        Memo::new(move |_| key.with_value(|key| layout.with(|layout| layout.group(key).cloned())));
    let is_focused =
        Memo::new(move |_| key.with_value(|key| queue.focused_group().as_ref() == Some(key)));
    let is_collapsed = Memo::new(move |_| key.with_value(|key| queue.is_collapsed(key)));
    let is_selected = Memo::new(move |_| {
        head.with(|head| {
            head.as_ref().is_some_and(|head| {
                queue.with_selection(|one| head.members.iter().all(|id| one.contains(*id)))
            })
        })
    });
    Effect::new(move |_| {
        let member = head.with(|head| head.as_ref().and_then(|h| h.members.first().copied()));
        let by_rule = queue.group() == Group::Rule && key.with_value(|key| !key.is_empty());
        if let (Some(records), Some(member), true) = (records, member, by_rule) {
            records.read(key.get_value(), member);
        }
    });
    let fold = move |_| {
        let is_collapsed = is_collapsed.get_untracked();
        key.with_value(|key| {
            queue.focus_group(key.clone());
            queue.fold(key, !is_collapsed);
        });
    };
    let past = move || {
        key.with_value(|key| records.and_then(|records| records.of(key)))
            .filter(|text| !text.is_empty() && queue.group() == Group::Rule)
    };
    view! {
        <div
            id=move || group_id(place.get())
            class="group-row grid__row"
            role="row"
            tabindex=move || if is_focused.get() || place.get() == 0 { "0" } else { "-1" }
            aria-rowindex=move || place.get() + 2
            aria-expanded=move || (!is_collapsed.get()).to_string()
            aria-selected=move || is_selected.get().to_string()
            style:transform=move || format!("translateY({})", px(place.get(), row_px.get()))
            on:focus=move |_| key.with_value(|key| queue.focus_group(key.clone()))
            on:click=fold
        >
            <span class="group-row__line" role="gridcell">
                {move || {
                    let glyph = if is_collapsed.get() { Glyph::Right } else { Glyph::Down };
                    view! { <Icon glyph /> }
                }}
                {move || head.get().map(|head| facts(&head))}
                <span class="group-row__past">{past}</span>
            </span>
        </div>
    }
}

fn facts(head: &GroupHead) -> impl IntoView + use<> {
    let label = visible(&head.label).into_owned();
    let count = head.members.len();
    let spread = head.oldest != head.newest;
    let (oldest, newest) = (head.oldest, head.newest);
    view! {
        <SeverityGlyph severity=head.worst />
        <span class="group-row__label" title=label.clone()>{clip(&label, LABEL_CHARS)}</span>
        <span class="group-row__count">{count}</span>
        {(head.verdict != Malice::Pending)
            .then(|| view! { <VerdictChip mark=head.verdict word=head.verdict.as_str() /> })}
        <span class="group-row__time">
            <Age at=newest />
            {spread.then(|| view! { "–" <Age at=oldest /> })}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calseta_contract::related::ClassificationCount;

    #[test]
    fn a_record_says_how_often_a_rule_was_wrong() {
        let count = |classification: &str, count| ClassificationCount {
            classification: classification.to_owned(),
            count,
        };
        let past = TrackRecord {
            last_closed: vec![
                count("False Positive - Inaccurate Data", 15),
                count("Undetermined", 3),
                count("False Positive - Incorrect Detection Logic", 2),
            ],
            ..TrackRecord::default()
        };
        assert_eq!(record(&past), "17 of last 20 closed as false positives");
        assert_eq!(record(&TrackRecord::default()), "none closed lately");
    }
}
