//! The one place that writes to stderr.

use std::io::Write as _;

use tracing_subscriber::EnvFilter;

/// A sentence for a person.
pub(crate) fn say(text: &str) {
    // A closed stderr is no reason to stop.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Logs on stderr, at the level of `CALSETA_LOG` (default: info).
pub(crate) fn logging() {
    let filter = EnvFilter::try_from_env("CALSETA_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
    // Only a second call fails, and the first one's logging is as good.
    drop(started);
}

/// Text as it has to stand in markup, so that it is never taken for any.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
