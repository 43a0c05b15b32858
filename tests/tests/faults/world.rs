//! A backend on its own directory and what the tests ask of it.

use std::hash::{BuildHasher as _, RandomState};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, wait_for};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Names the seed of a run that is to be repeated.
const SEED_VARIABLE: &str = "CALSETA_FAULT_SEED";

/// A backend, its directory and its first key, which outlive restarts.
pub(crate) struct World {
    pub(crate) backend: Backend,
    pub(crate) admin: String,
    pub(crate) files: TempDir,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        let files = tempfile::tempdir()?;
        let backend = Backend::fresh(files.path()).await?;
        let admin = backend.admin().to_owned();
        Ok(Self {
            backend,
            admin,
            files,
        })
    }

    /// A new process on the same directory, after the old one ended as `end` says.
    pub(crate) async fn restart<F, Fut>(self, end: F) -> Result<Self>
    where
        F: FnOnce(Backend) -> Fut,
        Fut: Future<Output = Result<()>>,
    {
        end(self.backend).await?;
        let mut backend = Backend::start(&BackendOptions::new(self.files.path())).await?;
        backend.admin_key = Some(self.admin.clone());
        Ok(Self { backend, ..self })
    }

    /// Registers an agent for everything with a total deadline; its uuid.
    pub(crate) async fn agent(&self, url: &str, timeout_seconds: u32) -> Result<String> {
        let request = json!({
            "name": format!("agent at {url}"), "webhook_url": url, "trigger_filter": {},
            "timeout_seconds": timeout_seconds,
        });
        let agent = self.backend.post("/v1/agents", &request).await?;
        text(&agent, "uuid")
    }

    /// Posts an alert; its uuid.
    pub(crate) async fn alert(&self, title: &str) -> Result<String> {
        let body = json!({"title": title, "severity": "High"});
        let accepted = self.backend.post("/v1/ingest/generic", &body).await?;
        text(&accepted, "alert_uuid")
    }

    /// The one delivery of an agent, once it fits.
    pub(crate) async fn delivery(
        &self,
        agent: &str,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        wait_for(&format!("a delivery {what}"), || async {
            let list = self.deliveries(agent).await?;
            Ok(list.into_iter().find(|delivery| fits(delivery)))
        })
        .await
    }

    /// All deliveries of an agent, newest first.
    pub(crate) async fn deliveries(&self, agent: &str) -> Result<Vec<Value>> {
        let path = format!("/v1/deliveries?agent_uuid={agent}&page_size=500");
        let list = self.backend.get(&path).await?;
        list.as_array().cloned().context("a list")
    }

    /// Asks for the next attempt now.
    pub(crate) async fn retry_now(&self, delivery: &Value) -> Result<()> {
        let path = format!("/v1/deliveries/{}/retry-now", text(delivery, "uuid")?);
        let (status, body) = self
            .backend
            .call(&self.admin, Method::POST, &path, None)
            .await?;
        ensure!(status == 202, "retry-now: {status} {body}");
        Ok(())
    }
}

/// A field that is a text.
pub(crate) fn text(value: &Value, field: &str) -> Result<String> {
    let found = value[field].as_str().map(str::to_owned);
    found.with_context(|| format!("{field} of {value}"))
}

/// How many attempts a delivery has that ended.
pub(crate) fn ended(delivery: &Value) -> usize {
    let attempts = delivery["attempts"].as_array();
    attempts.map_or(0, |all| {
        all.iter().filter(|a| !a["ended_at"].is_null()).count()
    })
}

/// Milliseconds from an attempt's end to the next attempt.
pub(crate) fn wait_ms(delivery: &Value) -> Result<i64> {
    let last = delivery["attempts"].as_array().and_then(|all| all.last());
    let last = last.context("an attempt")?;
    let time = |value: &Value| -> Result<i64> {
        let text = value.as_str().context("a time")?;
        let time: calseta_domain::Timestamp = text.parse()?;
        Ok(time.millis())
    };
    Ok(time(&delivery["next_attempt_at"])? - time(&last["ended_at"])?)
}

/// Random numbers that a printed seed repeats.
pub(crate) struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// From the environment, else from the system; prints it.
    #[expect(clippy::disallowed_methods, reason = "the fault tests' only setting")]
    #[expect(clippy::print_stdout, reason = "a run is repeated by its seed")]
    pub(crate) fn seeded(what: &str) -> Self {
        let given = std::env::var(SEED_VARIABLE).ok();
        let seed = given
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| RandomState::new().hash_one(what));
        println!("{what}: {SEED_VARIABLE}={seed}");
        Self {
            seed,
            state: seed | 1,
        }
    }

    /// What repeats the run.
    pub(crate) fn seed(&self) -> String {
        format!("seed {}", self.seed)
    }

    /// A number of the range, its end included.
    pub(crate) fn within(&mut self, from: u64, to: u64) -> u64 {
        // Marsaglia's xorshift64: more than even enough to choose a moment.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        from + self.state % (to - from + 1)
    }
}
