//! The stages, single-stepped on a standing clock.

use calseta_contract::Patch;
use calseta_contract::agent::AgentRequest;
use calseta_contract::alert::AlertPatch;
use calseta_contract::api_key::ApiKeyRequest;
use calseta_contract::ingest::IngestStatus;
use calseta_contract::provider::ProviderPatch;
use calseta_domain::{EnrichmentStatus, ErrorCode, Timestamp};
use serde_json::json;

use super::matching::{self, Step};
use crate::{Clock, DeliveryListQuery, Engine, EngineConfig, PageNumber, Principal};

const PAGE: PageNumber = PageNumber {
    page: 1,
    page_size: 50,
};
const HOUR_MS: i64 = 3_600_000;

struct World {
    engine: Engine,
    clock: Clock,
    analyst: Principal,
    _dir: tempfile::TempDir,
}

async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::standing(Timestamp::from_millis(1_800_000_000_000));
    let config = EngineConfig {
        data_dir: dir.path().join("data"),
        demo: false,
        clock: clock.clone(),
        key_store: crate::KeyStore::File,
    };
    let engine = Engine::open(config).await.unwrap();
    let analyst = Principal::analyst();
    World {
        engine,
        clock,
        analyst,
        _dir: dir,
    }
}

impl World {
    async fn ingest(&self, severity: &str) -> calseta_contract::ingest::IngestView {
        let body = json!({"title": "T", "severity": severity, "src_ip": "8.8.8.8"}).to_string();
        let ingested = self
            .engine
            .ingest(&self.analyst, "generic", body.as_bytes(), None);
        ingested.await.unwrap().0.remove(0)
    }

    async fn step(&self) -> Step {
        matching::step(&self.engine.inner).await.unwrap()
    }

    /// Gives a provider a key, so that it is asked; no loop runs here that would ask it.
    async fn provider_that_never_answers(&self) {
        let providers = self
            .engine
            .providers(crate::ProviderListQuery::default())
            .await
            .unwrap();
        let uuid = providers[0].uuid;
        let key = json!({"api_key": "0123456789"})
            .as_object()
            .unwrap()
            .clone();
        let patch = ProviderPatch {
            auth_config: Patch::Set(key),
            ..ProviderPatch::default()
        };
        self.engine
            .patch_provider(&self.analyst, uuid, patch)
            .await
            .unwrap();
    }

    async fn agent(&self, filter: serde_json::Value) {
        let request = AgentRequest {
            name: "agent".to_owned(),
            webhook_url: Some("http://127.0.0.1:9/webhook".to_owned()),
            trigger_filter: Some(filter),
            ..AgentRequest::default()
        };
        self.engine
            .create_agent(&self.analyst, request)
            .await
            .unwrap();
    }

    async fn deliveries(&self) -> Vec<u32> {
        let all = self
            .engine
            .deliveries(DeliveryListQuery::default(), PAGE)
            .await;
        all.unwrap().rows.iter().map(|row| row.generation).collect()
    }
}

#[tokio::test]
async fn an_alert_without_lookups_is_due_at_once_and_told_once() {
    let world = world().await;
    world.agent(json!({})).await;
    world.ingest("High").await;
    assert_eq!(world.step().await, Step::Worked);
    assert_eq!(world.step().await, Step::Idle { next: None });
    assert_eq!(world.deliveries().await, [1]);
}

#[tokio::test]
async fn a_provider_that_never_answers_delays_an_alert_by_its_budget_only() {
    let world = world().await;
    world.agent(json!({})).await;
    world.provider_that_never_answers().await;
    let alert = world.ingest("High").await.alert_uuid;
    let due = world.clock.now().plus_millis(60_000);
    assert_eq!(world.step().await, Step::Idle { next: Some(due) });
    assert!(
        world.deliveries().await.is_empty(),
        "the budget is not spent yet"
    );
    world.clock.advance_millis(60_000);
    assert_eq!(world.step().await, Step::Worked);
    let (view, metadata) = world.engine.alert(alert).await.unwrap();
    assert_eq!(view.summary.enrichment_status, EnrichmentStatus::Partial);
    assert_eq!(
        metadata.enrichment.pending.len(),
        1,
        "the payload says who is missing"
    );
    assert_eq!(world.deliveries().await, [1]);
}

