//! The heads of the columns: a press sorts, with Shift beside what sorts already; the list's own
//! order is one press further.

use calseta_domain::query::SortKey;
use leptos::prelude::*;
use web_sys::MouseEvent;

use super::orders::{pressed, sort_by, sorts_of};
use crate::state::columns::{Column, Placed};
use crate::state::queue::Queue;

/// The line of heads, which stays at the top.
#[component]
pub(super) fn Head(columns: Memo<Vec<Placed>>) -> impl IntoView {
    let queue = Queue::expect();
    let sorts = Memo::new(move |_| sorts_of(&queue.q()));
    let cell = move |placed: Placed| head(queue, sorts, placed.column);
    view! {
        <div class="row grid__head" role="row" aria-rowindex="1">
            {move || columns.get().into_iter().map(cell).collect_view()}
        </div>
    }
}

fn head(queue: Queue, sorts: Memo<Vec<SortKey>>, column: Column) -> impl IntoView {
    let field = column.sorts_by();
    let key = move || {
        sorts.with(|all| {
            let at = all.iter().position(|key| Some(key.field) == field)?;
            Some((at, all.len(), all.get(at)?.is_descending))
        })
    };
    let state = move || match key() {
        None => field.map(|_| "none"),
        Some((_, _, true)) => Some("descending"),
        Some((_, _, false)) => Some("ascending"),
    };
    let press = move |event: MouseEvent| {
        if let Some(field) = field {
            let next = pressed(&sorts.get_untracked(), field, event.shift_key());
            sort_by(queue, next);
        }
    };
    let shown = if column == Column::Severity {
        "Sev"
    } else {
        column.title()
    };
    let arrow = move || {
        let (at, of, is_descending) = key()?;
        let arrow = if is_descending { "↓" } else { "↑" };
        let place = if of > 1 {
            (at + 1).to_string()
        } else {
            String::new()
        };
        Some(format!(" {arrow}{place}"))
    };
    let title = match field {
        Some(_) => format!(
            "{}: press to sort, Shift to sort by it, too",
            column.title()
        ),
        None => column.title().to_owned(),
    };
    view! {
        <span
            role="columnheader"
            class=format!("row__{}", column.word())
            aria-label=column.title()
            aria-sort=state
            title=title
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
