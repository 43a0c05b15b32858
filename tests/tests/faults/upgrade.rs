//! Upgrades of an old file, killed at any moment: it is of the old version or of a newer one, whole
//! either way, and the next start brings it up to date with everything that was in it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, KEY_STORE, faults_bin};
use calseta_tests::goals;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::tools::{printed, python};
use crate::world::Random;

/// The tool that makes old files and looks into files.
const FILES: &str = "files/old_file.py";
/// The version of the old file.
const OLD: usize = 1;
/// The control is torn within this many kills, or it is no control.
const CONTROL_KILLS: u32 = 15;

fn migrations() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src-tauri/crates/store/src/migrations")
}

async fn make(file: &Path, version: usize, rows: u32) -> Result<()> {
    let mut command = python(FILES)?;
    command.arg("make").arg(file).arg(migrations());
    printed(command.args([version.to_string(), rows.to_string()]))
        .await
        .map(drop)
}

async fn look(file: &Path) -> Result<Value> {
    let said = printed(python(FILES)?.arg("show").arg(file)).await?;
    serde_json::from_str(&said).context("what is in the file")
}

/// An old file, and the schema of every version since.
struct Old {
    files: TempDir,
    rows: u32,
    schemas: HashMap<u64, Value>,
    /// How long an upgrade takes that nobody disturbs.
    takes: Duration,
}

impl Old {
    async fn make() -> Result<Self> {
        let rows = goals::many(5_000, 100_000);
        let files = tempfile::tempdir()?;
        make(&files.path().join("old.db"), OLD, rows).await?;
        let mut schemas = HashMap::new();
        let newest = std::fs::read_dir(migrations())?.count();
        for version in OLD..=newest {
            let file = files.path().join(format!("empty-{version}.db"));
            make(&file, version, 0).await?;
            let mut seen = look(&file).await?;
            schemas.insert(u64::try_from(version)?, seen["schema"].take());
        }
        let mut old = Self {
            files,
            rows,
            schemas,
            takes: Duration::ZERO,
        };
        let started = Instant::now();
        Backend::start(&BackendOptions::new(&old.copy("undisturbed")?))
            .await?
            .kill()
            .await?;
        old.takes = started.elapsed();
        Ok(old)
    }

    /// A data directory with a copy of the old file.
    fn copy(&self, name: &str) -> Result<PathBuf> {
        let dir = self.files.path().join(name);
        std::fs::create_dir(&dir)?;
        std::fs::copy(self.files.path().join("old.db"), dir.join("calseta.db"))?;
        Ok(dir)
    }

    /// Starts on a copy, kills it at a random moment, and looks into the file: its version, and
    /// what is wrong with it.
    async fn one_kill(
        &self,
        (program, mistake): (&Path, &str),
        dir: &Path,
        random: &mut Random,
    ) -> Result<(u64, Option<String>)> {
        let mut child = Command::new(program)
            .args(["serve", "--port", "0", "--json", "--data-dir"])
            .arg(dir)
            .env(KEY_STORE.0, KEY_STORE.1)
            .env("CALSETA_FAULT", mistake)
            .env("CALSETA_LOG", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let longest = u64::try_from(self.takes.as_millis())?;
        tokio::time::sleep(Duration::from_millis(random.within(0, longest))).await;
        child.kill().await?;
        let seen = look(&dir.join("calseta.db")).await?;
        let version = seen["version"].as_u64().context("a version")?;
        Ok((version, self.wrong(version, &seen)))
    }

    fn wrong(&self, version: u64, seen: &Value) -> Option<String> {
        if seen["integrity"] != "ok" {
            return Some(format!("damaged: {}", seen["integrity"]));
        }
        if seen["alerts"].as_u64() != Some(self.rows.into()) {
            return Some(format!("{} of {} alerts", seen["alerts"], self.rows));
        }
        (self.schemas.get(&version) != Some(&seen["schema"]))
            .then(|| format!("its schema is not that of version {version}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_is_killed_is_whole_or_did_not_happen() -> Result<()> {
    let kills = goals::many(10, 50);
    let mut random = Random::seeded("upgrade");
    let old = Old::make().await?;
    let program = calseta_tests::backend::calseta_bin();
    let (mut versions, mut wrong) = (Vec::new(), Vec::new());
    for round in 0..kills {
        let dir = old.copy(&format!("killed-{round}"))?;
        let (version, found) = old.one_kill((&program, ""), &dir, &mut random).await?;
        versions.push(version);
        wrong.extend(found);
        // The next start ends what was begun.
        Backend::start(&BackendOptions::new(&dir))
            .await?
            .terminate()
            .await?;
        let after = look(&dir.join("calseta.db")).await?;
        let newest = after["version"].as_u64().unwrap_or(0);
        ensure!(
            old.schemas.keys().max() == Some(&newest),
            "it stays at version {newest}"
        );
        wrong.extend(old.wrong(newest, &after));
        std::fs::remove_dir_all(dir)?;
    }
    goals::shown(
        "D7",
        format!(
            "{kills} kills in an upgrade of {} alerts ({})",
            old.rows,
            random.seed()
        ),
        format!("found at versions {versions:?}, {} torn", wrong.len()),
        "0 torn",
    );
    ensure!(wrong.is_empty(), "{wrong:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_without_transactions_is_torn() -> Result<()> {
    let mut random = Random::seeded("upgrade, control");
    let old = Old::make().await?;
    for round in 1..=CONTROL_KILLS {
        let dir = old.copy(&format!("torn-{round}"))?;
        let torn = (faults_bin(), "torn-upgrade");
        let (version, found) = old.one_kill((&torn.0, torn.1), &dir, &mut random).await?;
        if let Some(found) = found {
            let result = format!(
                "without transactions torn in {round} kills, at version {version}: {found}"
            );
            goals::control("D7", result);
            return Ok(());
        }
        std::fs::remove_dir_all(dir)?;
    }
    panic!("the control was whole after {CONTROL_KILLS} kills: the test could not see a tear");
}
