//! Makes the release build's program smaller by Binaryen's `wasm-opt`, which works on the whole
//! program where the compiler works on functions.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

use crate::setup::packages;
use crate::{command, environment, output};

/// The program, and the Debian package that has it.
const TOOL: (&str, &str) = ("wasm-opt", "binaryen");

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
pub(super) fn shrink(root: &Path, program: &Path) -> Result<()> {
    if environment::find_program(TOOL.0).is_none() {
        install(root)?;
    }
    let smaller = program.with_extension("smaller");
    let mut tool = command::program(TOOL.0, root);
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

fn install(root: &Path) -> Result<()> {
    if environment::find_program("dpkg-query").is_none() {
        bail!(
            "`{}` is missing: install {} (its Debian package's name) for a release build",
            TOOL.0,
            TOOL.1
        );
    }
    packages::install(root, &[TOOL.1])
}
