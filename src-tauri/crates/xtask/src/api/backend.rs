//! The program under test, started for one stage on a data directory of its own.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

use crate::workspace::Workspace;
use crate::{command, output};

/// How long the program may take until it listens, on a machine that does much else.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// What the program's log says when a part of it panicked; that part may have been started again.
const PANIC: &str = "panicked at";

/// A running backend. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Backend {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(super) base_url: String,
    /// The first admin key of the fresh data directory.
    pub(super) admin_key: String,
    log: PathBuf,
    _data: TempDir,
}

impl Backend {
    /// Starts `calseta serve` on a free port and waits until it listens.
    ///
    /// Providers answer canned data, so that nothing is asked of the network, and rate limits are
    /// off, because one key makes all requests. What it logs is kept as `<stage>.log`.
    pub(super) fn start(workspace: &Workspace, stage: &str) -> Result<Self> {
        let program = workspace.program("debug", "calseta");
        let data = tempfile::tempdir().context("cannot create a data directory")?;
        let log = output_folder(workspace)?.join(format!("{stage}.log"));
        let errors =
            File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut serve = command::program(&program, &workspace.root);
        serve
            .args(["serve", "--port", "0", "--demo", "--no-limits", "--json"])
            .arg("--data-dir")
            .arg(data.path());
        output::note(&format!("$ {}", command::describe(&serve)));
        let mut child = serve
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().expect("it was asked for as a pipe");
        match ready(stdout).with_context(|| format!("see {}", log.display())) {
            Ok((base_url, admin_key)) => Ok(Self {
                child,
                base_url,
                admin_key,
                log,
                _data: data,
            }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }

    /// Ends it, and fails when it ended by itself before or a part of it panicked.
    pub(super) fn finish(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "the backend ended by itself with {status}; see {}",
                self.log.display()
            );
        }
        end(&mut self.child);
        let log = fs::read(&self.log)?;
        let log = String::from_utf8_lossy(&log);
        match log.lines().find(|line| line.contains(PANIC)) {
            Some(line) => bail!("the backend panicked; see {}: {line}", self.log.display()),
            None => Ok(()),
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Both fail only when it is gone already.
    let _ = child.kill();
    let _ = child.wait();
}

/// Address and key of the ready line. The rest is read too, so that the pipe never fills.
fn ready(stdout: ChildStdout) -> Result<(String, String)> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody listens any more after the first line.
            let _ = sender.send(line);
        }
    });
    let line = receiver
        .recv_timeout(READY_WITHIN)
        .context("the backend did not say that it is ready")?;
    let ready: Value = serde_json::from_str(&line).context("the ready line is not JSON")?;
    let text = |name: &str| {
        let value = ready[name].as_str().map(str::to_owned);
        value.with_context(|| format!("the ready line has no {name}"))
    };
    Ok((text("base_url")?, text("admin_key")?))
}

/// Where stages leave what a person may want to look at.
pub(super) fn output_folder(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("test-output");
    create(&folder)?;
    Ok(folder)
}

/// Creates a folder and those above it.
pub(super) fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}
