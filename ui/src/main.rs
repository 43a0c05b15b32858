//! The window of Calseta Console: the same views in the desktop shell and in a browser.
//!
//! Features fetch, components are dumb, and only `api` knows addresses and which of the two
//! transports is in use. Alert content is hostile: it reaches the page as text nodes only, through
//! `text::visible`. Read `app`, then `state::commands`, then `features::queue`.

#![expect(
    unreachable_pub,
    reason = "the component macro writes `pub` items whatever the component's visibility is"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "a component's properties are handed to it by value, and so is what it makes of them"
)]

mod api;
mod app;
mod components;
mod features;
mod hooks;
mod shell;
mod state;
mod text;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
}
