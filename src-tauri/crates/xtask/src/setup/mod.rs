//! What a machine needs, and installing what it lacks.
//!
//! On Debian and Ubuntu the package manager is asked which packages are there, which takes a few
//! milliseconds, and only then told to install any. Elsewhere the list is printed: this tool does
//! not guess the names of other distributions' packages.

pub(crate) mod packages;

use anyhow::{Result, bail};

use crate::wasm::{self, Compiler};
use crate::workspace::Workspace;
use crate::{command, environment, output};

/// Needed to build anything at all.
const TO_BUILD: [&str; 2] = ["build-essential", "pkg-config"];

/// Needed to build and open the window.
const FOR_WINDOW: [&str; 4] = [
    "libwebkit2gtk-4.1-dev",
    "libgtk-3-dev",
    "librsvg2-dev",
    "libayatana-appindicator3-dev",
];

/// Needed by the tests: a display, a desktop bus, a browser, and what drives them.
const FOR_TESTS: [&str; 14] = [
    "xvfb",
    "xauth",
    "webkit2gtk-driver",
    "dbus",
    "dbus-x11",
    "gnome-keyring",
    "chromium",
    "chromium-driver",
    "imagemagick",
    "curl",
    "python3",
    "python3-venv",
    "python3-dbus",
    "python3-gi",
];

/// What the machine is prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The backend and the UI that it serves, without a window.
    Headless,
    /// The window.
    Window,
    /// Everything, with the tests.
    Everything,
}

/// Installs what is missing and finds the compiler for the window.
pub(crate) fn prepare(workspace: &Workspace, purpose: Purpose) -> Result<Compiler> {
    let step = output::step("Set-up");
    install_packages(workspace, purpose)?;
    if purpose == Purpose::Everything {
        require_components(workspace)?;
    }
    let compiler = wasm::choose(workspace)?;
    match &compiler {
        Compiler::Active => output::note("WebAssembly target: the active toolchain has it"),
        Compiler::Private(folder) => {
            output::note(&format!(
                "WebAssembly target: private toolchain in {}",
                folder.display()
            ));
        }
    }
    step.done();
    Ok(compiler)
}

fn install_packages(workspace: &Workspace, purpose: Purpose) -> Result<()> {
    if !cfg!(target_os = "linux") {
        advise_other_system();
        return Ok(());
    }
    let mut wanted = TO_BUILD.to_vec();
    if purpose != Purpose::Headless {
        wanted.extend(FOR_WINDOW);
    }
    if purpose == Purpose::Everything {
        wanted.extend(FOR_TESTS);
    }
    if environment::find_program("dpkg-query").is_some() {
        return packages::install(&workspace.root, &wanted);
    }
    output::note("This is neither Debian nor Ubuntu. Install what these packages hold there:");
    output::note(&wanted.join(" "));
    Ok(())
}

/// rustfmt and clippy come with rustup's default profile, but not with every toolchain.
fn require_components(workspace: &Workspace) -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let installed = || command::ask(&mut workspace.cargo(&[subcommand, "--version"]));
        if installed().is_some() {
            continue;
        }
        if environment::may_change_toolchains() && environment::find_program("rustup").is_some() {
            let mut add = command::program("rustup", &workspace.root);
            command::run(add.args(["component", "add", component]))?;
        }
        if installed().is_none() {
            bail!("`cargo {subcommand}` is missing; type: rustup component add {component}");
        }
    }
    Ok(())
}

fn advise_other_system() {
    if cfg!(target_os = "macos") {
        output::note("macOS: the window needs Xcode's command line tools: xcode-select --install");
    } else {
        output::note("Windows: the window needs the Visual Studio C++ build tools and WebView2");
        output::note("(WebView2 is part of Windows 11).");
    }
    output::note("The tests of the window and of the browser run on Debian and Ubuntu only.");
}
