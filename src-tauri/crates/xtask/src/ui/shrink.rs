//! Makes the release build's program smaller by Binaryen's `wasm-opt`, which works on the whole
//! program where the compiler works on functions. Distributions have versions that do half as
//! much, so it is one of the npm packages of the test tools, at the version of their lock file.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

use crate::tools::Tools;
use crate::workspace::Workspace;
use crate::{command, output};

/// The tool among the npm packages.
const TOOL: &str = "binaryen/bin/wasm-opt";

/// What the compiler's output uses; naming no more keeps the program readable for every engine
/// that could read it before.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Replaces `program` by a smaller one that does the same.
pub(super) fn shrink(workspace: &Workspace, program: &Path) -> Result<()> {
    let tools = Tools::prepare(workspace)?;
    let smaller = program.with_extension("smaller");
    let mut tool = tools.node(TOOL);
    tool.args(["-Oz", "--converge"])
        .args(FEATURES)
        .arg(program)
        .arg("-o")
        .arg(&smaller);
    command::run(&mut tool)?;
    let (before, after) = (fs::metadata(program)?.len(), fs::metadata(&smaller)?.len());
    output::note(&format!("from {} KB to {} KB", before / 1000, after / 1000));
    fs::rename(&smaller, program).with_context(|| format!("cannot replace {}", program.display()))
}
