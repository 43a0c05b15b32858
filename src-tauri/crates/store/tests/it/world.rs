//! A store on a directory of its own, and rows to put into it.

use std::path::Path;

use calseta_domain::{AgentId, AlertId, DeliveryId, Severity, Timestamp};
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::alert::{self, NewAlert};
use calseta_store::tables::delivery::{self, Lease, NewDelivery};
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::{DataDir, Store, StoreError, WriteTx};
use serde_json::{Map, json};
use tempfile::TempDir;
use uuid::Uuid;

/// The time of everything that needs one.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_760_000_000_000)
}

pub(crate) fn open(dir: &Path) -> Store {
    Store::open(DataDir::take(dir).expect("the directory is free"), now()).expect("it opens")
}

pub(crate) fn fresh() -> (TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = open(dir.path());
    (dir, store)
}

/// Writes, and must be able to.
pub(crate) async fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).await.expect("it is written")
}

/// An alert whose fingerprint, title and times follow from its number.
pub(crate) fn insert_alert(tx: &WriteTx<'_>, n: u64) -> Result<i64, StoreError> {
    let mut fingerprint = [0; 32];
    fingerprint[..8].copy_from_slice(&n.to_be_bytes());
    let severity = Severity::ALL[usize::try_from(n % 6).unwrap_or(0)];
    // Few distinct times and titles: ties are what pages go wrong at.
    let occurred_at = Timestamp::from_millis(now().millis() + i64::try_from(n % 7).unwrap_or(0));
    alert::insert(
        tx,
        &NewAlert {
            uuid: AlertId::new(Uuid::from_u128(u128::from(n) + 1)),
            title: &format!("title {}", n % 5),
            description: None,
            severity,
            source_name: "generic",
            source_url: None,
            occurred_at,
            ingested_at: now(),
            fingerprint,
            duplicate_of: None,
            rule: None,
            tags: &[],
            raw_payload: "{}",
        },
    )
}

pub(crate) fn insert_agent(tx: &WriteTx<'_>) -> Result<i64, StoreError> {
    agent::put(
        tx,
        &AgentRow {
            id: 0,
            uuid: AgentId::new(Uuid::from_u128(7)),
            name: "agent".to_owned(),
            description: None,
            webhook_url: "http://127.0.0.1:9/".to_owned(),
            auth_header_name: None,
            trigger_filter: Map::new(),
            trigger_on_sources: Vec::new(),
            trigger_on_severities: Vec::new(),
            timeout_seconds: 30,
            retry_count: 3,
            is_active: true,
            max_in_flight: 4,
            health: calseta_domain::breaker::Health::Closed,
            documentation: None,
            created_at: now(),
            updated_at: now(),
        },
    )
}

pub(crate) fn insert_delivery(
    tx: &WriteTx<'_>,
    (alert, agent): (i64, i64),
    n: u128,
) -> Result<Option<i64>, StoreError> {
    let payload = delivery::put_payload(tx, [3; 32], b"{}")?;
    delivery::insert(
        tx,
        &NewDelivery {
            uuid: DeliveryId::new(Uuid::from_u128(n)),
            alert: Some(alert),
            agent,
            generation: 1,
            trigger: "enriched",
            payload,
            created_at: now(),
        },
    )
}

/// In hand until a second of this process's awake clock.
pub(crate) fn lease(boot: i64) -> Lease {
    Lease {
        boot,
        until_awake_ms: 1_000,
    }
}

pub(crate) fn append_event(tx: &WriteTx<'_>, n: usize) -> Result<i64, StoreError> {
    let mut detail = Map::new();
    detail.insert("n".to_owned(), json!(n));
    let actor = Actor::system();
    event::append(
        tx,
        NewEvent {
            at: now(),
            actor: &actor,
            kind: "alert.created",
            object: ("alert", Some(Uuid::from_u128(n as u128))),
            alert: Some(AlertId::new(Uuid::from_u128(n as u128))),
            detail,
        },
    )
}
