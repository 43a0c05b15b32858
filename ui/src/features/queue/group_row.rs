//! The head of a group: how many, how bad, over which time, and what became of its rule's alerts.

use calseta_contract::search::LastClosed;
use calseta_domain::Malice;
use calseta_domain::query::Group;
use leptos::prelude::*;

use super::grid::{group_id, px};
use crate::components::{Age, Glyph, Icon, SeverityGlyph, VerdictChip};
use crate::state::groups::GroupHead;
use crate::state::layout::Line;
use crate::state::queue::Queue;
use crate::text::{clip, visible};

/// A label is cut to this many characters.
const LABEL_CHARS: usize = 120;

/// `17 of last 20 closed as false positives`.
fn record(past: LastClosed) -> String {
    if past.of == 0 {
        "none closed lately".to_owned()
    } else {
        format!(
            "{} of last {} closed as false positives",
            past.false_positives, past.of
        )
    }
}

/// A line that folds its members, selects them and is acted on like them.
#[component]
pub(super) fn GroupRow(key: String, row_px: Memo<f64>) -> impl IntoView {
    let queue = Queue::expect();
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
        let is_picked =
            key.with_value(|key| queue.with_selection(|selection| selection.has_group(key)));
        is_picked
            || head.with(|head| {
                head.as_ref().is_some_and(|head| {
                    head.is_complete()
                        && !head.members.is_empty()
                        && queue
                            .with_selection(|one| head.members.iter().all(|id| one.contains(*id)))
                })
            })
    });
    let fold = move |_| {
        let is_collapsed = is_collapsed.get_untracked();
        key.with_value(|key| {
            queue.focus_group(key.clone());
            queue.fold(key, !is_collapsed);
        });
    };
    view! {
        <div
            id=move || group_id(place.get())
            class="group-row grid__row"
            class:group-row--none=move || head.with(|head| head.as_ref().is_some_and(|h| h.count == 0))
            role="row"
            attr:aria-level="1"
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
                {move || head.get().map(|head| facts(&head, queue.group()))}
            </span>
        </div>
    }
}

/// What is said of alerts that have nothing to be grouped by.
const fn nothing(group: Group) -> &'static str {
    match group {
        Group::Rule => "No rule",
        Group::Entity => "No account or address",
        Group::None | Group::Source | Group::Duplicate => "Nothing in common",
    }
}

fn facts(head: &GroupHead, group: Group) -> impl IntoView + use<> {
    let label = if head.label.is_empty() {
        nothing(group).to_owned()
    } else {
        visible(&head.label).into_owned()
    };
    let past = head.last_closed.map(record);
    let spread = head.oldest != head.newest;
    let (oldest, newest) = (head.oldest, head.newest);
    view! {
        <SeverityGlyph severity=head.worst />
        <span class="group-row__label" title=label.clone()>{clip(&label, LABEL_CHARS)}</span>
        <span class="group-row__count">{head.count}</span>
        {(head.verdict != Malice::Pending)
            .then(|| view! { <VerdictChip mark=head.verdict word=head.verdict.as_str() /> })}
        <span class="group-row__time" title="From the newest to the oldest">
            <Age at=newest />
            {spread.then(|| view! { "–" <Age at=oldest /> })}
        </span>
        <span class="group-row__past" title=past.clone()>{past.clone()}</span>
    }
}

/// Below the members that were read: that there are more. Coming to the screen reads them.
#[component]
pub(super) fn MoreRow(key: String, row_px: Memo<f64>) -> impl IntoView {
    let queue = Queue::expect();
    let key = StoredValue::new(key);
    let layout = queue.layout();
    let place = Memo::new(move |_| {
        let line = key.with_value(|key| Line::More(key.clone()));
        layout.with(|layout| layout.place(&line)).unwrap_or(0)
    });
    let read = Memo::new(move |_| {
        key.with_value(|key| layout.with(|layout| layout.group(key).map(|head| head.members.len())))
    });
    Effect::new(move |_| {
        // As long as it is seen, each page asks for the next.
        read.track();
        key.with_value(|key| queue.read_members(key));
    });
    let text = move || {
        let unread = key
            .with_value(|key| layout.with(|layout| layout.group(key).map_or(0, GroupHead::unread)));
        format!("{unread} more…")
    };
    view! {
        <div
            class="group-more"
            role="row"
            attr:aria-level="2"
            aria-rowindex=move || place.get() + 2
            style:transform=move || format!("translateY({})", px(place.get(), row_px.get()))
        >
            <span role="gridcell">{text}</span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_how_often_a_rule_was_wrong() {
        let past = LastClosed {
            of: 20,
            false_positives: 17,
        };
        assert_eq!(record(past), "17 of last 20 closed as false positives");
        assert_eq!(record(LastClosed::default()), "none closed lately");
    }
}
