//! Where rows will be. Shown late, so that what comes quickly does not flicker.

use std::time::Duration;

use leptos::prelude::*;

/// What comes sooner than this needs no placeholder.
const PATIENCE: Duration = Duration::from_millis(120);

/// Grey lines in the shape of the list to come.
#[component]
pub(crate) fn Skeleton(
    /// How many.
    #[prop(default = 8)]
    lines: usize,
) -> impl IntoView {
    let late = RwSignal::new(false);
    let timer = set_timeout_with_handle(move || late.set(true), PATIENCE);
    if let Ok(handle) = timer {
        on_cleanup(move || handle.clear());
    }
    move || {
        late.get().then(|| {
            let line = |_| view! { <span class="skeleton__line"></span> };
            view! {
                <div class="skeleton" role="status" aria-label="Loading">
                    {(0..lines).map(line).collect_view()}
                </div>
            }
        })
    }
}
