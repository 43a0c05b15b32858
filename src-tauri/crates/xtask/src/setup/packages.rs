//! Debian's and Ubuntu's package manager: asking it and telling it.

use anyhow::{Context, Result, bail};
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use crate::{command, environment, output};

/// Names under which another release keeps the same program.
const ALTERNATIVES: [(&str, &str); 2] = [
    ("chromium", "chromium-browser"),
    ("chromium-driver", "chromium-chromedriver"),
];

/// Installs those of `names` that are missing; when none is, it only asks the package database.
pub(crate) fn install(root: &Path, names: &[&str]) -> Result<()> {
    let absent = missing(root, names);
    if absent.is_empty() {
        output::note(&format!("system packages: all {} are there", names.len()));
        return Ok(());
    }
    output::note(&format!("system packages missing: {}", absent.join(" ")));
    refresh_lists(root)?;
    let chosen: Vec<&str> = absent
        .iter()
        .map(|name| available_name(root, name))
        .collect();
    let mut apt = as_root(root, "apt-get")?;
    apt.args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(&chosen);
    command::run(&mut apt)?;
    let still = missing(root, names);
    if !still.is_empty() {
        bail!(
            "apt-get installed everything it was asked for, but not {}",
            still.join(" ")
        );
    }
    Ok(())
}

/// Fetches the package lists anew.
pub(crate) fn refresh_lists(root: &Path) -> Result<()> {
    command::run(as_root(root, "apt-get")?.args(["update", "-qq"]))
}

/// What the package lists say of the version of `name` that would be installed.
pub(crate) fn record(folder: &Path, name: &str) -> Result<String> {
    let mut question = command::program("apt-cache", folder);
    command::ask(question.args(["show", "--no-all-versions", name]))
        .filter(|answer| !answer.trim().is_empty())
        .with_context(|| format!("the package lists have no {name}"))
}

/// The value of one line of a [`record`].
pub(crate) fn field<'record>(record: &'record str, name: &str) -> Result<&'record str> {
    record
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
        .with_context(|| format!("the package lists give no {name}"))
}

fn missing<'name>(root: &Path, names: &[&'name str]) -> Vec<&'name str> {
    let mut question = command::program("dpkg-query", root);
    question
        .args(["-W", "-f", "${Package} ${db:Status-Abbrev}\n"])
        .args(names);
    question.args(ALTERNATIVES.map(|(_, other)| other));
    // It fails when it does not know one of them, and still prints the others.
    let answer = question
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    let answer = String::from_utf8_lossy(&answer);
    let installed: HashSet<&str> = answer.lines().filter_map(installed_name).collect();
    let has = |name: &str| {
        let other = ALTERNATIVES.iter().find(|(first, _)| *first == name);
        installed.contains(name) || other.is_some_and(|(_, second)| installed.contains(second))
    };
    names.iter().copied().filter(|name| !has(name)).collect()
}

/// The package of a line `name ii `, which means: wanted and installed.
fn installed_name(line: &str) -> Option<&str> {
    let (name, state) = line.split_once(' ')?;
    state.starts_with("ii").then_some(name)
}

fn available_name<'name>(root: &Path, name: &'name str) -> &'name str {
    if record(root, name).is_ok() {
        return name;
    }
    let other = ALTERNATIVES.iter().find(|(first, _)| *first == name);
    other.map_or(name, |(_, second)| second)
}

/// A command with the rights to install, asking through sudo when this is not root.
fn as_root(root: &Path, name: &str) -> Result<Command> {
    const QUIETLY: &str = "DEBIAN_FRONTEND=noninteractive";
    let user = command::ask(command::program("id", root).arg("-u")).unwrap_or_default();
    if user.trim() == "0" {
        let mut command = command::program("env", root);
        command.args([QUIETLY, name]);
        return Ok(command);
    }
    if environment::find_program("sudo").is_none() {
        bail!("installing packages needs root, and there is no sudo: start this once as root");
    }
    let mut command = command::program("sudo", root);
    command.args(["env", QUIETLY, name]);
    // sudo may have to ask for a password.
    command.stdin(std::process::Stdio::inherit());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_package_that_is_wanted_and_installed_counts() {
        assert_eq!(installed_name("xvfb ii "), Some("xvfb"));
        assert_eq!(
            installed_name("xvfb rc "),
            None,
            "removed, its settings kept"
        );
        assert_eq!(installed_name("xvfb un "), None);
    }

    #[test]
    fn a_field_is_not_taken_from_one_that_starts_alike() {
        let record = "Version-Note: no\nVersion: 1.96.0\n";
        assert_eq!(field(record, "Version").unwrap(), "1.96.0");
        assert!(field(record, "Depends").is_err());
    }
}
