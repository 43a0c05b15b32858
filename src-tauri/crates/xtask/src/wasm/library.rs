//! Builds the standard library for WebAssembly with the private compiler it belongs to.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{TARGET, private};
use crate::command;

/// Builds `core`, `alloc` and `std` for WebAssembly with the compiler they belong to.
pub(super) fn build(folder: &Path) -> Result<()> {
    let source = fs::read_dir(folder.join("usr/src"))?
        .flatten()
        .map(|entry| entry.path().join("library"))
        .find(|path| path.join("sysroot/Cargo.toml").is_file())
        .context("the packages hold no source of the standard library")?;
    let build = folder.join("build");
    command::run(&mut library_command(folder, &source, &build))?;
    let destination = folder.join("usr/lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&destination)?;
    let mut copied = 0_u32;
    for entry in fs::read_dir(build.join(TARGET).join("release/deps"))?.flatten() {
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "rlib")
        {
            fs::copy(&path, destination.join(entry.file_name()))?;
            copied += 1;
        }
    }
    if copied == 0 || !super::has_core(&destination) {
        bail!("building the standard library for {TARGET} left no library behind");
    }
    fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))
}

fn library_command(folder: &Path, source: &Path, build: &Path) -> Command {
    let mut command = command::program("cargo", folder);
    command
        .args([
            "build",
            "--release",
            "--no-default-features",
            "--target",
            TARGET,
        ])
        .args(["--features", "panic-unwind compiler-builtins-mem"])
        .arg("--manifest-path")
        .arg(source.join("sysroot/Cargo.toml"))
        .arg("--target-dir")
        .arg(build)
        .env("RUSTC", private::rustc(folder))
        // The library uses unstable features and must look like the compiler's own.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_DEFAULT_LIB_METADATA", "wasmsysroot")
        .env(
            "RUSTFLAGS",
            "-Cembed-bitcode=yes -Zforce-unstable-if-unmarked -Cdebuginfo=0",
        );
    let unwanted = [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
    ];
    for variable in unwanted {
        command.env_remove(variable);
    }
    command
}
