//! The heads of the columns: a press sorts, the list's own order is one press further.

use calseta_domain::query::SortKey;
use leptos::prelude::*;

use super::display_menu::{sort_by, sort_of};
use crate::state::columns::{Column, Placed};
use crate::state::queue::Queue;

/// The line of heads, which stays at the top.
#[component]
pub(super) fn Head(columns: Memo<Vec<Placed>>) -> impl IntoView {
    let queue = Queue::expect();
    let sort = Memo::new(move |_| sort_of(&queue.q()));
    let cell = move |placed: Placed| head(queue, sort, placed.column);
    view! {
        <div class="row grid__head" role="row" aria-rowindex="1">
            {move || columns.get().into_iter().map(cell).collect_view()}
        </div>
    }
}

fn head(queue: Queue, sort: Memo<Option<SortKey>>, column: Column) -> impl IntoView {
    let field = column.sorts_by();
    let state = move || {
        let key = sort.get().filter(|key| Some(key.field) == field);
        match key {
            None => field.map(|_| "none"),
            Some(key) if key.is_descending => Some("descending"),
            Some(_) => Some("ascending"),
        }
    };
    let press = move |_| {
        let Some(field) = field else { return };
        let now = sort.get_untracked().filter(|key| key.field == field);
        let next = match now {
            None => Some(true),
            Some(key) if key.is_descending => Some(false),
            Some(_) => None,
        };
        let key = next.map(|is_descending| SortKey {
            field,
            is_descending,
        });
        sort_by(queue, key);
    };
    let shown = if column == Column::Severity {
        "Sev"
    } else {
        column.title()
    };
    let arrow = move || match state() {
        Some("descending") => " ↓",
        Some("ascending") => " ↑",
        _ => "",
    };
    view! {
        <span
            role="columnheader"
            class=format!("row__{}", column.word())
            aria-label=column.title()
            aria-sort=state
            title=column.title()
        >
            {match field {
                Some(_) => {
                    view! {
                        <button type="button" class="grid__sort" tabindex="-1" on:click=press>
                            {shown}
                            <span aria-hidden="true">{arrow}</span>
                        </button>
                    }
                        .into_any()
                }
                None => shown.into_any(),
            }}
        </span>
    }
}
