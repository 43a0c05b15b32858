//! One owner a directory, and no guess about a newer file.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use calseta_tests::backend::{DEADLINE, KEY_STORE, calseta_bin};
use calseta_tests::goals;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::world::World;

/// "The directory belongs to another process."
const EXIT_IN_USE: i32 = 3;
/// "This is refused."
const EXIT_REFUSED: i32 = 4;
/// Processes launched at once on one directory.
const LAUNCHES: usize = 100;
/// Processes launched at once, each on its own directory.
const CONTROL_LAUNCHES: usize = 5;
/// How long a launch may take beside all the others, on a busy machine.
const LAUNCH_DEADLINE: Duration = Duration::from_mins(3);
/// Where SQLite's file format keeps `user_version`, four bytes, big-endian (sqlite.org/fileformat).
const USER_VERSION_AT: u64 = 60;

/// Starts a backend that must not start; its exit code and what it says.
async fn refused(data_dir: &Path) -> Result<(Option<i32>, String)> {
    let process = Command::new(calseta_bin())
        .env(KEY_STORE.0, KEY_STORE.1)
        .args(["serve", "--port", "0", "--json", "--data-dir"])
        .arg(data_dir)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(DEADLINE, process)
        .await
        .context("it started, or hung")??;
    Ok((
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_directory_ends_at_once() -> Result<()> {
    let world = World::start().await?;
    let (code, said) = refused(world.files.path()).await?;
    assert_eq!(code, Some(EXIT_IN_USE), "it said: {said}");
    world.alert("the first is still well").await?;
    Ok(())
}

/// Starts a backend that may or may not own the directory: ended, with its code, or running.
async fn launch(data_dir: PathBuf) -> Result<(Option<i32>, Option<Child>)> {
    let mut child = Command::new(calseta_bin())
        .env(KEY_STORE.0, KEY_STORE.1)
        .args(["serve", "--port", "0", "--json", "--data-dir"])
        .arg(data_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let out = child.stdout.take().context("stdout is piped")?;
    let mut lines = BufReader::new(out).lines();
    let line = tokio::time::timeout(LAUNCH_DEADLINE, lines.next_line())
        .await
        .context("it neither started nor ended")??;
    if line.is_some_and(|line| line.contains("\"ready\":true")) {
        return Ok((None, Some(child)));
    }
    Ok((child.wait().await?.code(), None))
}

/// Launches all at the same moment; how many own their directory, and the codes of the others.
async fn launches(dirs: Vec<PathBuf>) -> Result<(usize, Vec<Option<i32>>)> {
    let (mut owners, mut codes) = (Vec::new(), Vec::new());
    let mut running = tokio::task::JoinSet::new();
    for dir in dirs {
        running.spawn(launch(dir));
    }
    while let Some(launched) = running.join_next().await {
        match launched?? {
            // Kept until the end: whoever comes later must find it there.
            (_, Some(owner)) => owners.push(owner),
            (code, None) => codes.push(code),
        }
    }
    Ok((owners.len(), codes))
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_have_one_owner() -> Result<()> {
    let files = tempfile::tempdir()?;
    let (owners, codes) = launches(vec![files.path().join("one"); LAUNCHES]).await?;
    let in_use = codes
        .iter()
        .filter(|code| **code == Some(EXIT_IN_USE))
        .count();
    goals::shown(
        "D8",
        format!("{LAUNCHES} launches at once on one directory"),
        format!("{owners} owner, {in_use} refused as in use"),
        "1 owner",
    );
    assert_eq!(
        (owners, in_use),
        (1, LAUNCHES - 1),
        "the others ended with {codes:?}"
    );
    let own = (0..CONTROL_LAUNCHES).map(|n| files.path().join(format!("own-{n}")));
    let (owners, codes) = launches(own.collect()).await?;
    assert_eq!(owners, CONTROL_LAUNCHES, "the others ended with {codes:?}");
    goals::control(
        "D8",
        format!("on directories of their own {owners} of {owners} started"),
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_newer_version_is_refused_and_left_alone() -> Result<()> {
    let world = World::start().await?;
    world.alert("from the future").await?;
    world.backend.terminate().await?;
    let path = world.files.path().join("calseta.db");
    let mut file = std::fs::OpenOptions::new().write(true).open(&path)?;
    file.seek(SeekFrom::Start(USER_VERSION_AT))?;
    file.write_all(&9_999_u32.to_be_bytes())?;
    drop(file);
    let before = std::fs::read(&path)?;
    let (code, said) = refused(world.files.path()).await?;
    assert_eq!(code, Some(EXIT_REFUSED), "it said: {said}");
    assert!(said.contains("newer"), "it must say why: {said}");
    assert!(std::fs::read(&path)? == before, "the file was changed");
    Ok(())
}
