//! The stages of `cargo xtask test`: cheap ones first, then builds, then the whole product.

use anyhow::{Context, Result, bail};
use std::fs;
use std::process::Command;

use super::count::Count;
use crate::api::{self, Extent};
use crate::setup::{self, Purpose};
use crate::tools::Tools;
use crate::workspace::Workspace;
use crate::{command, licences, output, ui, unused, wasm};

/// The package with the tests of the whole product.
const TESTS: &str = "calseta-tests";

/// The rooms of [`TESTS`] that run before the others: what they find makes the rest pointless.
const FIRST_ROOMS: [&str; 2] = ["layout", "main_job"];

/// The room of [`TESTS`] that drives the real window and needs a display and a desktop bus.
const DESKTOP: &str = "desktop";

/// The room of [`TESTS`] that drives a browser, and there looks with axe-core.
const BROWSER: &str = "ui";

/// The room of [`TESTS`] that harms the product, and there asks libraries of other languages.
const FAULTS: &str = "faults";

/// The room of [`TESTS`] that runs the example agents.
const EXAMPLES: &str = "examples";

/// What it is injected from, among the Node.js packages.
const AXE: &str = "axe-core/axe.min.js";

/// One check.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) purpose: String,
    work: Work,
}

#[derive(Debug)]
enum Work {
    SetUp,
    Tools,
    Format,
    Licences,
    Unused,
    Window,
    Clippy,
    ClippyWindow,
    Documentation,
    UnitTests,
    WindowTests,
    DocumentationTests,
    Programs,
    BuildTests,
    Document,
    Clients,
    Fuzz,
    /// One test program of [`TESTS`].
    Room(String),
    MissingExamples,
}

/// All stages in the order in which they run.
pub(super) fn stages(workspace: &Workspace) -> Vec<Stage> {
    let mut plan = vec![
        Stage::new("setup", "what this machine lacks", Work::SetUp),
        Stage::new(
            "tools",
            "the test tools that are not Rust, in the target directory",
            Work::Tools,
        ),
    ];
    plan.extend(of_the_sources());
    plan.extend(of_the_programs());
    let mut rooms = workspace.target_names(TESTS, "test");
    rooms.sort_by_key(|room| !FIRST_ROOMS.contains(room));
    for room in rooms {
        let work = Work::Room(room.to_owned());
        plan.push(Stage::new(room, "tests of the whole product", work));
    }
    plan.push(Stage::new(
        "schemathesis",
        "the API keeps to openapi.json, whatever is asked of it",
        Work::Fuzz,
    ));
    let has_room = plan.iter().any(|stage| stage.name == EXAMPLES);
    if !has_room && has_examples(workspace) {
        let work = Work::MissingExamples;
        plan.push(Stage::new(EXAMPLES, "the example agents", work));
    }
    plan
}

/// What needs no program but the window's.
fn of_the_sources() -> Vec<Stage> {
    [
        ("fmt", "the code is formatted", Work::Format),
        (
            "licences",
            "licences, bans and sources of all packages",
            Work::Licences,
        ),
        (
            "unused",
            "every dependency of a manifest is used",
            Work::Unused,
        ),
        (
            "window",
            "the window's files, which the desktop program embeds",
            Work::Window,
        ),
        ("clippy", "no warning in native code", Work::Clippy),
        (
            "clippy-ui",
            "no warning in the window's code",
            Work::ClippyWindow,
        ),
        (
            "doc",
            "the documentation builds without a warning",
            Work::Documentation,
        ),
        ("unit", "the tests inside the packages", Work::UnitTests),
        (
            "unit-ui",
            "the tests inside the window's package, natively",
            Work::WindowTests,
        ),
        (
            "doctest",
            "the examples in the documentation",
            Work::DocumentationTests,
        ),
    ]
    .map(|(name, purpose, work)| Stage::new(name, purpose, work))
    .into()
}

/// The programs under test, what strangers see of them, and the tests that use them.
fn of_the_programs() -> Vec<Stage> {
    [
        (
            "programs",
            "the programs under test and their control build",
            Work::Programs,
        ),
        (
            "openapi",
            "openapi.json is sound and is what the program serves",
            Work::Document,
        ),
        (
            "clients",
            "clients generated from openapi.json do an agent's work",
            Work::Clients,
        ),
        (
            "tests-build",
            "the tests of the whole product compile",
            Work::BuildTests,
        ),
    ]
    .map(|(name, purpose, work)| Stage::new(name, purpose, work))
    .into()
}

impl Stage {
    fn new(name: &str, purpose: &str, work: Work) -> Self {
        Self {
            name: name.to_owned(),
            purpose: purpose.to_owned(),
            work,
        }
    }

