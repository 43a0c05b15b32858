//! Clients made from the OpenAPI document by stock generators, used against the program.
//!
//! Nothing that is generated is checked in: what a user of the API would get today is what is tested.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

use super::backend::{Backend, create};
use crate::tools::{CLIENTS, Tools};
use crate::workspace::Workspace;
use crate::{command, output};

/// The document that clients are made from.
const DOCUMENT: &str = "openapi.json";

/// Generates both clients, checks their types where there are any, and lets each do an agent's work.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let tools = Tools::prepare(workspace)?;
    let backend = Backend::start(workspace, "clients")?;
    python(workspace, &tools, &backend)?;
    typescript(workspace, &tools, &backend)?;
    backend.finish()
}

fn python(workspace: &Workspace, tools: &Tools, backend: &Backend) -> Result<()> {
    let source = workspace.root.join(CLIENTS).join("python");
    let generated = workspace.target.join("tools/clients/python");
    create(&generated)?;
    let mut generator = tools.python("openapi-python-client");
    generator
        // A warning means that a part of the API is missing from the client.
        .args([
            "generate",
            "--meta",
            "none",
            "--overwrite",
            "--fail-on-warning",
        ])
        .arg("--path")
        .arg(workspace.root.join(DOCUMENT))
        .arg("--config")
        .arg(source.join("generator.yaml"))
        .arg("--output-path")
        .arg(generated.join("calseta_client"));
    command::run(&mut generator)?;
    let mut client = tools.python("python");
    client
        .arg(source.join("main.py"))
        .env("PYTHONPATH", &generated);
    run(&mut client, backend)
}

fn typescript(workspace: &Workspace, tools: &Tools, backend: &Backend) -> Result<()> {
    let source = workspace.root.join(CLIENTS).join("typescript");
    // Below the packages, so that they are found from there.
    let folder = tools.node_folder().join("client");
    create(&folder)?;
    for name in ["main.ts", "tsconfig.json"] {
        let (from, to) = (source.join(name), folder.join(name));
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    generate_types(workspace, tools, &folder)?;
    let mut compiler = tools.node("typescript/bin/tsc");
    command::run(compiler.arg("--project").arg(&folder))?;
    let mut client = tools.bare_node();
    client.arg(folder.join("built/main.js"));
    run(&mut client, backend)
}

fn generate_types(workspace: &Workspace, tools: &Tools, folder: &Path) -> Result<()> {
    let mut generator = tools.node("openapi-typescript/bin/cli.js");
    generator
        .arg(workspace.root.join(DOCUMENT))
        .arg("--output")
        .arg(folder.join("calseta.d.ts"));
    command::run(&mut generator)
}

/// Runs a client's test. The key is no argument: those are printed.
fn run(client: &mut Command, backend: &Backend) -> Result<()> {
    client
        .env("CALSETA_URL", &backend.base_url)
        .env("CALSETA_KEY", &backend.admin_key);
    command::run(client)?;
    output::note("the client did its work");
    Ok(())
}
