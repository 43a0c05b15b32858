//! The order of the rows: one key, and others where the first ties. It is part of the query.

use calseta_domain::Timestamp;
use calseta_domain::query::{Query, Sort, SortField, SortKey, with_sort};
use leptos::prelude::*;

use crate::components::Button;
use crate::state::clock::now_ms;
use crate::state::queue::Queue;

/// Keys that the menu sets; a query takes more.
const MENU_KEYS: usize = 3;

/// The keys of a query's order, the first one first; none when it is as accepted.
pub(super) fn sorts_of(q: &str) -> Vec<SortKey> {
    let query = Query::parse(q, Timestamp::from_millis(now_ms())).ok();
    query
        .and_then(|query| query.sort)
        .map_or_else(Vec::new, |sort| sort.keys)
}

/// Orders the list by these keys, or as it was accepted.
pub(super) fn sort_by(queue: Queue, keys: Vec<SortKey>) {
    let sort = (!keys.is_empty()).then_some(Sort { keys });
    // A query with another order is a query.
    let _ = queue.set_q(&with_sort(&queue.peek_q(), sort.as_ref()));
}

/// What a press on a column's head makes of an order: downwards, upwards, not at all. Alone it
/// becomes the only key; `added`, it joins those that are there.
pub(super) fn pressed(keys: &[SortKey], field: SortField, added: bool) -> Vec<SortKey> {
    let at = keys.iter().position(|key| key.field == field);
    let next = match at.and_then(|at| keys.get(at)) {
        None => Some(true),
        Some(key) if key.is_descending => Some(false),
        Some(_) => None,
    };
    let key = next.map(|is_descending| SortKey {
        field,
        is_descending,
    });
    if !added {
        return key.into_iter().collect();
    }
    placed(keys, at.unwrap_or(keys.len()), key)
}

/// An order with another key in one place; without a key, without that place.
fn placed(keys: &[SortKey], slot: usize, key: Option<SortKey>) -> Vec<SortKey> {
    let mut all = keys.to_vec();
    match key {
        Some(key) => {
            if let Some(there) = all.get_mut(slot) {
                *there = key;
            } else {
                all.push(key);
            }
        }
        None if slot < all.len() => {
            all.remove(slot);
        }
        None => {}
    }
    // A field that is named twice decides by its first place.
    let mut seen = Vec::new();
    all.retain(|key| {
        let is_new = !seen.contains(&key.field);
        seen.push(key.field);
        is_new
    });
    all
}

/// A line a key, and one more to add.
#[component]
pub(super) fn Orders() -> impl IntoView {
    let queue = Queue::expect();
    let sorts = Memo::new(move |_| sorts_of(&queue.q()));
    let lines = Memo::new(move |_| sorts.with(Vec::len).min(MENU_KEYS - 1) + 1);
    view! {
        <fieldset class="display__part">
            <legend>"Order"</legend>
            {move || (0..lines.get()).map(|slot| view! { <SortLine place=slot sorts /> }).collect_view()}
        </fieldset>
    }
}

#[component]
fn SortLine(place: usize, sorts: Memo<Vec<SortKey>>) -> impl IntoView {
    let queue = Queue::expect();
    let key = Memo::new(move |_| sorts.with(|all| all.get(place).copied()));
    let field = move || key.get().map_or("", |key| key.field.as_str());
    let choose = move |word: &str| {
        let field = SortField::ALL.iter().find(|field| field.as_str() == word);
        let key = field.map(|field| SortKey {
            field: *field,
            is_descending: true,
        });
        sort_by(queue, placed(&sorts.get_untracked(), place, key));
    };
    let turn = move |()| {
        if let Some(key) = key.get_untracked() {
            let turned = SortKey {
                is_descending: !key.is_descending,
                ..key
            };
            sort_by(queue, placed(&sorts.get_untracked(), place, Some(turned)));
        }
    };
    let direction = move || {
        let is_descending = key.get().is_none_or(|key| key.is_descending);
        if is_descending {
            "Descending"
        } else {
            "Ascending"
        }
        .to_owned()
    };
    let (label, nothing) = if place == 0 {
        ("Sort by", "Newest accepted first")
    } else {
        ("Then by", "Then by…")
    };
    let option =
        |field: &SortField| view! { <option value=field.as_str()>{sort_title(*field)}</option> };
    view! {
        <div class="display__choices">
            <select
                class="field__input"
                aria-label=label
                prop:value=field
                on:change=move |event| choose(&event_target_value(&event))
            >
                <option value="">{nothing}</option>
                {SortField::ALL.iter().map(option).collect_view()}
            </select>
            <Button
                label=Signal::derive(direction)
                disabled=Signal::derive(move || key.get().is_none())
                on_press=turn
            />
        </div>
    }
}

fn sort_title(field: SortField) -> &'static str {
    match field {
        SortField::Ingested => "Accepted",
        SortField::Occurred => "Occurred",
        SortField::Updated => "Updated",
        SortField::Severity => "Severity",
        SortField::Status => "Status",
        SortField::Source => "Source",
        SortField::Title => "Title",
        SortField::Malice => "Verdict",
        SortField::Duplicates => "Repeats",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(keys: &[SortKey]) -> String {
        with_sort(
            "",
            Some(&Sort {
                keys: keys.to_vec(),
            }),
        )
    }

    #[test]
    fn a_head_goes_down_up_and_away_alone_or_beside_others() {
        let once = pressed(&[], SortField::Severity, false);
        assert_eq!(spelled(&once), "sort:-sev");
        let twice = pressed(&once, SortField::Severity, false);
        assert_eq!(spelled(&twice), "sort:sev");
        assert!(pressed(&twice, SortField::Severity, false).is_empty());
        let both = pressed(&once, SortField::Occurred, true);
        assert_eq!(spelled(&both), "sort:-sev,-occurred");
        let turned = pressed(&both, SortField::Severity, true);
        assert_eq!(spelled(&turned), "sort:sev,-occurred");
        let less = pressed(&turned, SortField::Severity, true);
        assert_eq!(spelled(&less), "sort:-occurred");
        assert_eq!(
            spelled(&pressed(&both, SortField::Title, false)),
            "sort:-title"
        );
    }

    #[test]
    fn a_place_takes_a_key_and_a_field_stands_once() {
        let down = |field| SortKey {
            field,
            is_descending: true,
        };
        let keys = [down(SortField::Severity), down(SortField::Occurred)];
        let same = placed(&keys, 1, Some(down(SortField::Severity)));
        assert_eq!(spelled(&same), "sort:-sev");
        assert_eq!(spelled(&placed(&keys, 0, None)), "sort:-occurred");
    }
}
