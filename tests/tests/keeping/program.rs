//! The command line, run to its end.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use calseta_tests::backend::{DEADLINE, KEY_STORE, calseta_bin};
use serde_json::Value;
use tokio::process::Command;

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) lines: Vec<Value>,
    pub(crate) stderr: String,
}

pub(crate) async fn calseta(arguments: &[&str]) -> Result<Ran> {
    let child = Command::new(calseta_bin())
        .env(KEY_STORE.0, KEY_STORE.1)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await??;
    let lines = String::from_utf8(output.stdout)?;
    Ok(Ran {
        exit: output.status.code().context("an exit code")?,
        lines: lines
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .with_context(|| format!("stdout is one JSON object a line: {lines}"))?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is UTF-8")
}
