//! What these tests share: a backend on a directory of its own, agents that record, raw requests.

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backend::{Backend, BackendOptions, http_client, wait_for};
use crate::recorder::{Recorded, Recorder};

/// What an agent's own key may do.
pub const AGENT_SCOPES: &[&str] = &["alerts:read", "alerts:write", "enrichments:read"];

/// A backend and its directory. Both go when the test ends.
#[derive(Debug)]
pub struct World {
    /// The running program.
    pub backend: Backend,
    /// Its data directory.
    pub dir: TempDir,
}

/// An agent that records.
#[derive(Debug)]
pub struct Agent {
    /// What it was sent.
    pub recorder: Recorder,
    /// Its id.
    pub uuid: String,
}

/// An answer with its headers.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Answered {
    /// The body as JSON; what is none fails the test.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("an answer is JSON")
    }

    /// A header's value; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl World {
    /// On a fresh directory, without rate limits.
    pub async fn fresh() -> Result<Self> {
        Self::with(&[]).await
    }

    /// With more arguments of `serve`.
    pub async fn with(arguments: &[&str]) -> Result<Self> {
        let dir = TempDir::new()?;
        let mut options = BackendOptions::new(dir.path());
        options
            .arguments
            .extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let backend = Backend::start(&options).await?;
        Ok(Self { backend, dir })
    }

    /// An agent that records and answers 200.
    pub async fn agent(&self, filter: &Value) -> Result<Agent> {
        let recorder = Recorder::start().await?;
        let url = format!("{}/webhook", recorder.url);
        let (uuid, _) = self
            .backend
            .register_agent("Recording agent", &url, filter)
            .await?;
        Ok(Agent { recorder, uuid })
    }

    /// A new key of type agent; with an agent it is that agent's.
    pub async fn agent_key(&self, name: &str, agent: Option<&str>) -> Result<String> {
        let request = json!({
            "name": name, "key_type": "agent", "scopes": AGENT_SCOPES, "agent_uuid": agent,
        });
        let key = self.backend.post("/v1/api-keys", &request).await?;
        Ok(key["key"].as_str().context("a key")?.to_owned())
    }

    /// Posts a payload to a source; the view of the accepted alert.
    pub async fn ingest(&self, source: &str, payload: &Value) -> Result<Value> {
        let path = format!("/v1/ingest/{source}");
        self.backend.post(&path, payload).await
    }

    /// A new generic alert's uuid.
    pub async fn alert(&self, payload: &Value) -> Result<String> {
        let view = self.ingest("generic", payload).await?;
        ensure!(view["status"] == "queued", "a new alert: {view}");
        Ok(view["alert_uuid"].as_str().context("a uuid")?.to_owned())
    }

    /// The alert, once its enrichment is over.
    pub async fn settled(&self, uuid: &str) -> Result<Value> {
        let path = format!("/v1/alerts/{uuid}");
        wait_for("the alert's enrichment is over", || async {
            let alert = self.backend.get(&path).await?;
            Ok((alert["is_enriched"] == json!(true)).then_some(alert))
        })
        .await
    }

    /// `PATCH /v1/alerts/{uuid}` with the admin key.
    pub async fn patch_alert(&self, uuid: &str, body: &Value) -> Result<(u16, Value)> {
        let path = format!("/v1/alerts/{uuid}");
        let admin = self.backend.admin();
        self.backend
            .call(admin, Method::PATCH, &path, Some(body))
            .await
    }

    /// A request whose headers and bytes the test decides.
    pub async fn raw(
        &self,
        key: &str,
        (method, path): (Method, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answered> {
        let url = format!("{}{path}", self.backend.base_url);
        let mut request = http_client()?.request(method, url).bearer_auth(key);
        if !body.is_empty() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_vec());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        Ok(Answered {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: response.bytes().await?.to_vec(),
        })
    }

    /// The agent's deliveries, newest first.
    pub async fn deliveries(&self, agent: &str) -> Result<Vec<Value>> {
        let list = self
            .backend
            .get(&format!("/v1/agents/{agent}/deliveries"))
            .await?;
        Ok(list.as_array().cloned().unwrap_or_default())
    }
}

/// The payloads that an agent was sent, by their alert's title.
pub fn titles(seen: &[Recorded]) -> Vec<String> {
    let title = |one: &Recorded| one.json()["alert"]["title"].as_str().map(str::to_owned);
    let mut titles: Vec<String> = seen.iter().filter_map(title).collect();
    titles.sort();
    titles
}

/// The text at a path of the repository.
pub fn repository_text(path: &str) -> String {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// An answer that must be this error; its details.
pub fn refused((status, body): &(u16, Value), expected: (u16, &str)) -> Value {
    assert_eq!(
        (*status, body["error"]["code"].as_str().unwrap_or("")),
        expected,
        "clients branch on status and code: {body}"
    );
    body["error"]["details"].clone()
}
