//! Finds dependencies that a manifest names and no source uses.
//!
//! By cargo-machete, which knows the odd cases; it is built once, into the target directory. A
//! dependency that it wrongly reports is listed under `package.metadata.cargo-machete` of the
//! manifest, with the reason.

use anyhow::{Context, Result};
use std::fs;

use crate::tools::start_over;
use crate::workspace::Workspace;
use crate::{command, output};

/// The program, the package and its version.
const NAME: &str = "cargo-machete";
const VERSION: &str = "0.9.2";

/// Fails with the manifests and names when there is one.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target.join("tools").join(NAME).join(VERSION);
    let program = folder.join("bin").join(NAME);
    if !program.is_file() {
        start_over(&folder)?;
        let build = folder.join("build");
        let mut install = workspace.cargo(&["install", NAME, "--version", VERSION]);
        // Without optimisation it is built in half the time and still runs in seconds.
        install
            .args(["--quiet", "--locked", "--debug", "--root"])
            .arg(&folder)
            .arg("--target-dir")
            .arg(&build);
        command::run(&mut install)?;
        fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    command::run(command::program(&program, &workspace.root).arg("."))?;
    output::note("every dependency is used");
    Ok(())
}
