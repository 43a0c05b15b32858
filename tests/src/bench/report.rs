//! The table and the JSON. The only place of the benchmark that prints.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

/// One line of the table.
#[derive(Debug)]
struct Row {
    what: String,
    figure: String,
    aim: &'static str,
}

/// What was measured so far.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    json: Map<String, Value>,
}

/// Says what is going on.
#[expect(clippy::print_stderr, reason = "the benchmark's one output module")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

impl Report {
    /// Adds a figure for people.
    pub fn line(&mut self, what: impl Into<String>, figure: impl Into<String>, aim: &'static str) {
        let row = Row {
            what: what.into(),
            figure: figure.into(),
            aim,
        };
        say(&format!("  {}: {}", row.what, row.figure));
        self.rows.push(row);
    }

    /// Adds figures for programs.
    pub fn put(&mut self, name: &str, value: Value) {
        self.json.insert(name.to_owned(), value);
    }

    /// Prints the table.
    #[expect(clippy::print_stdout, reason = "the benchmark's one output module")]
    pub fn print(&self) {
        let wide = |text: fn(&Row) -> &str| {
            let lengths = self.rows.iter().map(|row| text(row).chars().count());
            lengths.max().unwrap_or(0)
        };
        let (first, second) = (wide(|row| &row.what), wide(|row| &row.figure));
        println!();
        for row in &self.rows {
            let line = format!(
                "{:first$}  {:second$}  {}",
                row.what,
                row.figure,
                if row.aim.is_empty() {
                    String::new()
                } else {
                    format!("(aim: {})", row.aim)
                }
            );
            println!("{}", line.trim_end());
        }
    }

    /// Writes the JSON.
    pub fn write(self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&Value::Object(self.json))?;
        std::fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))
    }
}

/// Milliseconds with two decimals.
pub fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

/// p50, p95, p99 and the largest, in milliseconds.
pub fn percentiles(times: &mut [Duration]) -> Value {
    times.sort_unstable();
    let at = |percent: usize| {
        let index = (times.len() * percent).div_ceil(100).max(1) - 1;
        times.get(index).copied().map(millis)
    };
    json!({
        "p50_ms": at(50), "p95_ms": at(95), "p99_ms": at(99),
        "max_ms": times.last().copied().map(millis),
    })
}

/// The same as a text.
pub fn percentiles_text(values: &Value) -> String {
    let of = |name: &str| values[name].as_f64().unwrap_or(f64::NAN);
    format!(
        "p50 {:.2} · p95 {:.2} · p99 {:.2} · max {:.2} ms",
        of("p50_ms"),
        of("p95_ms"),
        of("p99_ms"),
        of("max_ms")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let mut times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        let values = percentiles(&mut times);
        assert_eq!(values["p50_ms"], 50.0);
        assert_eq!(values["p99_ms"], 99.0);
        assert_eq!(values["max_ms"], 100.0);
    }
}
