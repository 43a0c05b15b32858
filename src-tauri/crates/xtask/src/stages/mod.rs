//! `cargo xtask test`: every check, one stage after the other, stopping at the first that fails.
//!
//! Nothing is ever skipped. A facility that is missing fails its stage, an ignored test fails its
//! stage, and a room of the tests package that runs no test at all does too.

mod count;
mod plan;

use anyhow::{Result, bail};
use clap::Args;
use std::time::{Duration, Instant};

use crate::api::Extent;
use crate::output;
use crate::workspace::Workspace;

pub(crate) use self::count::Count;
use self::plan::Stage;
pub(crate) use self::plan::{build_programs, with_places};

/// Which stages to run; all of them unless told otherwise.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Run only this stage; may be given more than once
    #[arg(long, value_name = "STAGE", conflicts_with = "from")]
    only: Vec<String>,
    /// Start at this stage
    #[arg(long, value_name = "STAGE")]
    from: Option<String>,
    /// Print the stages and what each one does, and run none
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    extent: Extent,
}

/// A stage that has ended.
#[derive(Debug)]
struct Ended {
    name: String,
    took: Duration,
    tests: Count,
}

/// Runs the chosen stages. The first failure ends the run and is the error.
pub(crate) fn perform(workspace: &Workspace, selection: &Selection) -> Result<()> {
    let plan = plan::stages(workspace);
    if selection.list {
        for stage in &plan {
            output::line(&format!("{:<16}{}", stage.name, stage.purpose));
        }
        return Ok(());
    }
    let total = plan.len();
    let chosen = choose(plan, selection)?;
    let is_whole = chosen.len() == total;
    let started = Instant::now();
    let mut ended = Vec::new();
    for stage in &chosen {
        let step = output::step(&format!("{}: {}", stage.name, stage.purpose));
        let result = stage.perform(workspace, &selection.extent);
        let took = step.done();
        let tests = *result.as_ref().unwrap_or(&Count::default());
        ended.push(Ended {
            name: stage.name.clone(),
            took,
            tests,
        });
        if let Err(error) = result {
            print_table(&ended, started.elapsed());
            bail!(
                "stage `{0}`: {error:#}\n(again: cargo xtask test --only {0})",
                stage.name
            );
        }
    }
    print_table(&ended, started.elapsed());
    let passed: u64 = ended.iter().map(|stage| stage.tests.passed).sum();
    if is_whole {
        output::line(&format!("All {total} stages passed."));
    } else {
        output::line(&format!(
            "{} of {total} stages passed; the others were not run.",
            ended.len()
        ));
    }
    output::line(&format!("{passed} passed, 0 failed"));
    Ok(())
}

fn choose(plan: Vec<Stage>, selection: &Selection) -> Result<Vec<Stage>> {
    let known: Vec<String> = plan.iter().map(|stage| stage.name.clone()).collect();
    if let Some(wrong) = selection
        .only
        .iter()
        .chain(&selection.from)
        .find(|name| !known.contains(name))
    {
        bail!(
            "there is no stage `{wrong}`; there are: {}",
            known.join(", ")
        );
    }
    if let Some(from) = &selection.from {
        return Ok(plan
            .into_iter()
            .skip_while(|stage| stage.name != *from)
            .collect());
    }
    if selection.only.is_empty() {
        return Ok(plan);
    }
    Ok(plan
        .into_iter()
        .filter(|stage| selection.only.contains(&stage.name))
        .collect())
}

fn print_table(ended: &[Ended], total: Duration) {
    output::line("");
    output::line(&format!("{:<16}{:>10}{:>8}", "stage", "took", "tests"));
    for stage in ended {
        let tests = if stage.tests.passed == 0 {
            String::new()
        } else {
            stage.tests.passed.to_string()
        };
        output::line(&format!(
            "{:<16}{:>10}{tests:>8}",
            stage.name,
            output::seconds(stage.took)
        ));
    }
    output::line(&format!("{:<16}{:>10}", "total", output::seconds(total)));
}
