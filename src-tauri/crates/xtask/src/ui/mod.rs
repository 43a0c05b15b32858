//! Builds the window's files: WebAssembly, its bindings, one stylesheet, the page.
//!
//! The bindings come from the generator's library, linked into this tool at the exact version of
//! the lock file, so nothing is installed globally. `ui/dist` is written only where something
//! changed: the desktop program embeds it and would be built again otherwise.

mod dist;
mod shrink;
mod size;
mod stylesheet;

use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use wasm_bindgen_cli_support::Bindgen;

use crate::wasm::{self, Compiler};
use crate::workspace::Workspace;
use crate::{command, output};

/// The package and its program.
const PACKAGE: &str = "calseta-ui";

/// What the bindings are called: `calseta_ui.js`, which `ui/boot.js` imports.
const BINDINGS: &str = "calseta_ui";

/// Cargo's profile for small programs, in the workspace's `Cargo.toml`.
const RELEASE_PROFILE: &str = "release-ui";

/// How the window is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// Small and quick to run.
    Release,
}

/// Builds the window into `ui/dist`.
pub(crate) fn build(workspace: &Workspace, compiler: &Compiler, profile: Profile) -> Result<()> {
    let step = output::step("Building the window for WebAssembly");
    let program = compile(workspace, compiler, profile)?;
    step.done();
    let step = output::step("Writing ui/dist");
    let bindings = generate_bindings(workspace, &program, profile)?;
    let mut files = dist::Files::default();
    files.add_folder(&bindings, Path::new(""))?;
    let source = workspace.root.join("ui");
    files.add("app.css", stylesheet::concatenate(&source.join("src"))?);
    for name in ["index.html", "boot.js"] {
        let path = source.join(name);
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        files.add(name, content);
    }
    if source.join("assets").is_dir() {
        files.add_folder(&source.join("assets"), Path::new("assets"))?;
    }
    let changed = files.write(&source.join("dist"))?;
    let size = fs::metadata(program_file(&bindings))?.len();
    output::note(&format!(
        "{changed} files changed; WebAssembly: {} KiB",
        size / 1024
    ));
    step.done();
    if profile == Profile::Release {
        size::check(&program_file(&bindings))?;
    }
    Ok(())
}

fn program_file(bindings: &Path) -> PathBuf {
    bindings.join(format!("{BINDINGS}_bg.wasm"))
}

/// The options the window is compiled with.
///
/// The types of views are erased: their names double in length with every nesting, which is what
/// the compiler spends its time on, and every combination of types would be code of its own.
pub(crate) const COMPILER_FLAGS: &str = "--cfg erase_components";

fn compile(workspace: &Workspace, compiler: &Compiler, profile: Profile) -> Result<PathBuf> {
    let mut cargo = compiler.cargo(workspace, "build");
    cargo
        .args(["--package", PACKAGE])
        .env("RUSTFLAGS", COMPILER_FLAGS);
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            cargo.args(["--profile", RELEASE_PROFILE]);
            cargo.env("RUSTFLAGS", release_flags(workspace)?);
            RELEASE_PROFILE
        }
    };
    command::run(&mut cargo)?;
    let built = wasm::target_folder(workspace)
        .join(wasm::TARGET)
        .join(folder);
    Ok(built.join(format!("{PACKAGE}.wasm")))
}

/// The same, without the folders of the machine that builds in the text of panics.
fn release_flags(workspace: &Workspace) -> Result<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let mut folders = vec![workspace.root.clone()];
    if let Some(sources) = home.map(|home| home.join("registry/src"))
        && sources.is_dir()
    {
        for entry in fs::read_dir(&sources)? {
            folders.push(entry?.path());
        }
    }
    let remapped = folders
        .iter()
        .map(|folder| folder.display().to_string())
        // The flags are divided at spaces: a folder with one keeps its name.
        .filter(|folder| !folder.contains(char::is_whitespace))
        .map(|folder| format!("--remap-path-prefix={folder}/="));
    let flags = iter::once(COMPILER_FLAGS.to_owned()).chain(remapped);
    Ok(flags.collect::<Vec<_>>().join(" "))
}

/// Makes the bindings, unless they were made from this very program already.
fn generate_bindings(workspace: &Workspace, program: &Path, profile: Profile) -> Result<PathBuf> {
    // A folder a profile: the size check leaves what the other stages use alone.
    let name = match profile {
        Profile::Dev => "bindings",
        Profile::Release => "bindings-release",
    };
    let folder = wasm::target_folder(workspace).join(name);
    let stamp = folder.with_extension("stamp");
    let identity = identity(program, profile)?;
    if fs::read_to_string(&stamp).is_ok_and(|known| known == identity) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let is_release = profile == Profile::Release;
    Bindgen::new()
        .input_path(program)
        .out_name(BINDINGS)
        .typescript(false)
        .remove_name_section(is_release)
        .remove_producers_section(is_release)
        .web(true)
        .and_then(|generator| generator.generate(&folder))
        .context("cannot generate the bindings")?;
    if is_release {
        shrink::shrink(workspace, &program_file(&folder))?;
    }
    fs::write(stamp, identity)?;
    Ok(folder)
}

/// What tells one build of the program from another without reading its tens of megabytes.
fn identity(program: &Path, profile: Profile) -> Result<String> {
    let facts = fs::metadata(program)
        .with_context(|| format!("the build left no {}", program.display()))?;
    let changed = facts.modified()?.duration_since(UNIX_EPOCH)?;
    Ok(format!(
        "{profile:?} {} {}\n",
        facts.len(),
        changed.as_nanos()
    ))
}
