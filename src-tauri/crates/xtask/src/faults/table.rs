//! The table at the end: a goal's lines, or that it has none.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;

use super::goals::{GOALS, Goal, Holder};

/// What was shown for one goal.
#[derive(Debug, Default)]
struct Shown {
    /// What was done, the figure and its limit, a line each.
    lines: Vec<[String; 3]>,
    controls: Vec<String>,
}

/// Everything that was shown.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<String, Shown>);

impl Table {
    /// Reads what the tests wrote, one JSON object a line.
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut table = Self::default();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).context("a line of the table")?;
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let goal = text("goal");
            if !GOALS.iter().any(|known| known.number == goal) {
                bail!("a test wrote of the goal `{goal}`, which nobody knows");
            }
            let shown = table.0.entry(goal).or_default();
            if line["control"].is_string() {
                shown.controls.push(text("control"));
            } else {
                shown
                    .lines
                    .push([text("done"), text("figure"), text("limit")]);
            }
        }
        Ok(table)
    }

    /// Adds the tests inside the packages that hold a goal.
    pub(super) fn add(&mut self, goal: &Goal, passed: u64) {
        if passed > 0 {
            let line = [
                format!("{passed} tests inside the packages"),
                "all passed".to_owned(),
                String::new(),
            ];
            self.0
                .entry(goal.number.to_owned())
                .or_default()
                .lines
                .push(line);
        }
    }

    /// The goals that were not shown, or whose control was not.
    pub(super) fn missing(&self) -> Vec<String> {
        let lacks = |goal: &Goal| match self.0.get(goal.number) {
            None => Some(goal.number.to_owned()),
            Some(shown) if shown.lines.is_empty() => Some(goal.number.to_owned()),
            Some(shown) if goal.wants_control && shown.controls.is_empty() => {
                Some(format!("{}'s control", goal.number))
            }
            Some(_) => None,
        };
        GOALS.iter().filter_map(lacks).collect()
    }

    /// The lines to print.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut rows =
            vec![["goal", "what was done", "figure", "limit", "control"].map(str::to_owned)];
        for goal in GOALS {
            rows.extend(self.rows(goal));
        }
        let width = |column: usize| {
            let lengths = rows.iter().map(|row| row[column].chars().count());
            lengths.max().unwrap_or(0)
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let line = |row: &[String; 5]| {
            let cells = row
                .iter()
                .zip(widths)
                .map(|(cell, wide)| format!("{cell:wide$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        rows.iter().map(line).collect()
    }

    fn rows(&self, goal: &Goal) -> Vec<[String; 5]> {
        let nothing = Shown::default();
        let shown = self.0.get(goal.number).unwrap_or(&nothing);
        let mut lines = shown.lines.clone();
        if lines.is_empty() {
            lines.push([goal.what.to_owned(), missing(goal), String::new()]);
        }
        let mut controls = shown.controls.clone();
        if controls.is_empty() && goal.wants_control && !shown.lines.is_empty() {
            controls.push("MISSING".to_owned());
        }
        let height = lines.len().max(controls.len());
        let cell = |cells: Option<&String>| cells.cloned().unwrap_or_default();
        let row = |at: usize| {
            let [done, figure, limit] = lines.get(at).cloned().unwrap_or_default();
            let number = if at == 0 { goal.number } else { "" };
            [
                number.to_owned(),
                done,
                figure,
                limit,
                cell(controls.get(at)),
            ]
        };
        (0..height).map(row).collect()
    }
}

fn missing(goal: &Goal) -> String {
    match goal.holder {
        Holder::Product => "MISSING: no test showed it".to_owned(),
        Holder::Packages(_) => "MISSING: no such test passed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"goal":"D1","done":"20 kills","figure":"0 lost","limit":"0"}
{"goal":"D1","control":"lost 12"}
{"goal":"D3","done":"5 cuts","figure":"0 lost","limit":"0"}"#;

    #[test]
    fn a_goal_without_a_line_or_its_control_is_missing() {
        let table = Table::read(LINES).unwrap();
        let missing = table.missing();
        assert!(!missing.contains(&"D1".to_owned()), "it was shown");
        assert!(missing.contains(&"D2".to_owned()), "nothing was shown");
        assert!(missing.contains(&"D3's control".to_owned()));
        let printed = table.lines().join("\n");
        assert!(printed.contains("lost 12") && printed.contains("MISSING"));
    }

    #[test]
    fn a_goal_that_nobody_knows_is_an_error() {
        assert!(Table::read(r#"{"goal":"X1","done":"","figure":"","limit":""}"#).is_err());
    }
}
