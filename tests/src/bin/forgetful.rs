//! `forgetful FOLDER PLACE PROGRAM ARGUMENTS…`: runs a program with the forgetful file system of
//! FOLDER mounted at PLACE. Kill it, in a process namespace of its own, and the power is cut.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use calseta_tests::forgetful::disk::Disk;
use calseta_tests::forgetful::mount;

fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || {
        arguments
            .next()
            .context("forgetful FOLDER PLACE PROGRAM ARGUMENTS…")
    };
    let (folder, place, program) = (next()?, next()?, next()?);
    let disk = Disk::open(Path::new(&folder)).context("reading the folder")?;
    let mounted = mount::serve(disk, Path::new(&place))
        .context("mounting: this needs /dev/fuse and a mount namespace of its own")?;
    let status = Command::new(&program)
        .args(arguments)
        .status()
        .with_context(|| format!("starting {}", program.display()))?;
    drop(mounted);
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
