//! `cargo xtask <command>`: everything a person does with this checkout besides writing code.
//!
//! It exists so that the README needs two commands on a fresh machine. It never installs anything
//! outside the package manager and the target directory, and never needs a globally installed
//! cargo tool. Start reading at [`setup`] (what a machine needs), [`ui`] (the window's files) and
//! [`stages`] (what `test` runs).

mod api;
mod bench;
mod command;
mod environment;
mod faults;
mod licences;
mod output;
mod run;
mod setup;
mod stages;
mod tools;
mod ui;
mod unused;
mod wasm;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

use crate::workspace::Workspace;

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Build, run and test Calseta Console from this checkout",
    after_help = "New here? `cargo xtask run` starts the product, `cargo xtask test` checks it.\n\
                  Both install what is missing first (Debian and Ubuntu) or say what to install."
)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what this machine lacks: system packages, the WebAssembly target, test tools
    Setup,
    /// Build the window's files into ui/dist
    Ui {
        /// Optimise for size and speed; takes minutes longer
        #[arg(long)]
        release: bool,
    },
    /// Set up, build and start the product: the window, or without a display the backend and a link
    Run {
        /// Passed to the program, for example `-- --port 8001`
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Set up, then run every check there is, stopping at the first that fails
    Test(stages::Selection),
    /// Run the fault suite and print its table: what was done for each goal, figure, limit, control
    Faults {
        /// Many more kills, power cuts and crashes; takes an hour or more
        #[arg(long)]
        long: bool,
    },
    /// Build in release and measure; options after `--` go to the benchmark program
    Bench {
        /// Passed to the benchmark program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

fn main() -> ExitCode {
    match perform(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    let workspace = Workspace::load()?;
    match task {
        Task::Setup => {
            setup::prepare(&workspace, setup::Purpose::Everything)?;
            let step = output::step("Test tools");
            tools::Tools::prepare(&workspace)?;
            step.done();
            Ok(())
        }
        Task::Ui { release } => {
            let compiler = wasm::choose(&workspace)?;
            let profile = if release {
                ui::Profile::Release
            } else {
                ui::Profile::Dev
            };
            ui::build(&workspace, &compiler, profile)
        }
        Task::Run { rest } => run::start(&workspace, &rest),
        Task::Test(selection) => stages::perform(&workspace, &selection),
        Task::Faults { long } => faults::start(&workspace, long),
        Task::Bench { rest } => bench::start(&workspace, &rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_follows_bench_goes_to_the_benchmark() {
        let words = ["cargo xtask", "bench", "--alerts", "10"];
        let Task::Bench { rest } = Arguments::parse_from(words).command else {
            panic!("`bench` must be understood");
        };
        assert_eq!(rest, ["--alerts", "10"]);
    }
}
