//! One owner a directory, and no guess about a newer file.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use calseta_tests::backend::{DEADLINE, KEY_STORE, calseta_bin};
use tokio::process::Command;

use crate::world::World;

/// "The directory belongs to another process."
const EXIT_IN_USE: i32 = 3;
/// "This is refused."
const EXIT_REFUSED: i32 = 4;
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

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_have_one_owner() -> Result<()> {
    const RIVALS: usize = 8;
    let world = World::start().await?;
    let mut rivals = tokio::task::JoinSet::new();
    for _ in 0..RIVALS {
        let dir = world.files.path().to_owned();
        rivals.spawn(async move { refused(&dir).await });
    }
    while let Some(rival) = rivals.join_next().await {
        let (code, said) = rival??;
        assert_eq!(code, Some(EXIT_IN_USE), "it said: {said}");
    }
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
