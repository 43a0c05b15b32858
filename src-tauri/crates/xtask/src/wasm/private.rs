//! A private toolchain with the WebAssembly target, made from distribution packages.
//!
//! Debian and Ubuntu keep a current compiler for browsers (`rustc-web`) with its library's source.
//! Its packages are unpacked under the target directory and the library is built for WebAssembly
//! once. Nothing is installed into the system, and the native toolchain stays as it is. The
//! library must be of the compiler's own version: mixing versions does not build.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{library, wrappers};
use crate::setup::packages;
use crate::workspace::Workspace;
use crate::{command, environment, output};

/// Changes when the steps below change, so that a toolchain made by older ones is made again.
const RECIPE: &str = "calseta wasm toolchain 1\n";

/// What the packaged LLVM is linked with. They are on most machines already.
const LIBRARIES: [&str; 5] = ["libz3-4", "libedit2", "libxml2", "libffi8", "libzstd1"];

/// The oldest version that understands this workspace (`rust-version` in its manifest).
const OLDEST: (u32, u32) = (1, 95);

/// The packages of one toolchain, all of one version.
#[derive(Debug)]
struct Parts {
    version: String,
    library_package: String,
    llvm: String,
}

/// The toolchain's compiler.
pub(super) fn rustc(folder: &Path) -> PathBuf {
    folder.join("rustc")
}

/// The toolchain's `cargo clippy`, if it came with one.
pub(super) fn clippy(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("cargo-clippy");
    path.is_file().then_some(path)
}

/// The toolchain that an earlier call of [`build`] made.
pub(super) fn ready(workspace: &Workspace) -> Option<PathBuf> {
    let folder = folder(workspace);
    let stamp = fs::read_to_string(folder.join("complete")).ok()?;
    (stamp == RECIPE).then_some(folder)
}

/// Whether this machine's package lists have what is needed.
pub(super) fn is_possible(root: &Path) -> bool {
    let tools = ["apt-get", "apt-cache", "dpkg-deb", "tar"];
    if tools
        .iter()
        .any(|tool| environment::find_program(tool).is_none())
    {
        return false;
    }
    if parts(root).is_err() {
        // Fresh containers have empty package lists.
        if let Err(error) = packages::refresh_lists(root) {
            output::note(&format!(
                "the package lists could not be refreshed: {error:#}"
            ));
        }
    }
    parts(root)
        .inspect_err(|error| output::note(&format!("{error:#}")))
        .is_ok()
}

