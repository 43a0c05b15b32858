//! The OpenAPI document: sound by itself, and the same in the checkout as the program serves it.

use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

use super::backend::{Backend, output_folder};
use crate::tools::{CLIENTS, Tools};
use crate::workspace::Workspace;
use crate::{command, output};

/// The document in the checkout.
const CHECKED_IN: &str = "openapi.json";

/// What a person types to write it anew.
const WRITE: &str = "UPDATE_OPENAPI=1 cargo test -p calseta-server openapi";

/// Lints the document and compares it with the one that the program serves.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let tools = Tools::prepare(workspace)?;
    let known = workspace.root.join(CHECKED_IN);
    lint(workspace, &tools, &known)?;
    let served = fetch(workspace)?;
    if fs::read(&known)? != fs::read(&served)? {
        bail!(
            "{CHECKED_IN} is not what the program serves ({}); write it anew: {WRITE}",
            served.display()
        );
    }
    output::note(&format!("{CHECKED_IN} is what the program serves"));
    Ok(())
}

fn lint(workspace: &Workspace, tools: &Tools, document: &Path) -> Result<()> {
    let mut redocly = tools.node("@redocly/cli/bin/cli.js");
    redocly
        .args(["lint", "--format=stylish", "--config"])
        .arg(workspace.root.join(CLIENTS).join("redocly.yaml"))
        .arg(document)
        // It would otherwise ask its registry for a newer version and report the run.
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    command::run(&mut redocly)
}

/// The document as a freshly started program serves it.
fn fetch(workspace: &Workspace) -> Result<PathBuf> {
    let backend = Backend::start(workspace, "openapi")?;
    let path = output_folder(workspace)?.join("openapi-served.json");
    let mut curl = command::program("curl", &workspace.root);
    curl.args(["--fail", "--silent", "--show-error", "--noproxy", "*"])
        .args(["--max-time", "30", "--output"])
        .arg(&path)
        .arg(format!("{}/{CHECKED_IN}", backend.base_url));
    command::run(&mut curl)?;
    backend.finish()?;
    Ok(path)
}
