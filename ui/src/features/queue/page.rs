//! The queue's page: the list, and beside or over it the alert that is open.

use leptos::prelude::*;
use leptos_router::components::Outlet;

use super::empty::{EmptyFilter, EmptyProduct};
use super::filters::FilterBar;
use super::grid::Grid;
use super::shortcuts;
use crate::components::{FailureBanner, Skeleton};
use crate::hooks::use_title;
use crate::state::queue::Queue;
use crate::text::{clip, visible};

/// An alert's title in the window's title is cut to this many characters.
const TITLE_CHARS: usize = 60;

/// List and outlet. Which of the two is seen at which width is the stylesheet's business.
#[component]
pub(crate) fn QueuePage() -> impl IntoView {
    let queue = Queue::expect();
    shortcuts::register(queue);
    use_title(move || {
        let open = queue.open().and_then(|id| queue.row(id));
        Some(open.map_or_else(
            || "Queue".to_owned(),
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
    view! {
        <div class="split" data-detail=split>
            <section class="queue" aria-label="Queue">
                <h1 class="visually-hidden">"Queue"</h1>
                <FilterBar />
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
                <List />
            </section>
            <Outlet />
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
