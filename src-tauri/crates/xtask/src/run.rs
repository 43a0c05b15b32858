//! `cargo xtask run`: from a fresh checkout to a running product.
//!
//! With a display the desktop program is started. Without one the backend is, serving the same
//! window to a browser on this machine, and the link that opens it is printed.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::{Command, Stdio};

use crate::setup::{self, Purpose};
use crate::workspace::Workspace;
use crate::{command, environment, output, ui};

/// Sets up, builds and starts; returns when the program has ended.
pub(crate) fn start(workspace: &Workspace, rest: &[String]) -> Result<()> {
    let has_display = environment::has_display();
    let purpose = if has_display {
        Purpose::Window
    } else {
        Purpose::Headless
    };
    let compiler = setup::prepare(workspace, purpose)?;
    ui::build(workspace, &compiler, ui::Profile::Dev)?;
    if has_display {
        start_window(workspace, rest)
    } else {
        start_headless(workspace, rest)
    }
}

fn start_window(workspace: &Workspace, rest: &[String]) -> Result<()> {
    // The command line comes along: the README goes on with it.
    let mut program = built(workspace, &["calseta-console", "calseta"])?;
    output::note(&format!(
        "the command line: {}",
        workspace.program("debug", "calseta").display()
    ));
    output::line("==> Starting the window");
    command::run(program.args(rest))
}

fn start_headless(workspace: &Workspace, rest: &[String]) -> Result<()> {
    let mut program = built(workspace, &["calseta"])?;
    output::line("==> No display here: starting the backend with the window for a browser");
    // Ctrl-C reaches the backend too; stay until it has shut down in order.
    ctrlc::set_handler(|| {}).context("cannot wait for Ctrl-C")?;
    program.args(["serve", "--ui"]).args(rest);
    command::follow(&mut program, |line| {
        if let Some(link) = link(line) {
            output::highlight("Open this link in a browser on this machine:", &link);
            output::note("The link works once. Ctrl-C ends the program.");
        }
    })
}

/// Builds some programs; the first one, ready to be started.
fn built(workspace: &Workspace, names: &[&str]) -> Result<Command> {
    let step = output::step(&format!("Building {}", names.join(" and ")));
    let arguments: Vec<&str> = names.iter().flat_map(|name| ["--bin", name]).collect();
    command::run(&mut workspace.native("build", &arguments))?;
    step.done();
    let path = workspace.program("debug", names[0]);
    if !path.is_file() {
        bail!("the build left no {}", path.display());
    }
    let mut program = command::program(path, &workspace.root);
    program
        .env("CALSETA_UI_DIST", workspace.root.join("ui/dist"))
        .stdin(Stdio::inherit());
    Ok(program)
}

/// The link of the line by which the backend says that it is ready.
fn link(line: &str) -> Option<String> {
    let ready: Value = serde_json::from_str(line).ok()?;
    if ready["ready"] != true {
        return None;
    }
    ready["ui_url"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_taken_from_the_ready_line_only() {
        let ready = r#"{"ready":true,"ui_url":"http://127.0.0.1:8000/#token"}"#;
        assert_eq!(link(ready).as_deref(), Some("http://127.0.0.1:8000/#token"));
        assert_eq!(link(r#"{"ready":false,"ui_url":"x"}"#), None);
        assert_eq!(link("listening"), None, "text is passed on as it is");
    }
}