    /// Runs it to the end and counts the tests in it.
    pub(super) fn perform(&self, workspace: &Workspace, extent: &Extent) -> Result<Count> {
        let none = |()| Count::default();
        match &self.work {
            Work::SetUp => setup::prepare(workspace, Purpose::Everything).map(|_| Count::default()),
            Work::Tools => Tools::prepare(workspace).map(|_| Count::default()),
            Work::Format => {
                command::run(&mut workspace.cargo(&["fmt", "--all", "--check"])).map(none)
            }
            Work::Licences => licences::check(&workspace.root).map(none),
            Work::Unused => unused::check(workspace).map(none),
            Work::Window => build_window(workspace).map(none),
            Work::Clippy => {
                let arguments = ["--all-targets", "--", "-D", "warnings"];
                command::run(&mut workspace.native("clippy", &arguments)).map(none)
            }
            Work::ClippyWindow => clippy_window(workspace).map(none),
            Work::Documentation => document(workspace).map(none),
            Work::UnitTests => run_tests(&mut unit_tests(workspace)),
            Work::WindowTests => {
                run_tests(&mut workspace.cargo(&["test", "--package", "calseta-ui"]))
            }
            Work::DocumentationTests => run_tests(&mut workspace.native("test", &["--doc"])),
            Work::Programs => build_programs(workspace).map(none),
            Work::BuildTests => build_tests(workspace).map(none),
            Work::Document => api::check_document(workspace).map(none),
            Work::Clients => api::check_clients(workspace).map(none),
            Work::Fuzz => api::fuzz(workspace, extent).map(none),
            Work::Room(room) => run_room(workspace, room),
            Work::MissingExamples => {
                bail!("examples/agents exists, but {TESTS} has no test program `{EXAMPLES}`")
            }
        }
    }
}

fn has_examples(workspace: &Workspace) -> bool {
    let folder = fs::read_dir(workspace.root.join("examples/agents"));
    folder.is_ok_and(|mut entries| entries.next().is_some())
}

fn build_window(workspace: &Workspace) -> Result<()> {
    ui::build(workspace, &wasm::choose(workspace)?, ui::Profile::Dev)
}

/// For WebAssembly where there is a clippy for it, else natively: the code is the same.
fn clippy_window(workspace: &Workspace) -> Result<()> {
    let mut clippy = if let Some(mut clippy) = wasm::choose(workspace)?.clippy(workspace) {
        clippy.env("RUSTFLAGS", ui::COMPILER_FLAGS);
        clippy
    } else {
        output::note("the WebAssembly compiler comes without clippy: checking natively");
        workspace.cargo(&["clippy", "--all-targets"])
    };
    for package in ["calseta-ui", "calseta-domain", "calseta-contract"] {
        clippy.args(["--package", package]);
    }
    command::run(clippy.args(["--", "-D", "warnings"]))
}

fn document(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.native("doc", &["--no-deps"]);
    command::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Everything inside the packages and their own test programs; not the rooms of [`TESTS`].
fn unit_tests(workspace: &Workspace) -> Command {
    let mut cargo = workspace.native("test", &["--lib", "--bins"]);
    let rooms = workspace.target_names(TESTS, "test");
    let own = workspace.target_names_besides(TESTS, "test");
    for name in own.iter().filter(|name| !rooms.contains(name)) {
        cargo.args(["--test", name]);
    }
    cargo
}

pub(crate) fn build_programs(workspace: &Workspace) -> Result<()> {
    let programs = ["calseta", "calseta-console", "forgetful"];
    let chosen = programs.map(|name| ["--bin", name]);
    command::run(&mut workspace.native("build", &chosen.concat()))?;
    let control = [
        "--bin",
        "calseta-faults",
        "--features",
        "calseta-cli/faults",
    ];
    command::run(&mut workspace.native("build", &control))
}

fn build_tests(workspace: &Workspace) -> Result<()> {
    if workspace.target_names(TESTS, "test").is_empty() {
        bail!("{TESTS} has no test program: the product itself would go untested");
    }
    command::run(&mut workspace.native("test", &["--tests", "--no-run"]))
}

fn run_room(workspace: &Workspace, room: &str) -> Result<Count> {
    let mut cargo = workspace.native("test", &["--test", room]);
    if room == DESKTOP {
        cargo = command::on_a_desktop(&workspace.root, &cargo);
    }
    if room == BROWSER {
        cargo.env("CALSETA_AXE", Tools::prepare(workspace)?.node_file(AXE)?);
    }
    if room == FAULTS {
        cargo.envs(Tools::prepare(workspace)?.places());
    }
    let count = run_tests(with_places(&mut cargo, workspace)?)?;
    if count.passed == 0 {
        bail!("`{room}` ran no test");
    }
    Ok(count)
}

fn run_tests(command: &mut Command) -> Result<Count> {
    let mut count = Count::default();
    // Snapshots are reviewed by people, never accepted by a run.
    command.env("INSTA_UPDATE", "no");
    command::follow(command, |line| {
        if let Some(sum) = Count::of_line(line) {
            count += sum;
        }
    })?;
    count.refuse_ignored()
}

/// Tells the tests where the programs, the window's files and their own output are.
pub(crate) fn with_places<'command>(
    command: &'command mut Command,
    workspace: &Workspace,
) -> Result<&'command mut Command> {
    let output = workspace.target.join("test-output");
    fs::create_dir_all(&output).with_context(|| format!("cannot create {}", output.display()))?;
    Ok(command
        .env("CALSETA_BIN", workspace.program("debug", "calseta"))
        .env(
            "CALSETA_FAULTS_BIN",
            workspace.program("debug", "calseta-faults"),
        )
        .env(
            "CALSETA_FORGETFUL_BIN",
            workspace.program("debug", "forgetful"),
        )
        .env(
            "CALSETA_CONSOLE_BIN",
            workspace.program("debug", "calseta-console"),
        )
        // No test leaves a master key in the keychain of whoever runs it.
        .env("CALSETA_KEY_STORE", "file")
        .env("CALSETA_UI_DIST", workspace.root.join("ui/dist"))
        .env("CALSETA_TEST_OUTPUT", output))
}