#[tokio::test]
async fn the_dedup_window_runs_from_the_last_sighting() {
    let world = world().await;
    let first = world.ingest("High").await;
    for _ in 0..3 {
        world.clock.advance_millis(23 * HOUR_MS);
        let again = world.ingest("High").await;
        assert_eq!(again.status, IngestStatus::Deduplicated);
        assert_eq!(again.alert_uuid, first.alert_uuid);
    }
    world.clock.advance_millis(25 * HOUR_MS);
    let later = world.ingest("High").await;
    assert_eq!(
        later.status,
        IngestStatus::Queued,
        "a day without it makes a new alert"
    );
}

#[tokio::test]
async fn a_closed_alert_does_not_swallow_its_recurrence() {
    let world = world().await;
    let first = world.ingest("High").await.alert_uuid;
    let close = AlertPatch {
        status: Patch::Set("Closed".to_owned()),
        close_classification: Patch::Set("Undetermined".to_owned()),
        ..AlertPatch::default()
    };
    world
        .engine
        .patch_alert(&world.analyst, first, close)
        .await
        .unwrap();
    let second = world.ingest("High").await;
    assert_eq!(second.status, IngestStatus::Queued);
    let (view, _) = world.engine.alert(second.alert_uuid).await.unwrap();
    assert_eq!(view.summary.duplicate_of, Some(first));
}

#[tokio::test]
async fn a_repetition_that_raises_the_severity_reaches_agents_that_wait_for_it() {
    let world = world().await;
    world.agent(json!({"min_severity": "Critical"})).await;
    world.ingest("Medium").await;
    assert_eq!(world.step().await, Step::Worked);
    assert!(world.deliveries().await.is_empty());
    let raised = world.ingest("Critical").await;
    assert_eq!(raised.status, IngestStatus::Deduplicated);
    assert_eq!(world.step().await, Step::Worked);
    assert_eq!(world.deliveries().await, [2], "told under a new generation");
}

#[tokio::test]
async fn a_key_stops_working_when_it_expires() {
    let world = world().await;
    let request = ApiKeyRequest {
        name: "short".to_owned(),
        scopes: vec!["alerts:read".to_owned()],
        expires_at: Some(world.clock.now().plus_millis(HOUR_MS)),
        ..ApiKeyRequest::default()
    };
    let made = world
        .engine
        .create_api_key(&world.analyst, request)
        .await
        .unwrap();
    let key = made.key.expect("a new key is shown once");
    assert!(world.engine.authenticate(&key).await.is_ok());
    world.clock.advance_millis(HOUR_MS);
    let refused = world.engine.authenticate(&key).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::KeyExpired);
}

#[tokio::test]
async fn the_keys_of_a_deleted_agent_end_with_it() {
    let world = world().await;
    world.agent(json!({})).await;
    let agent = world.engine.agents().await.unwrap()[0].uuid;
    let request = ApiKeyRequest {
        name: "its key".to_owned(),
        scopes: vec!["alerts:read".to_owned()],
        agent_uuid: Some(agent),
        ..ApiKeyRequest::default()
    };
    let made = world
        .engine
        .create_api_key(&world.analyst, request)
        .await
        .unwrap();
    let key = made.key.expect("a new key is shown once");
    assert!(world.engine.authenticate(&key).await.is_ok());
    world
        .engine
        .delete_agent(&world.analyst, agent)
        .await
        .unwrap();
    let refused = world.engine.authenticate(&key).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unauthorized);
}
