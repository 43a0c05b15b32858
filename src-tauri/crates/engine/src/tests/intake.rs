//! Sources, signatures, rejects, settings that ingest obeys.

use calseta_contract::Patch;
use calseta_contract::source::{SourcePatch, SourceRequest};
use calseta_domain::ErrorCode;
use hmac::{Hmac, Mac as _};
use http::HeaderMap;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{PAGE, World, world};

fn object(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn wazuh(world: &World) -> calseta_domain::SourceId {
    let request = SourceRequest {
        source_name: "wazuh".to_owned(),
        field_map: Some(object(&json!({
            "title": "rule.description",
            "severity": "rule.level",
            "severity_map": {"12-15": "High"},
        }))),
        ..SourceRequest::default()
    };
    world
        .engine
        .create_source(&world.analyst, request)
        .await
        .unwrap()
        .uuid
}

fn payload() -> Value {
    json!({"rule": {"description": "Brute force", "level": 12}, "src_ip": "203.0.113.9"})
}

#[tokio::test]
async fn an_own_source_reads_its_payloads_by_its_field_map() {
    let world = world().await;
    wazuh(&world).await;
    let alert = world.ingest("wazuh", &payload()).await;
    let (view, _) = world.engine.alert(alert).await.unwrap();
    assert_eq!(view.summary.title, "Brute force");
    assert_eq!(view.summary.severity.as_str(), "High");
    assert_eq!(view.summary.source_name, "wazuh");
    let again = SourceRequest {
        source_name: "wazuh".to_owned(),
        ..SourceRequest::default()
    };
    let refused = world.engine.create_source(&world.analyst, again).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::DuplicateSource);
    let other = SourceRequest {
        source_name: "mine".to_owned(),
        plugin: Some("sentinel".to_owned()),
        ..SourceRequest::default()
    };
    let refused = world.engine.create_source(&world.analyst, other).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ValidationError);
}

#[tokio::test]
async fn a_source_that_is_switched_off_takes_nothing_and_built_in_ones_stay() {
    let world = world().await;
    let id = wazuh(&world).await;
    let off = SourcePatch {
        is_active: Patch::Set(false),
        ..SourcePatch::default()
    };
    world
        .engine
        .patch_source(&world.analyst, id, off)
        .await
        .unwrap();
    let body = payload().to_string();
    let refused = world
        .engine
        .ingest(&world.analyst, "wazuh", body.as_bytes(), None)
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::IngestPaused);
    assert!(refused.retry_after.is_some());
    let sources = world.engine.sources().await.unwrap();
    let builtin = sources.iter().find(|source| source.is_builtin).unwrap();
    let refused = world
        .engine
        .delete_source(&world.analyst, builtin.uuid)
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::BuiltinRestricted);
    world
        .engine
        .delete_source(&world.analyst, id)
        .await
        .unwrap();
    assert!(world.engine.source(id).await.is_err());
}