/// Makes the toolchain from nothing; about a minute and a half.
pub(super) fn build(workspace: &Workspace) -> Result<PathBuf> {
    fs::create_dir_all(&workspace.target)?;
    let lock = fs::File::create(workspace.target.join("wasm-toolchain.lock"))?;
    lock.lock()
        .context("cannot wait for another set-up of the WebAssembly toolchain")?;
    if let Some(folder) = ready(workspace) {
        return Ok(folder);
    }
    let step = output::step("Making a private WebAssembly toolchain from distribution packages");
    packages::install(&workspace.root, &LIBRARIES)?;
    // Made beside its final place and moved there last: a half-made one is never found.
    let folder = folder(workspace);
    let partial = folder.with_extension("partial");
    remove(&partial)?;
    fs::create_dir_all(&partial)?;
    let parts = parts(&workspace.root)?;
    unpack(&parts, &partial)?;
    wrappers::write(&partial)?;
    library::build(&partial)?;
    fs::write(partial.join("complete"), RECIPE)?;
    remove(&folder)?;
    // What the replaced library was linked into does not fit the new one.
    remove(&super::target_folder(workspace))?;
    fs::rename(&partial, &folder)?;
    step.done();
    Ok(folder)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("wasm-toolchain")
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Reads from the package lists which packages make one toolchain.
fn parts(root: &Path) -> Result<Parts> {
    let record = packages::record(root, "libstd-rust-web-dev")?;
    let version = packages::field(&record, "Version")?.to_owned();
    if !is_recent(&version) {
        bail!(
            "the packaged browser compiler is {version}, older than {}.{}; \
             enable your distribution's security updates",
            OLDEST.0,
            OLDEST.1
        );
    }
    let library_package = dependency(&record, "libstd-rust-web-")?;
    let llvm = dependency(&packages::record(root, &library_package)?, "libllvm")?;
    if packages::field(&packages::record(root, "rust-web-src")?, "Version")? != version {
        bail!("the packaged browser compiler and its source are of different versions");
    }
    Ok(Parts {
        version,
        library_package,
        llvm,
    })
}

/// The first package named in `Depends` that starts with `prefix`.
fn dependency(record: &str, prefix: &str) -> Result<String> {
    packages::field(record, "Depends")?
        .split([',', '|'])
        .filter_map(|item| item.split_whitespace().next())
        .find(|name| name.starts_with(prefix))
        .map(str::to_owned)
        .with_context(|| format!("the package lists name no {prefix} package"))
}

fn is_recent(version: &str) -> bool {
    let mut numbers = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}

fn unpack(parts: &Parts, folder: &Path) -> Result<()> {
    let same = |name: &str| format!("{name}={}", parts.version);
    let linker = parts.llvm.replace("libllvm", "lld-");
    let mut wanted: Vec<String> = [
        "rustc-web",
        "libstd-rust-web-dev",
        parts.library_package.as_str(),
        "rust-web-src",
    ]
    .map(same)
    .into();
    wanted.extend([parts.llvm.clone(), linker]);
    let clippy = packages::record(folder, "rust-web-clippy");
    if clippy
        .is_ok_and(|record| packages::field(&record, "Version").is_ok_and(|v| v == parts.version))
    {
        wanted.push(same("rust-web-clippy"));
    }
    let downloads = folder.join("packages");
    fs::create_dir_all(&downloads)?;
    let mut fetch = command::program("apt-get", &downloads);
    fetch.args(["-o", "APT::Sandbox::User=root", "-qq", "download"]);
    command::run(fetch.args(&wanted))?;
    for entry in fs::read_dir(&downloads)? {
        let package = entry?.path();
        let is_source = package
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("rust-web-src"));
        if is_source {
            unpack_library_source(&package, folder)?;
        } else {
            command::run(
                command::program("dpkg-deb", folder)
                    .arg("-x")
                    .arg(&package)
                    .arg("."),
            )?;
        }
    }
    remove(&downloads)
}

/// Of the source package only the standard library: the compiler's own source is 400 MB more.
fn unpack_library_source(package: &Path, folder: &Path) -> Result<()> {
    let mut reader = command::program("dpkg-deb", folder)
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start dpkg-deb")?;
    let archive = reader
        .stdout
        .take()
        .expect("standard output was asked for as a pipe");
    let mut tar = command::program("tar", folder);
    tar.args([
        "-x",
        "--wildcards",
        "--no-wildcards-match-slash",
        "./usr/src/*/library",
    ]);
    command::run(tar.stdin(Stdio::from(archive)))?;
    let status = reader.wait().context("cannot wait for dpkg-deb")?;
    if !status.success() {
        bail!("`dpkg-deb --fsys-tarfile` ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "Package: libstd-rust-web-1.96\nVersion: 1.96.0+dfsg1-1\n\
                          Depends: libc6 (>= 2.34), libllvm22, libstdc++6 (>= 11)\n";

    #[test]
    fn a_dependency_is_found_by_its_prefix() {
        assert_eq!(dependency(RECORD, "libllvm").unwrap(), "libllvm22");
        assert!(
            dependency(RECORD, "liblld").is_err(),
            "a missing one must not be guessed"
        );
    }

    #[test]
    fn a_compiler_older_than_the_workspace_needs_is_refused() {
        assert!(is_recent("1.96.0+dfsg1-1~deb12u2"));
        assert!(is_recent("2.0.0"));
        assert!(!is_recent("1.85.0+dfsg3-1~deb12u3"));
        assert!(!is_recent("nonsense"));
    }
}
