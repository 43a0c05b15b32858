//! The one place that writes to stderr.

use std::io::Write as _;

/// A sentence for a person.
pub(crate) fn say(text: &str) {
    // A closed stderr is no reason to stop.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
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
