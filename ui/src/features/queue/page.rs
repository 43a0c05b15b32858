//! The queue's page: the list, and beside or over it the alert that is open.

use leptos::prelude::*;
use leptos_router::components::Outlet;

use super::bulk_bar::BulkBar;
use super::display_menu::DisplayMenu;
use super::empty::{EmptyFilter, EmptyProduct};
use super::facets::Facets;
use super::grid::Grid;
use super::query_bar::QueryBar;
use super::shortcuts;
use super::views_menu::ViewsMenu;
use crate::components::{ButtonKind, CommandButton, FailureBanner, Glyph, Skeleton, SplitHandle};
use crate::hooks::use_title;
use crate::state::preferences::Preferences;
use crate::state::queue::Queue;
use crate::state::views::Views;
use crate::text::{clip, visible};

/// An alert's title in the window's title is cut to this many characters.
const TITLE_CHARS: usize = 60;

/// List and outlet. Which of the two is seen at which width is the stylesheet's business.
#[component]
pub(crate) fn QueuePage() -> impl IntoView {
    let queue = Queue::expect();
    let views = Views::expect();
    let preferences = Preferences::expect();
    shortcuts::register(queue);
    use_title(move || {
        let open = queue.open().and_then(|id| queue.row(id));
        Some(open.map_or_else(
            || match views.current() {
                Some(view) => format!("Queue: {}", visible(&view.name)),
                None => "Queue".to_owned(),
            },
            |row| clip(&visible(&row.alert.title), TITLE_CHARS),
        ))
    });
    let split = move || {
        if queue.open().is_some() {
            "open"
        } else {
            "closed"
        }
    };
    let share = preferences.part(|choices| choices.split);
    let facets = preferences.part(|choices| choices.facets);
    view! {
        <div
            class="split"
            data-detail=split
            style:--list-share=move || format!("{}fr", share.get())
            style:--detail-share=move || format!("{}fr", 100 - share.get())
        >
            <section class="queue" aria-label="Queue">
                <h1 class="visually-hidden">"Queue"</h1>
                <Bars />
                {move || {
                    queue
                        .failure()
                        .map(|failure| {
                            view! {
                                <FailureBanner
                                    failure
                                    what="The queue could not be read"
                                    on_retry=move |()| queue.reload()
                                />
                            }
                        })
                }}
                <div class="queue__body">
                    <Show when=move || facets.get()>
                        <Facets />
                    </Show>
                    <div class="queue__list">
                        <List />
                    </div>
                </div>
            </section>
            <Show when=move || queue.open().is_some()>
                <SplitHandle />
            </Show>
            <Outlet />
        </div>
    }
}

/// The filter bar; while something is selected, what can be done to it.
#[component]
fn Bars() -> impl IntoView {
    let queue = Queue::expect();
    let has_selection = Memo::new(move |_| queue.with_selection(|one| !one.is_empty()));
    view! {
        <div class="bars" class:bars--bulk=move || has_selection.get()>
            <div class="bars__filter" inert=move || has_selection.get()>
                <ViewsMenu />
                <QueryBar />
                <CommandButton id="queue.facets" label="Facets" kind=ButtonKind::Quiet glyph=Glyph::Facets />
                <DisplayMenu />
                <CommandButton id="queue.refresh" label="" kind=ButtonKind::Quiet glyph=Glyph::Refresh />
            </div>
            <Show when=move || has_selection.get()>
                <BulkBar />
            </Show>
        </div>
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Showing {
    Rows,
    Loading,
    NoAlerts,
    NoMatches,
    Failed,
}

#[component]
fn List() -> impl IntoView {
    let queue = Queue::expect();
    let showing = Memo::new(move |_| {
        let empty = queue.with(|list| list.is_empty() && list.waiting().is_empty());
        match () {
            () if !empty => Showing::Rows,
            () if queue.is_loading() => Showing::Loading,
            () if queue.failure().is_some() => Showing::Failed,
            () if queue.is_product_empty() => Showing::NoAlerts,
            () => Showing::NoMatches,
        }
    });
    move || match showing.get() {
        Showing::Rows => view! { <Grid /> }.into_any(),
        Showing::Loading => view! { <Skeleton lines=14 /> }.into_any(),
        Showing::NoAlerts => view! { <EmptyProduct /> }.into_any(),
        Showing::NoMatches => view! { <EmptyFilter /> }.into_any(),
        Showing::Failed => ().into_any(),
    }
}
