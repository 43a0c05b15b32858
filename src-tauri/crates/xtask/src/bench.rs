//! `cargo xtask bench`: builds in release and starts the benchmark program of the tests package.

use anyhow::{Result, bail};
use std::fs;

use crate::workspace::Workspace;
use crate::{command, output, ui, wasm};

/// The package and the program that measures.
const PACKAGE: &str = "calseta-tests";
const PROGRAM: &str = "bench";

/// The option by which the window is measured; it goes to the program too.
const WINDOW: &str = "--ui";

/// Builds and measures; `rest` goes to the benchmark program. Results go to `bench.json` in the
/// target directory.
pub(crate) fn start(workspace: &Workspace, rest: &[String]) -> Result<()> {
    if !workspace.target_names(PACKAGE, "bin").contains(&PROGRAM) {
        bail!("{PACKAGE} has no program `{PROGRAM}` to start");
    }
    let step = output::step("Building the backend and the benchmark in release");
    // The backend on its own: what is measured is built exactly as it is shipped.
    let backend = [
        "build",
        "--release",
        "--package",
        "calseta-cli",
        "--bin",
        "calseta",
    ];
    command::run(&mut workspace.cargo(&backend))?;
    command::run(&mut workspace.cargo(&[
        "build",
        "--release",
        "--package",
        PACKAGE,
        "--bin",
        PROGRAM,
    ]))?;
    step.done();
    let measures_window = rest.iter().any(|word| word == WINDOW);
    if measures_window {
        build_window(workspace)?;
    }
    let step = output::step("Measuring");
    fs::create_dir_all(&workspace.target)?;
    let mut program = command::program(workspace.program("release", PROGRAM), &workspace.root);
    program
        .arg("--calseta")
        .arg(workspace.program("release", "calseta"));
    program
        .arg("--out")
        .arg(workspace.target.join("bench.json"))
        .args(rest);
    if measures_window {
        program
            .arg("--dist")
            .arg(workspace.root.join("ui/dist"))
            .arg("--console")
            .arg(workspace.program("release", "calseta-console"));
        program = command::on_a_desktop(&workspace.root, &program);
    }
    command::run(&mut program)?;
    step.done();
    Ok(())
}

/// The window's files as they are shipped, and the desktop program around them.
fn build_window(workspace: &Workspace) -> Result<()> {
    let compiler = wasm::choose(workspace)?;
    ui::build(workspace, &compiler, ui::Profile::Release)?;
    let step = output::step("Building the desktop program in release");
    let console = ["build", "--release", "--bin", "calseta-console"];
    command::run(&mut workspace.cargo(&console))?;
    step.done();
    Ok(())
}
