//! The engine's nouns, asked as the server asks them, on a standing clock and without stages.

mod agents;
mod bulk;
mod configuration;
mod console;
mod delivery;
mod evidence;
mod fault_points;
mod intake;
mod messages;
pub(crate) mod peer;
mod quarantine;
mod retention;
mod suppressions;
mod triage;

use calseta_contract::api_key::ApiKeyRequest;
use calseta_domain::Timestamp;
use serde_json::Value;

use crate::{Clock, Engine, EngineConfig, EventRange, KeyStore, PageNumber, Principal};

pub(crate) const PAGE: PageNumber = PageNumber {
    page: 1,
    page_size: 50,
};

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    pub(crate) analyst: Principal,
    dir: tempfile::TempDir,
}

pub(crate) async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::standing(Timestamp::from_millis(1_800_000_000_000));
    World {
        engine: open(dir.path(), &clock).await,
        clock,
        analyst: Principal::analyst(),
        dir,
    }
}

async fn open(dir: &std::path::Path, clock: &Clock) -> Engine {
    let config = EngineConfig {
        data_dir: dir.join("data"),
        demo: false,
        clock: clock.clone(),
        key_store: KeyStore::File,
    };
    Engine::open(config).await.unwrap()
}

impl World {
    /// The same directory under another process, as far as the store can tell: the first one ends
    /// without a word.
    pub(crate) async fn crashed(self) -> Self {
        let Self {
            engine,
            clock,
            analyst,
            dir,
        } = self;
        drop(engine);
        Self {
            engine: open(dir.path(), &clock).await,
            clock,
            analyst,
            dir,
        }
    }

    /// The holder of a new key.
    pub(crate) async fn key(&self, kind: &str, scopes: &[&str]) -> Principal {
        let request = ApiKeyRequest {
            name: format!("{kind} key"),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            key_type: Some(kind.to_owned()),
            ..ApiKeyRequest::default()
        };
        let made = self
            .engine
            .create_api_key(&self.analyst, request)
            .await
            .unwrap();
        self.engine.authenticate(&made.key.unwrap()).await.unwrap()
    }

    pub(crate) async fn ingest(&self, source: &str, body: &Value) -> calseta_domain::AlertId {
        let body = body.to_string();
        let ingested = self
            .engine
            .ingest(&self.analyst, source, body.as_bytes(), None);
        ingested.await.unwrap().0.remove(0).alert_uuid
    }

    /// The types and details of all events that somebody may read.
    pub(crate) async fn events(&self, by: &Principal) -> Vec<(String, Value)> {
        let range = EventRange {
            after: Some(0),
            wait: std::time::Duration::ZERO,
        };
        let batch = self.engine.events(by, range).await.unwrap();
        batch
            .events
            .into_iter()
            .map(|event| (event.kind, Value::Object(event.changed)))
            .collect()
    }
}
