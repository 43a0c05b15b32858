//! Where the checkout and its build are, and which packages it has, as cargo tells it.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;

/// The checkout this tool was started in.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds; honours `CARGO_TARGET_DIR`.
    pub(crate) target: PathBuf,
    targets: Vec<Target>,
}

/// One thing cargo can build for one of our packages.
#[derive(Debug)]
struct Target {
    package: String,
    name: String,
    kinds: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace that the current folder belongs to.
    pub(crate) fn load() -> Result<Self> {
        let metadata = metadata(Path::new("."), &["--no-deps", "--offline"])?;
        let folder = |field: &str| -> Result<PathBuf> {
            let text = metadata[field]
                .as_str()
                .with_context(|| format!("cargo named no {field}"))?;
            Ok(PathBuf::from(text))
        };
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            targets: targets(&metadata),
        })
    }

    /// A cargo command at the workspace's root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = command::program("cargo", &self.root);
        command.args(arguments);
        command
    }

    /// The same, over everything but the UI, which is built for another machine type.
    ///
    /// All native commands choose the same packages: cargo unites the features of what is chosen,
    /// so a different choice would build half the dependencies a second time.
    pub(crate) fn native(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = self.cargo(&[verb, "--workspace", "--exclude", "calseta-ui"]);
        command.args(arguments);
        command
    }

    /// The path of a program that a dev build leaves behind.
    pub(crate) fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target
            .join(profile)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// The names of `package`'s targets of `kind` (`test`, `bin`), in alphabetical order.
    pub(crate) fn target_names(&self, package: &str, kind: &str) -> Vec<&str> {
        self.names_where(kind, |owner| owner == package)
    }

    /// The names of the targets of `kind` of every package but `package` and the UI.
    pub(crate) fn target_names_besides(&self, package: &str, kind: &str) -> Vec<&str> {
        self.names_where(kind, |owner| owner != package && owner != "calseta-ui")
    }

    fn names_where(&self, kind: &str, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .targets
            .iter()
            .filter(|target| wanted(&target.package) && target.kinds.iter().any(|k| k == kind))
            .map(|target| target.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// What `cargo metadata` says, with these options.
pub(crate) fn metadata(folder: &Path, options: &[&str]) -> Result<Value> {
    let mut command = command::program("cargo", folder);
    command
        .args(["metadata", "--format-version", "1"])
        .args(options);
    let answer = command.output().context("cannot start cargo")?;
    if !answer.status.success() {
        bail!(
            "`cargo metadata`: {}",
            String::from_utf8_lossy(&answer.stderr).trim()
        );
    }
    serde_json::from_slice(&answer.stdout).context("cannot read what `cargo metadata` says")
}

fn targets(metadata: &Value) -> Vec<Target> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for package in list(&metadata["packages"]) {
        for target in list(&package["targets"]) {
            found.push(Target {
                package: text(&package["name"]),
                name: text(&target["name"]),
                kinds: list(&target["kind"]).iter().map(text).collect(),
            });
        }
    }
    found
}
