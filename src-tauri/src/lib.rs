//! The desktop shell: the backend in this process, a window on it, and desktop notifications.
//!
//! It decides nothing about alerts. The window reaches the backend through one command, `api`,
//! and never over HTTP; a finding in the event log becomes a notification in `notifications`.
//! Read `boot` first.

mod api;
mod arguments;
mod boot;
mod failure;
mod lifecycle;
mod notifications;
mod output;
mod window;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;

/// Runs the program until its window is closed. Exit codes: 0 closed, 1 failed, 2 usage,
/// 3 data directory in use, 4 refused.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    calseta_server::log_to_stderr();
    ExitCode::from(boot::run(&arguments))
}
