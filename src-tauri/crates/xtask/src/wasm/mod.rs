//! Which compiler builds the window for WebAssembly.
//!
//! Tried in this order: the active toolchain, if it has the target; rustup, unless its owner said
//! not to touch the toolchains; a private toolchain from the packages of Debian or Ubuntu
//! ([`private`]); else the message says what to type.

mod library;
mod private;
mod wrappers;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::Workspace;
use crate::{command, environment, output};

/// The machine type browsers and webviews run.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler that has [`TARGET`].
#[derive(Debug)]
pub(crate) enum Compiler {
    /// The toolchain that builds everything else too.
    Active,
    /// The private toolchain in this folder.
    Private(PathBuf),
}

impl Compiler {
    /// `cargo <verb>` for the window, in a target directory of its own: another compiler than the
    /// native one would otherwise throw that one's work away, and the other way round.
    pub(crate) fn cargo(&self, workspace: &Workspace, verb: &str) -> Command {
        let mut command = workspace.cargo(&[verb, "--target", TARGET, "--target-dir"]);
        command.arg(target_folder(workspace));
        if let Self::Private(folder) = self {
            command.env("RUSTC", private::rustc(folder));
        }
        command
    }

    /// `cargo clippy` for the window; `None` when this compiler comes without clippy.
    pub(crate) fn clippy(&self, workspace: &Workspace) -> Option<Command> {
        match self {
            Self::Active => Some(self.cargo(workspace, "clippy")),
            Self::Private(folder) => {
                let clippy = private::clippy(folder)?;
                let mut command = command::program(clippy, &workspace.root);
                command.args(["clippy", "--target", TARGET, "--target-dir"]);
                command
                    .arg(target_folder(workspace))
                    .env("RUSTC", private::rustc(folder));
                Some(command)
            }
        }
    }
}

/// Where the window is built.
pub(crate) fn target_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("ui")
}

/// Finds a compiler, making or installing one when there is none.
pub(crate) fn choose(workspace: &Workspace) -> Result<Compiler> {
    if active_has_target(workspace) {
        return Ok(Compiler::Active);
    }
    if let Some(folder) = private::ready(workspace) {
        return Ok(Compiler::Private(folder));
    }
    if environment::may_change_toolchains() && rustup_added_target(workspace) {
        return Ok(Compiler::Active);
    }
    if private::is_possible(&workspace.root) {
        return private::build(workspace).map(Compiler::Private);
    }
    bail!(
        "the Rust toolchain has no {TARGET} target, which the window needs.\n\
         Type one of these and start again:\n  \
         rustup target add {TARGET}\n  \
         apt-get install rust-web-src   (as root, to see whether your release has it: 1.95 or newer)"
    )
}

fn active_has_target(workspace: &Workspace) -> bool {
    let mut question = command::program("rustc", &workspace.root);
    let answer = command::ask(question.args(["--print", "target-libdir", "--target", TARGET]));
    answer.is_some_and(|folder| has_core(Path::new(folder.trim())))
}

/// Whether `folder` has a compiled `core`, without which a target is only a name.
fn has_core(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .any(|name| name.to_string_lossy().starts_with("libcore-"))
}

fn rustup_added_target(workspace: &Workspace) -> bool {
    let managed =
        command::ask(command::program("rustup", &workspace.root).args(["which", "rustc"]));
    if managed.is_none() {
        return false;
    }
    let step = output::step("Adding the WebAssembly target with rustup");
    let mut add = command::program("rustup", &workspace.root);
    let added = command::run(add.args(["target", "add", TARGET]));
    if let Err(error) = &added {
        output::note(&format!("rustup could not add it: {error:#}"));
    }
    step.done();
    added.is_ok() && active_has_target(workspace)
}
