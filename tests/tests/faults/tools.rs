//! The tools of other languages that some tests ask: where they are.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

/// A tool that the suite's runner names in a variable.
pub(crate) fn tool(variable: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.with_context(|| format!("{variable} names a test tool: start this with `cargo xtask`"))
}

/// A script of `tests/clients`.
pub(crate) fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(name)
}

/// Python with a script of `tests/clients`.
pub(crate) fn python(name: &str) -> Result<Command> {
    let mut command = Command::new(tool("CALSETA_TEST_PYTHON")?);
    command.arg(script(name)).kill_on_drop(true);
    Ok(command)
}

/// Runs to the end; what it printed.
pub(crate) async fn printed(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "a test tool ended with {}",
        output.status
    );
    Ok(String::from_utf8(output.stdout)?)
}
