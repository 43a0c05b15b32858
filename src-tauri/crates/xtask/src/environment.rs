//! The environment variables this tool reads, in one place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Whether rustup may be asked to change the installed toolchains.
///
/// `RUSTUP_AUTO_INSTALL=0` means that the owner of the machine does not want that.
pub(crate) fn may_change_toolchains() -> bool {
    read("RUSTUP_AUTO_INSTALL").is_none_or(|value| value != "0")
}

/// Whether a window can be opened here.
pub(crate) fn has_display() -> bool {
    let named = |name| read(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || named("DISPLAY") || named("WAYLAND_DISPLAY")
}

/// The full path of a program that `PATH` leads to.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&read("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| Path::is_file(path))
}

/// The variables that `cargo run` set for this process and that no command we start may inherit:
/// build scripts that watch them would be run again on every other build.
pub(crate) fn left_by_cargo_run() -> Vec<OsString> {
    const PREFIXES: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];
    const NAMES: [&str; 4] = ["CARGO", "CARGO_BIN_NAME", "CARGO_CRATE_NAME", "OUT_DIR"];
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| {
            let name = name.to_string_lossy();
            NAMES.contains(&name.as_ref()) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect()
}

fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