#[tokio::test]
async fn a_signed_source_refuses_what_is_not_signed_and_keeps_it_for_a_replay() {
    let world = world().await;
    let id = wazuh(&world).await;
    let secret = SourcePatch {
        webhook_secret: Patch::Set("a-webhook-secret-of-mine".to_owned()),
        ..SourcePatch::default()
    };
    let view = world
        .engine
        .patch_source(&world.analyst, id, secret)
        .await
        .unwrap();
    assert!(view.has_webhook_secret);
    assert_eq!(
        view.signature_header.as_deref(),
        Some("X-Calseta-Signature")
    );
    let body = payload().to_string();
    let send = |headers: HeaderMap| {
        let (engine, analyst, body) = (world.engine.clone(), world.analyst.clone(), body.clone());
        async move {
            engine
                .ingest_signed(&analyst, "wazuh", body.as_bytes(), None, &headers)
                .await
        }
    };
    let unsigned = send(HeaderMap::new()).await.unwrap_err();
    assert_eq!(unsigned.code, ErrorCode::InvalidSignature);
    let mut mac =
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(b"a-webhook-secret-of-mine").unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert("x-calseta-signature", signature.parse().unwrap());
    assert!(send(headers.clone()).await.is_ok());
    // The master key is replaced: the signature still fits.
    world
        .engine
        .rotate_master_key(&world.analyst)
        .await
        .unwrap();
    assert!(send(headers).await.is_ok());
    let rejects = world.engine.rejects(id, PAGE).await.unwrap();
    assert_eq!(rejects.total, Some(1));
    let reject = &rejects.rows[0];
    assert_eq!(reject.code, "INVALID_SIGNATURE");
    assert_eq!(reject.body_excerpt, body);
    let accepted = world
        .engine
        .replay_reject(&world.analyst, id, reject.uuid)
        .await
        .unwrap();
    assert!(accepted[0].is_duplicate, "the same alert was sent signed");
    let left = world.engine.rejects(id, PAGE).await.unwrap();
    assert_eq!(left.total, Some(0));
    let events = serde_json::to_string(&world.events(&world.analyst).await).unwrap();
    assert!(events.contains("source.updated"));
    assert!(
        !events.contains("a-webhook-secret"),
        "a secret is in no event"
    );
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_kept_until_the_map_is_mended() {
    let world = world().await;
    let id = wazuh(&world).await;
    let body = json!({"alert": {"name": "Beacon"}}).to_string();
    let refused = world
        .engine
        .ingest(&world.analyst, "wazuh", body.as_bytes(), None)
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidPayload);
    let reject = world.engine.rejects(id, PAGE).await.unwrap().rows.remove(0);
    let still = world
        .engine
        .replay_reject(&world.analyst, id, reject.uuid)
        .await;
    assert!(still.is_err());
    assert_eq!(
        world.engine.rejects(id, PAGE).await.unwrap().total,
        Some(1),
        "a replay that fails loses nothing"
    );
    let mended = SourcePatch {
        field_map: Patch::Set(object(&json!({"title": "alert.name"}))),
        ..SourcePatch::default()
    };
    world
        .engine
        .patch_source(&world.analyst, id, mended)
        .await
        .unwrap();
    let views = world
        .engine
        .replay_reject(&world.analyst, id, reject.uuid)
        .await
        .unwrap();
    let (view, _) = world.engine.alert(views[0].alert_uuid).await.unwrap();
    assert_eq!(view.summary.title, "Beacon");
}

#[tokio::test]
async fn settings_are_obeyed_at_once_and_change_whole_or_not_at_all() {
    let world = world().await;
    let patch = object(&json!({
        "general": {"analyst_name": "Robin"},
        "ingest": {"paused": true, "dedup_window_hours": 1},
    }));
    let view = world
        .engine
        .patch_settings(&world.analyst, &patch)
        .await
        .unwrap();
    assert_eq!(view.groups["ingest"]["paused"], json!(true));
    let body = payload().to_string();
    let paused = world
        .engine
        .ingest(&world.analyst, "generic", body.as_bytes(), None)
        .await;
    assert_eq!(paused.unwrap_err().code, ErrorCode::IngestPaused);
    let half = object(&json!({"ingest": {"paused": false, "dedup_window_hours": 100_000}}));
    let refused = world.engine.patch_settings(&world.analyst, &half).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ValidationError);
    assert!(
        world.engine.settings().flag("ingest", "paused"),
        "nothing of it"
    );
    let back = object(&json!({"ingest": {"paused": null}}));
    world
        .engine
        .patch_settings(&world.analyst, &back)
        .await
        .unwrap();
    assert!(!world.engine.settings().flag("ingest", "paused"));
    let first = world.ingest("generic", &json!({"title": "T"})).await;
    world.clock.advance_millis(2 * 3_600_000);
    let later = world.ingest("generic", &json!({"title": "T"})).await;
    assert_ne!(first, later, "the window is an hour now");
    let agent = world.key("agent", &["admin"]).await;
    let refused = world.engine.patch_settings(&agent, &back).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::HumanKeyRequired);
}
