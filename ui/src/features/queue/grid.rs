//! The virtual grid: only the rows on the screen are in the page, whatever the list's length.
//!
//! The focused row is always painted, even when it is scrolled away, so that the focus is never
//! lost to windowing. One row has `tabindex=0`: the grid is one stop for the Tab key.

use calseta_domain::AlertId;
use calseta_domain::query::Group;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{HtmlElement, ResizeObserver};

use super::foot::{Foot, NewPill};
use super::group_row::{GroupRow, MoreRow};
use super::head::Head;
use super::peek::Peek;
use super::row::Row;
use crate::hooks::{scroll_to, window_of};
use crate::state::columns::{fit, template};
use crate::state::layout::{Layout, Line};
use crate::state::preferences::Preferences;
use crate::state::queue::Queue;

/// A list scrolled less than this is at its top.
const TOP_PX: f64 = 2.0;

/// Where the grid is scrolled to and how high it is.
#[derive(Clone, Copy)]
struct Scroll {
    top: RwSignal<f64>,
    height: RwSignal<f64>,
    width: RwSignal<u32>,
    row: Memo<f64>,
}

/// The list's lines, with a pill for what is new.
#[component]
pub(super) fn Grid() -> impl IntoView {
    let queue = Queue::expect();
    let preferences = Preferences::expect();
    let density = preferences.part(|choices| choices.density);
    let node = NodeRef::<html::Div>::new();
    let scroll = Scroll {
        top: RwSignal::new(0.0),
        height: RwSignal::new(0.0),
        width: RwSignal::new(0),
        row: Memo::new(move |_| density.get().row_px()),
    };
    observe(node, scroll);
    let layout = queue.layout();
    let count = Memo::new(move |_| layout.with(Layout::len));
    let columns = Memo::new(move |_| {
        preferences.with(|choices| fit(&choices.columns, &choices.widths, scroll.width.get()))
    });
    let painted = Memo::new(move |_| painted_lines(queue, scroll));
    keep_in_view(queue, node, scroll);
    let rows = move || {
        let loaded = count.get() + 1;
        queue
            .total()
            .map_or(loaded, |t| loaded.max(whole(t.count) + 1))
    };
    // Rows that unfold make a tree of it (WAI-ARIA: a grid's rows have no expanded state).
    let is_grouped = move || queue.group() != Group::None;
    view! {
        <div class="grid-frame">
            <NewPill />
            <div
                node_ref=node
                class="grid"
                role=move || if is_grouped() { "treegrid" } else { "grid" }
                aria-label="Alerts"
                aria-multiselectable="true"
                aria-rowcount=rows
                aria-colcount=move || columns.with(Vec::len)
                aria-busy=move || queue.is_loading().to_string()
                style:--columns=move || columns.with(|columns| template(columns))
                on:scroll=move |event| {
                    let top = f64::from(event_target::<HtmlElement>(&event).scroll_top());
                    scroll.top.set(top);
                    queue.set_at_top(top < TOP_PX);
                }
            >
                <Head columns />
                <div
                    class="grid__rows"
                    role="rowgroup"
                    style:height=move || px(count.get(), scroll.row.get())
                >
                    <For each=move || painted.get() key=Line::clone let:line>
                        {match line {
                            Line::Row(id) => view! { <Row id columns row_px=scroll.row /> }.into_any(),
                            Line::Head(key) => view! { <GroupRow key row_px=scroll.row /> }.into_any(),
                            Line::Peek(id) => view! { <Peek id row_px=scroll.row /> }.into_any(),
                            Line::More(key) => view! { <MoreRow key row_px=scroll.row /> }.into_any(),
                            Line::Below => ().into_any(),
                        }}
                    </For>
                </div>
            </div>
        </div>
        <Foot />
    }
}

/// The lines on and around the screen, and the focused one wherever it is.
fn painted_lines(queue: Queue, scroll: Scroll) -> Vec<Line> {
    queue.layout().with(|layout| {
        let window = window_of(
            layout.len(),
            scroll.row.get(),
            scroll.top.get(),
            scroll.height.get(),
        );
        if window.wants_more {
            queue.read_more();
        }
        let focused = queue.focused_line().and_then(|line| layout.place(&line));
        let outside = focused.filter(|index| !window.rows.contains(index));
        // In the order of the screen: a line that changes its place in the page loses the focus.
        let mut indices: Vec<usize> = window.rows.clone().chain(outside).collect();
        indices.sort_unstable();
        indices
            .into_iter()
            .filter_map(|index| layout.line(index).cloned())
            .filter(|line| *line != Line::Below)
            .collect()
    })
}

/// Gives a row the page's focus once it is painted.
pub(super) fn focus_row(id: AlertId) {
    focus_element(row_id(id));
}

/// Gives a line the page's focus: at once when it is painted, so that the next key finds it there.
pub(super) fn focus_line(queue: Queue, line: &Line) {
    let place = |line: &Line| {
        queue
            .layout()
            .with_untracked(|layout| layout.place(line))
            .map(group_id)
    };
    let element = match line {
        Line::Row(id) => Some(row_id(*id)),
        Line::Head(_) => place(line),
        Line::Peek(_) | Line::Below | Line::More(_) => None,
    };
    if let Some(element) = element {
        focus_element(element);
    }
}

fn focus_element(id: String) {
    if !takes_focus(&id) {
        request_animation_frame(move || {
            takes_focus(&id);
        });
    }
}

