//! One alert in one line. What its cells show is in [`super::cells`].

use calseta_domain::AlertId;
use calseta_domain::query::Group;
use leptos::prelude::*;
use web_sys::MouseEvent;

use super::cells::{cell, label};
use super::grid::{px, row_id};
use crate::state::columns::Placed;
use crate::state::layout::{Layout, Line};
use crate::state::places::Places;
use crate::state::queue::Queue;

/// A row, absolutely placed by its line.
#[component]
pub(super) fn Row(id: AlertId, columns: Memo<Vec<Placed>>, row_px: Memo<f64>) -> impl IntoView {
    let queue = Queue::expect();
    let places = Places::expect();
    let layout = queue.layout();
    let line = Memo::new(move |_| {
        layout
            .with(|layout| layout.place(&Line::Row(id)))
            .unwrap_or(0)
    });
    let row = Memo::new(move |_| queue.row(id));
    let is_focused = Memo::new(move |_| queue.focused() == Some(id));
    let is_open = Memo::new(move |_| queue.open() == Some(id));
    let is_selected = Memo::new(move |_| queue.with_selection(|one| one.contains(id)));
    // One stop for the Tab key: the focused row, else the first.
    let is_stop = move || is_focused.get() || (queue.focused_line().is_none() && line.get() == 0);
    let changes = Memo::new(move |_| row.with(|row| row.as_ref().map_or(0, |row| row.changes)));
    let gone = Memo::new(move |_| row.with(|row| row.as_ref().is_some_and(|r| r.gone.is_some())));
    let assumed = Memo::new(move |_| {
        row.with(|row| {
            row.as_ref()
                .is_some_and(crate::state::alert_list::AlertRow::is_assumed)
        })
    });
    let unread =
        Memo::new(move |_| row.with(|row| row.as_ref().is_some_and(|r| r.alert.is_unread)));
    let press = move |event: MouseEvent| press(queue, places, id, &event);
    view! {
        <div
            id=row_id(id)
            class="row grid__row"
            class:row--tint-odd=move || changes.get() % 2 == 1
            class:row--tint-even=move || { changes.get() > 0 && changes.get() % 2 == 0 }
            class:row--gone=move || gone.get()
            class:row--open=move || is_open.get()
            class:row--focused=move || is_focused.get()
            class:row--assumed=move || assumed.get()
            class:row--unread=move || unread.get()
            role="row"
            attr:aria-level=move || (queue.group() != Group::None).then_some("2")
            tabindex=move || if is_stop() { "0" } else { "-1" }
            aria-rowindex=move || line.get() + 2
            aria-selected=move || is_selected.get().to_string()
            aria-current=move || is_open.get().then_some("true")
            aria-label=move || row.with(|row| row.as_ref().map(|row| label(&row.alert)))
            style:transform=move || format!("translateY({})", px(line.get(), row_px.get()))
            on:focus=move |_| queue.focus(Some(id))
            on:click=press
        >
            {move || {
                let columns = columns.get();
                row.get()
                    .map(|row| {
                        columns
                            .into_iter()
                            .map(|placed| cell(placed.column, id, &row, is_selected))
                            .collect_view()
                    })
            }}
        </div>
    }
}

/// Opens an alert; with Shift or Ctrl selects it.
fn press(queue: Queue, places: Places, id: AlertId, event: &MouseEvent) {
    if event.shift_key() {
        let order = queue.layout().with_untracked(Layout::shown_rows);
        let from = queue.peek_focused().unwrap_or(id);
        queue.select(|selection| selection.extend(from, id, &order));
        queue.focus(Some(id));
    } else if event.ctrl_key() || event.meta_key() {
        queue.select(|selection| selection.toggle(id));
        queue.focus(Some(id));
    } else {
        queue.focus(Some(id));
        places.alert(id);
    }
}
