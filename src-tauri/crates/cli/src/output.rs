//! The one place that writes to stdout and stderr.

use std::io::Write;

use serde_json::Value;

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
