//! The only place that writes to the terminal.
//!
//! Everything goes to standard output, one line at a time, so that a log of a whole run reads from
//! top to bottom in the order in which things happened.
#![expect(clippy::print_stdout, reason = "this is the one output module")]

use std::time::{Duration, Instant};

/// One thing being done, said when it starts and timed until it is done.
#[derive(Debug)]
pub(crate) struct Step {
    name: String,
    started: Instant,
}

/// Announces a step. What it took is printed by [`Step::done`].
pub(crate) fn step(name: &str) -> Step {
    println!("==> {name}");
    Step {
        name: name.to_owned(),
        started: Instant::now(),
    }
}

impl Step {
    /// Ends the step and says how long it took.
    pub(crate) fn done(self) -> Duration {
        let took = self.started.elapsed();
        println!("    {}: done in {}", self.name, seconds(took));
        took
    }
}

/// One line of text as it is.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A line that belongs to the step being done.
pub(crate) fn note(text: &str) {
    println!("    {text}");
}

/// What ended the program.
pub(crate) fn failure(text: &str) {
    println!("\nFAILED: {text}");
}

/// A link or another text that must not be overlooked.
pub(crate) fn highlight(label: &str, text: &str) {
    let rule = "=".repeat(72);
    println!("\n{rule}\n  {label}\n\n  {text}\n{rule}\n");
}

/// Seconds to a tenth, as they are printed everywhere.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
