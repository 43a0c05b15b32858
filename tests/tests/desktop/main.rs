//! The real window on a display, driven through WebDriver, with a real session bus.
//!
//! Run by `cargo xtask test` as `dbus-run-session -- xvfb-run …`: without a display, a bus, the
//! driver or the recorder these tests fail, they never skip. Screenshots are kept.

mod calls;
mod console;
mod desk;
mod ending;
mod main_job;
mod recorder;
mod told;
