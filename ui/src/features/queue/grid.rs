//! The virtual grid: only the rows on the screen are in the page, whatever the list's length.
//!
//! The focused row is always painted, even when it is scrolled away, so that the focus is never
//! lost to windowing. One row has `tabindex=0`: the grid is one stop for the Tab key.

use calseta_domain::AlertId;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{HtmlElement, ResizeObserver};

use super::row::Row;
use crate::components::Keys;
use crate::hooks::{scroll_to, window_of};
use crate::state::alert_list::AlertList;
use crate::state::queue::Queue;

/// The row's height when the stylesheet does not say.
const FALLBACK_ROW_PX: f64 = 28.0;
/// A list scrolled less than this is at its top.
const TOP_PX: f64 = 2.0;

/// Where the grid is scrolled to and how high it is.
#[derive(Clone, Copy)]
struct Scroll {
    top: RwSignal<f64>,
    height: RwSignal<f64>,
    row: RwSignal<f64>,
}

/// The list's rows, with a pill for what is new.
#[component]
pub(super) fn Grid() -> impl IntoView {
    let queue = Queue::expect();
    let node = NodeRef::<html::Div>::new();
    let scroll = Scroll {
        top: RwSignal::new(0.0),
        height: RwSignal::new(0.0),
        row: RwSignal::new(FALLBACK_ROW_PX),
    };
    observe(node, scroll);
    let count = Memo::new(move |_| queue.with(AlertList::len));
    let painted = Memo::new(move |_| {
        let window = window_of(
            count.get(),
            scroll.row.get(),
            scroll.top.get(),
            scroll.height.get(),
        );
        if window.wants_more {
            queue.read_more();
        }
        queue.with(|list| {
            let focused = queue.focused().and_then(|id| list.index_of(id));
            let outside = focused.filter(|index| !window.rows.contains(index));
            let indices = window.rows.clone().chain(outside);
            indices
                .filter_map(|index| list.id_at(index))
                .collect::<Vec<AlertId>>()
        })
    });
    keep_in_view(queue, node, scroll);
    view! {
        <div class="grid-frame">
        <NewPill />
        <div
            node_ref=node
            class="grid"
            role="grid"
            aria-label="Alerts"
            aria-rowcount=move || queue.total().map_or(count.get() + 1, |t| whole(t.count) + 1)
            on:scroll=move |event| {
                let top = f64::from(event_target::<HtmlElement>(&event).scroll_top());
                scroll.top.set(top);
                queue.set_at_top(top < TOP_PX);
            }
        >
            <Head />
            <div
                class="grid__rows"
                role="rowgroup"
                style:height=move || px(count.get(), scroll.row.get())
            >
                <For each=move || painted.get() key=|id| *id let:id>
                    <Row id row_px=scroll.row />
                </For>
            </div>
        </div>
        </div>
        <Foot />
    }
}

#[component]
fn Head() -> impl IntoView {
    let columns = [
        ("sev", "Severity", "Sev"),
        ("age", "Age", "Age"),
        ("title", "Alert", "Alert"),
        ("indicators", "Key indicators", "Key indicators"),
        ("verdict", "Verdict", "Verdict"),
        ("agents", "Agents", "Agents"),
        ("rule", "Rule", "Rule"),
        ("source", "Source", "Source"),
        ("status", "Status", "Status"),
    ];
    let cell = |(column, name, shown): (&'static str, &'static str, &'static str)| {
        view! {
            <span role="columnheader" class=format!("row__{column}") aria-label=name>
                {shown}
            </span>
        }
    };
    view! {
        <div class="row grid__head" role="row" aria-rowindex="1">
            {columns.map(cell).collect_view()}
        </div>
    }
}