/// Whether an element was there and took the focus.
fn takes_focus(id: &str) -> bool {
    let row = document().get_element_by_id(id);
    let Some(row) = row.and_then(|row| row.dyn_into::<HtmlElement>().ok()) else {
        return false;
    };
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    // A row that is hidden behind an open alert takes no focus, and needs none; one that an alert
    // has covered until now takes it a frame later.
    let _ = row.focus_with_options(&options);
    document()
        .active_element()
        .is_some_and(|active| active.id() == id)
}

/// A row's id in the page.
pub(super) fn row_id(id: AlertId) -> String {
    format!("row-{id}")
}

/// The id of a group's head in the page: keys are hostile text, so it is their number of the moment.
pub(super) fn group_id(place: usize) -> String {
    format!("group-{place}")
}

/// Scrolls so that the focused row is seen; only a change of the focus scrolls, never an event.
fn keep_in_view(queue: Queue, node: NodeRef<html::Div>, scroll: Scroll) {
    Effect::new(move |_| {
        let Some(line) = queue.focused_line() else {
            return;
        };
        let Some(grid) = node.get_untracked() else {
            return;
        };
        let layout = queue.layout();
        let Some(index) = layout.with_untracked(|layout| layout.place(&line)) else {
            return;
        };
        let (row, top) = (scroll.row.get_untracked(), f64::from(grid.scroll_top()));
        let height = f64::from(grid.client_height());
        if let Some(top) = scroll_to(index, row, top, height, row) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a browser's scroll is an i32"
            )]
            grid.set_scroll_top(top as i32);
        }
        request_animation_frame(move || {
            // Somebody who reads the alert beside the list, or writes, keeps the focus there.
            if is_free(&grid) && untrack(|| queue.focused_line()).as_ref() == Some(&line) {
                focus_line(queue, &line);
            }
        });
    });
    hold_focus(queue, node);
    hold_still(queue, node, scroll);
}

/// What keys act on has the page's focus, whatever was painted meanwhile.
fn hold_focus(queue: Queue, node: NodeRef<html::Div>) {
    let layout = queue.layout();
    Effect::new(move |_| {
        layout.track();
        request_animation_frame(move || {
            let is_lost = document()
                .active_element()
                .is_none_or(|active| active.tag_name() == "BODY");
            if !is_lost || node.try_get_untracked().flatten().is_none() {
                return;
            }
            if let Some(line) = untrack(|| queue.focused_line()) {
                focus_line(queue, &line);
            }
        });
    });
}

/// Whether the page's focus is in the grid, or nowhere.
fn is_free(grid: &HtmlElement) -> bool {
    document()
        .active_element()
        .is_none_or(|active| active.tag_name() == "BODY" || grid.contains(Some(&active)))
}

/// Rows that came in above the screen must not move what is on it.
fn hold_still(queue: Queue, node: NodeRef<html::Div>, scroll: Scroll) {
    let first_seen = StoredValue::new(None::<Line>);
    let layout = queue.layout();
    Effect::new(move |_| {
        layout.track();
        let (row, top) = (scroll.row.get_untracked(), scroll.top.get_untracked());
        if let (Some(line), Some(grid)) = (first_seen.get_value(), node.get_untracked())
            && top >= TOP_PX
            && let Some(index) = layout.with_untracked(|layout| layout.place(&line))
        {
            let (at, was) = (index_px(index, row), (top / row).floor() * row);
            if (at - was).abs() >= row {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a browser's scroll is an i32"
                )]
                grid.set_scroll_top((top + at - was) as i32);
            }
        }
    });
    Effect::new(move |_| {
        let top = scroll.top.get();
        let index = first_row(top, scroll.row.get_untracked());
        first_seen.set_value(layout.with_untracked(|layout| layout.line(index).cloned()));
    });
}

fn first_row(top: f64, row: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a scroll position is neither negative nor beyond 2^31"
    )]
    let index = (top / row).max(0.0) as usize;
    index
}

/// Follows the grid's size and reads the row's height from the stylesheet.
fn observe(node: NodeRef<html::Div>, scroll: Scroll) {
    let observer = StoredValue::new_local(None::<(ResizeObserver, Closure<dyn FnMut()>)>);
    Effect::new(move |_| {
        let Some(grid) = node.get() else { return };
        scroll.height.set(f64::from(grid.client_height()));
        scroll.width.set(grid.client_width().unsigned_abs());
        let measured = grid.clone();
        let measure = Closure::<dyn FnMut()>::new(move || {
            scroll.height.try_set(f64::from(measured.client_height()));
            scroll.width.try_set(measured.client_width().unsigned_abs());
        });
        if let Ok(watch) = ResizeObserver::new(measure.as_ref().unchecked_ref()) {
            watch.observe(&grid);
            observer.set_value(Some((watch, measure)));
        }
    });
    on_cleanup(move || {
        observer.try_update_value(|held| {
            if let Some((watch, _)) = held.take() {
                watch.disconnect();
            }
        });
    });
}

/// A number of rows in CSS pixels.
pub(super) fn px(rows: usize, row_px: f64) -> String {
    format!("{}px", index_px(rows, row_px))
}

fn index_px(index: usize, row_px: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "row numbers are far below 2^52")]
    let top = index as f64 * row_px;
    top
}

pub(super) fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
