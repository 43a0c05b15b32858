//! Starting other programs: what is started is printed, and a failure names it.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{environment, output};

/// A command in `folder`, free of what `cargo run` left in the environment.
pub(crate) fn program(name: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder).stdin(Stdio::null());
    for variable in environment::left_by_cargo_run() {
        command.env_remove(variable);
    }
    command
}

/// Runs to the end with its output on the terminal. An exit code other than zero is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let text = describe(command);
    output::note(&format!("$ {text}"));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{text}`"))?;
    if !status.success() {
        bail!("`{text}` ended with {status}");
    }
    Ok(())
}

/// Runs to the end and gives its standard output; `None` when it failed or is not installed.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    let answer = command.stderr(Stdio::null()).output().ok()?;
    answer
        .status
        .success()
        .then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

/// Runs to the end, printing each line of its standard output and handing it to `each`.
pub(crate) fn follow(command: &mut Command, mut each: impl FnMut(&str)) -> Result<()> {
    let text = describe(command);
    output::note(&format!("$ {text}"));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{text}`"))?;
    let stdout = child
        .stdout
        .take()
        .expect("standard output was asked for as a pipe");
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.with_context(|| format!("cannot read what `{text}` prints"))?;
        let line = String::from_utf8_lossy(&line);
        output::line(&line);
        each(&line);
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for `{text}`"))?;
    if !status.success() {
        bail!("`{text}` ended with {status}");
    }
    Ok(())
}

/// The same command with a display and a desktop bus of its own, like a session of a user.
pub(crate) fn on_a_desktop(folder: &Path, command: &Command) -> Command {
    let mut session = program("dbus-run-session", folder);
    session.args(["--", "xvfb-run", "-a", "-s", "-screen 0 1680x1000x24"]);
    session.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => session.env(name, value),
            None => session.env_remove(name),
        };
    }
    session
}

/// The command as a person would type it, with the variables that decide what a build makes.
pub(crate) fn describe(command: &Command) -> String {
    const TELLING: [&str; 3] = ["RUSTC", "RUSTFLAGS", "RUSTDOCFLAGS"];
    let settings = command.get_envs().filter_map(|(name, value)| {
        let known = TELLING.iter().any(|telling| name == OsStr::new(telling));
        let value = value.filter(|value| known && !value.is_empty())?;
        Some(format!("{}={}", name.display(), quoted(value)))
    });
    let words = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quoted);
    settings.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.contains(' ') {
        format!("'{word}'")
    } else {
        word.into_owned()
    }
}
