//! A backend whose log is kept, so that tests can read what it said.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, wait_for};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running backend with its directory and its log.
pub(crate) struct World {
    pub(crate) backend: Backend,
    folder: TempDir,
}

/// How a [`World`] differs from the plain one.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) log_level: &'static str,
    pub(crate) limits: bool,
    pub(crate) arguments: Vec<String>,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        Self::with(Setup::default()).await
    }

    /// Starts through a shell that lets every file be made with open modes and keeps stderr.
    pub(crate) async fn with(setup: Setup) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("stderr.log");
        let mut options = BackendOptions::new(&folder.path().join("data"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad_input/open-umask.sh");
        let program = std::mem::replace(&mut options.program, PathBuf::from(script));
        for (name, path) in [("PROGRAM_UNDER_TEST", &program), ("STDERR_LOG", &log)] {
            let path = path.to_str().context("a path that is text")?;
            options.environment.push((name.to_owned(), path.to_owned()));
        }
        if setup.limits {
            options.arguments.clear();
        }
        options.arguments.extend(setup.arguments);
        let level = if setup.log_level.is_empty() {
            "info"
        } else {
            setup.log_level
        };
        options
            .environment
            .push(("CALSETA_LOG".to_owned(), level.to_owned()));
        let backend = Backend::start(&options).await?;
        Ok(Self { backend, folder })
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it wrote to stderr so far.
    pub(crate) fn log(&self) -> Result<String> {
        let bytes = std::fs::read(self.folder.path().join("stderr.log"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Still there, healthy, and never panicked.
    pub(crate) async fn is_unharmed(&self) -> Result<()> {
        let (status, body) = self
            .backend
            .call(self.backend.admin(), reqwest::Method::GET, "/health", None)
            .await?;
        ensure!(status == 200, "not healthy: {status} {body}");
        let log = self.log()?;
        ensure!(!log.contains("panicked"), "it panicked:\n{log}");
        Ok(())
    }

    /// A key as asked for; the key itself and its uuid.
    pub(crate) async fn key(&self, request: &Value) -> Result<(String, String)> {
        let made = self.backend.post("/v1/api-keys", request).await?;
        let text = |name: &str| made[name].as_str().map(str::to_owned).context("a text");
        Ok((text("key")?, text("uuid")?))
    }

    /// An alert's uuid.
    pub(crate) async fn alert(&self, title: &str) -> Result<String> {
        let payload = json!({"title": title, "severity": "High", "src_ip": "203.0.113.9"});
        let made = self.backend.post("/v1/ingest/generic", &payload).await?;
        Ok(made["alert_uuid"]
            .as_str()
            .context("alert_uuid")?
            .to_owned())
    }

    /// Waits until its enrichment is over, so that nothing changes under a test.
    pub(crate) async fn settled(&self, alert: &str) -> Result<()> {
        let path = format!("/v1/alerts/{alert}");
        wait_for("the alert is enriched", || async {
            let alert = self.backend.get(&path).await?;
            Ok((alert["enrichment_status"] != json!("Pending")).then_some(()))
        })
        .await
    }
}
