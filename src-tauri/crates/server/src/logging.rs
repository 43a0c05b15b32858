//! Logs, for the window and the command line alike.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Logs on stderr, at the level of `CALSETA_LOG` (default: info). A second call changes nothing.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("CALSETA_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A file or a journal gets plain lines.
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    drop(started);
}
