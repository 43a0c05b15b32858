//! `cargo xtask faults`: runs everything that harms the product, and ends with one table.
//!
//! The tests are the ordinary ones; here they all run, whatever failed before, and what they found
//! is put together by goal. A goal that no test has shown is named as missing and the run fails:
//! only what was seen counts.

mod goals;
mod table;

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

use self::goals::{GOALS, Holder};
use self::table::Table;
use crate::stages::{Count, build_programs, with_places};
use crate::tools::Tools;
use crate::workspace::Workspace;
use crate::{command, output, setup};

/// What the tests of the whole product add their lines to, in the target directory.
const TABLE_FILE: &str = "fault-table.jsonl";

/// The test programs of the whole product that harm it, and which of their tests: all or those
/// whose names contain one of these words.
const ROOMS: [(&str, &[&str]); 2] = [
    ("faults", &[]),
    ("bad_input", &["guard::", "slow::", "bodies::", "limits::"]),
];

/// Runs the suite in its short or long form.
pub(crate) fn start(workspace: &Workspace, is_long: bool) -> Result<()> {
    setup::prepare(workspace, setup::Purpose::Everything)?;
    let step = output::step("Building the programs under test");
    build_programs(workspace)?;
    step.done();
    let file = workspace.target.join(TABLE_FILE);
    fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
    let mut failed = Vec::new();
    for (room, tests) in ROOMS {
        let step = output::step(&format!("{room}: tests of the whole product"));
        let mut cargo = workspace.native("test", &["--test", room, "--"]);
        cargo.args(tests);
        if let Err(error) = run(in_form(&mut cargo, workspace, &file, is_long)?) {
            failed.push(format!("{room}: {error:#}"));
        }
        step.done();
    }
    let mut table = Table::read(&fs::read_to_string(&file)?)?;
    for goal in GOALS {
        let Holder::Packages(tests) = goal.holder else {
            continue;
        };
        let step = output::step(&format!("{}: {}", goal.number, goal.what));
        match run(&mut inside(workspace, tests)) {
            Ok(count) => table.add(goal, count.passed),
            Err(error) => failed.push(format!("{}: {error:#}", goal.number)),
        }
        step.done();
    }
    report(&table, &failed, is_long)
}

/// The tests inside the packages whose names contain one of these words.
fn inside(workspace: &Workspace, tests: &[&str]) -> Command {
    let mut cargo = workspace.native("test", &["--lib", "--no-fail-fast", "--test", "it", "--"]);
    cargo.args(tests);
    cargo
}

fn in_form<'command>(
    cargo: &'command mut Command,
    workspace: &Workspace,
    table: &Path,
    is_long: bool,
) -> Result<&'command mut Command> {
    let tools = Tools::prepare(workspace)?;
    let form = if is_long { "long" } else { "short" };
    Ok(with_places(cargo, workspace)?
        .env("CALSETA_FAULT_TABLE", table)
        .env("CALSETA_FAULT_FORM", form)
        .envs(tools.places()))
}

/// Runs tests to the end, whatever fails, and counts those that passed.
fn run(command: &mut Command) -> Result<Count> {
    let mut count = Count::default();
    command::follow(command, |line| {
        if let Some(sum) = Count::of_line(line) {
            count += sum;
        }
    })?;
    count.refuse_ignored()
}

fn report(table: &Table, failed: &[String], is_long: bool) -> Result<()> {
    output::line("");
    output::line(if is_long {
        "The long form:"
    } else {
        "The short form:"
    });
    for line in table.lines() {
        output::line(&line);
    }
    let missing = table.missing();
    if !failed.is_empty() {
        bail!("tests failed:\n{}", failed.join("\n"));
    }
    if !missing.is_empty() {
        bail!("not shown: {}", missing.join(", "));
    }
    output::line(&format!("All {} goals were shown.", GOALS.len()));
    Ok(())
}
