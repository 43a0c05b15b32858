//! Makes the unpacked packages of the private toolchain start from where they lie.
//!
//! They expect to be installed under `/usr`: their shared libraries are found through a variable
//! that a small script sets, and their linker under the name the compiler asks for.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

use super::private;
use crate::command;

/// Scripts that start the unpacked programs with the libraries unpacked beside them.
pub(super) fn write(folder: &Path) -> Result<()> {
    let linkers = folder
        .join("usr/lib/rustlib")
        .join(host(folder)?)
        .join("bin");
    fs::create_dir_all(&linkers)?;
    fs::copy(find_linker(folder)?, linkers.join("rust-lld")).context("cannot place the linker")?;
    for name in ["rustc", "cargo-clippy"] {
        if !folder.join("usr/bin").join(name).is_file() {
            continue;
        }
        let script = folder.join(name);
        fs::write(&script, wrapper(&libraries(folder)?, name))?;
        command::run(command::program("chmod", folder).arg("0755").arg(&script))?;
    }
    let mut question = command::program(private::rustc(folder), folder);
    match command::ask(question.arg("-vV")) {
        Some(_) => Ok(()),
        None => bail!(
            "the unpacked compiler does not start: {}/rustc -vV",
            folder.display()
        ),
    }
}

/// Finds its own place, because the folder is moved after the wrapper was tried.
fn wrapper(libraries: &str, name: &str) -> String {
    format!(
        "#!/bin/sh\n\
         here=$(dirname \"$(readlink -f \"$0\")\")\n\
         LD_LIBRARY_PATH=\"$here/{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n\
         export LD_LIBRARY_PATH\n\
         exec \"$here/usr/bin/{name}\" \"$@\"\n"
    )
}

/// The unpacked folder of shared libraries, named after the machine (`usr/lib/x86_64-linux-gnu`).
fn libraries(folder: &Path) -> Result<String> {
    let entries = fs::read_dir(folder.join("usr/lib"))?.flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.ends_with("-linux-gnu"))
        .map(|name| format!("usr/lib/{name}"))
        .context("the packages hold no folder of shared libraries")
}

/// The machine type the packages were built for, as the compiler spells it.
fn host(folder: &Path) -> Result<String> {
    let entries = fs::read_dir(folder.join("usr/lib/rustlib"))?.flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.ends_with("-unknown-linux-gnu"))
        .context("the packages hold no library for this machine")
}

fn find_linker(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder.join("usr/lib"))?.flatten();
    entries
        .map(|entry| entry.path().join("bin/lld"))
        .find(|path| path.is_file())
        .context("the packages hold no lld")
}
