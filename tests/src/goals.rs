//! The lines of the fault suite's table: what was done for a goal, the figure that came out, its
//! limit, and what the goal's control did.
//!
//! A line is printed by its test and, when `cargo xtask faults` asks for it, kept for the table at
//! the end. The limits are what the tests themselves assert or, where they are times, what the
//! figure is to be read against: nothing here fails.

use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::{Value, json};

/// Names the file that lines are added to, one JSON object a line.
const TABLE_VARIABLE: &str = "CALSETA_FAULT_TABLE";
/// Says `long` when the long form is to be run.
const FORM_VARIABLE: &str = "CALSETA_FAULT_FORM";

#[expect(
    clippy::disallowed_methods,
    reason = "the suite's one place that reads settings"
)]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// One count for the form that every change passes, another for the long one.
pub fn many<T>(short: T, long: T) -> T {
    if setting(FORM_VARIABLE).is_some_and(|form| form == "long") {
        long
    } else {
        short
    }
}

/// What a goal's test has shown. `goal` is its number in the table, such as `D1`.
pub fn shown(goal: &str, done: impl Into<String>, figure: impl Into<String>, limit: &str) {
    keep(&json!({"goal": goal, "done": done.into(), "figure": figure.into(), "limit": limit}));
}

/// What became of the goal's control, which must have failed.
pub fn control(goal: &str, result: impl Into<String>) {
    keep(&json!({"goal": goal, "control": result.into()}));
}

#[expect(
    clippy::print_stdout,
    reason = "the figures of a run are read in its log"
)]
fn keep(line: &Value) {
    println!("goal {line}");
    let Some(path) = setting(TABLE_VARIABLE) else {
        return;
    };
    // One write a line: tests run side by side and in several programs.
    let kept = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    kept.expect("the table's file can be written");
}