/// `▲ 6 new (1 Critical)`: what waits, and the key that brings it in.
#[component]
fn NewPill() -> impl IntoView {
    let queue = Queue::expect();
    let text = Memo::new(move |_| {
        queue.with(|list| {
            let waiting = list.waiting();
            let worst = waiting.iter().map(|alert| alert.severity).max()?;
            let count = waiting
                .iter()
                .filter(|alert| alert.severity == worst)
                .count();
            let more = if list.is_waiting_partial() { "+" } else { "" };
            Some(format!("{}{more} new ({count} {worst})", waiting.len()))
        })
    });
    let merge = move |_| {
        queue.merge();
    };
    move || {
        text.get().map(|text| {
            view! {
                <button type="button" class="pill" data-command="queue.merge" on:click=merge>
                    <span aria-hidden="true">"▲ "</span>
                    {text}
                    <Keys sequence="." />
                </button>
            }
        })
    }
}

/// How many there are, in words.
#[component]
fn Foot() -> impl IntoView {
    let queue = Queue::expect();
    let text = move || {
        let loaded = queue.with(AlertList::len);
        match queue.total() {
            None => format!("{loaded} loaded, counting…"),
            Some(total) if total.is_capped => format!("{loaded} of more than {}", total.count),
            Some(total) if whole(total.count) <= loaded => plural(loaded),
            Some(total) => format!("{loaded} loaded of {}", total.count),
        }
    };
    view! { <p class="grid__foot">{text}</p> }
}

fn plural(count: usize) -> String {
    if count == 1 {
        "1 alert".to_owned()
    } else {
        format!("{count} alerts")
    }
}

/// Gives a row the page's focus once it is painted.
pub(super) fn focus_row(id: AlertId) {
    request_animation_frame(move || {
        let row = document().get_element_by_id(&row_id(id));
        if let Some(row) = row.and_then(|row| row.dyn_into::<HtmlElement>().ok()) {
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            // A row that is hidden behind an open alert takes no focus, and needs none.
            let _ = row.focus_with_options(&options);
        }
    });
}

/// A row's id in the page.
pub(super) fn row_id(id: AlertId) -> String {
    format!("row-{id}")
}

/// Scrolls so that the focused row is seen; only a change of the focus scrolls, never an event.
fn keep_in_view(queue: Queue, node: NodeRef<html::Div>, scroll: Scroll) {
    Effect::new(move |_| {
        let Some(id) = queue.focused() else { return };
        let Some(grid) = node.get_untracked() else {
            return;
        };
        let Some(index) = queue.peek(|list| list.index_of(id)) else {
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
            // Somebody who reads the alert beside the list keeps the focus there.
            if is_free(&grid) && queue.peek_focused() == Some(id) {
                focus_row(id);
            }
        });
    });
    hold_still(queue, node, scroll);
}

/// Whether the page's focus is in the grid, or nowhere.
fn is_free(grid: &HtmlElement) -> bool {
    document()
        .active_element()
        .is_none_or(|active| active.tag_name() == "BODY" || grid.contains(Some(&active)))
}

/// Rows that came in above the screen must not move what is on it.
fn hold_still(queue: Queue, node: NodeRef<html::Div>, scroll: Scroll) {
    let first_seen = StoredValue::new(None::<AlertId>);
    Effect::new(move |_| {
        queue.with(|_| ());
        let (row, top) = (scroll.row.get_untracked(), scroll.top.get_untracked());
        if let (Some(id), Some(grid)) = (first_seen.get_value(), node.get_untracked())
            && top >= TOP_PX
            && let Some(index) = queue.peek(|list| list.index_of(id))
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
        first_seen.set_value(queue.peek(|list| list.id_at(index)));
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
        scroll.row.set(row_height(&grid).unwrap_or(FALLBACK_ROW_PX));
        scroll.height.set(f64::from(grid.client_height()));
        let measured = grid.clone();
        let measure = Closure::<dyn FnMut()>::new(move || {
            scroll.height.try_set(f64::from(measured.client_height()));
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

fn row_height(grid: &HtmlElement) -> Option<f64> {
    let style = window().get_computed_style(grid).ok()??;
    let value = style.get_property_value("--row").ok()?;
    value.trim().strip_suffix("px")?.parse().ok()
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

fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
