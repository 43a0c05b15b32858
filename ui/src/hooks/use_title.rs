//! The window's title: where one is, for the desktop's own list of windows.

use leptos::prelude::*;

/// The product, in every title.
const NAME: &str = "Calseta";

/// Keeps the title in step with a place's name while the calling view is on the screen.
pub(crate) fn use_title(place: impl Fn() -> Option<String> + 'static) {
    Effect::new(move |_| {
        let title = place().map_or_else(|| NAME.to_owned(), |place| format!("{place} — {NAME}"));
        document().set_title(&title);
    });
    on_cleanup(|| document().set_title(NAME));
}
