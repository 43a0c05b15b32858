//! The one place that writes to stdout and stderr.

use std::io::{IsTerminal, Write};

use serde_json::Value;
use tracing_subscriber::EnvFilter;

/// One JSON object on stdout. A reader that went away is no error of ours.
pub(crate) fn line(value: &Value) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{value}"));
    drop(out.flush());
}

/// A sentence for a person on stderr.
pub(crate) fn say(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Logs on stderr, at the level of `CALSETA_LOG` (default: info).
pub(crate) fn logging() {
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
