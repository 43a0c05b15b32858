//! Keys, rules, documents, mappings: what changes leaves an event, and who may read it.

use std::time::Duration;

use calseta_contract::Patch;
use calseta_contract::api_key::{ApiKeyPatch, ApiKeyRequest};
use calseta_contract::context_document::{DocumentPatch, DocumentRequest};
use calseta_contract::detection_rule::{RulePatch, RuleRequest};
use calseta_contract::mapping::{ExtractionTestRequest, MappingPatch};
use calseta_domain::ErrorCode;
use serde_json::{json, value::RawValue};

use super::{PAGE, world};
use crate::{
    Direction, DocumentFilter, DocumentForm, DocumentSort, Engine, EventRange, FailedAuth,
    MappingFilter, Upload,
};

fn key_request(name: &str, scope: &str) -> ApiKeyRequest {
    ApiKeyRequest {
        name: name.to_owned(),
        scopes: vec![scope.to_owned()],
        ..ApiKeyRequest::default()
    }
}

#[tokio::test]
async fn the_last_admin_key_of_a_person_cannot_be_taken_away() {
    let world = world().await;
    let make = |request| world.engine.create_api_key(&world.analyst, request);
    let first = make(key_request("first", "admin")).await.unwrap().uuid;
    let change = |id, patch| world.engine.patch_api_key(&world.analyst, id, patch);
    let to_reader = || ApiKeyPatch {
        scopes: Patch::Set(vec!["alerts:read".to_owned()]),
        ..ApiKeyPatch::default()
    };
    let off = || ApiKeyPatch {
        is_active: Patch::Set(false),
        ..ApiKeyPatch::default()
    };
    for patch in [to_reader(), off()] {
        let refused = change(first, patch).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::LastAdminKey);
        assert_eq!(refused.status(), 409);
    }
    let refused = world.engine.revoke_api_key(&world.analyst, first).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::LastAdminKey);
    // An agent's admin key does not count; another person's does.
    world.key("agent", &["admin"]).await;
    assert!(change(first, off()).await.is_err());
    make(key_request("second", "admin")).await.unwrap();
    let view = change(first, off()).await.unwrap();
    assert!(!view.is_active);
    let on = ApiKeyPatch {
        is_active: Patch::Set(true),
        ..ApiKeyPatch::default()
    };
    assert!(change(first, on).await.unwrap().is_active);
}

#[tokio::test]
async fn changed_scopes_hold_from_the_next_request_on() {
    let world = world().await;
    let made = world
        .engine
        .create_api_key(&world.analyst, key_request("key", "alerts:read"))
        .await
        .unwrap();
    let key = made.key.unwrap();
    let before = world.engine.authenticate(&key).await.unwrap();
    assert!(!before.has(calseta_domain::Scope::AlertsWrite));
    let patch = ApiKeyPatch {
        scopes: Patch::Set(vec!["alerts:write".to_owned()]),
        allowed_sources: Patch::Set(vec!["generic".to_owned()]),
        ..ApiKeyPatch::default()
    };
    world
        .engine
        .patch_api_key(&world.analyst, made.uuid, patch)
        .await
        .unwrap();
    let after = world.engine.authenticate(&key).await.unwrap();
    assert!(after.has(calseta_domain::Scope::AlertsWrite));
    assert!(after.need_source("sentinel").is_err());
    let clear = ApiKeyPatch {
        allowed_sources: Patch::Clear,
        ..ApiKeyPatch::default()
    };
    world
        .engine
        .patch_api_key(&world.analyst, made.uuid, clear)
        .await
        .unwrap();
    let free = world.engine.authenticate(&key).await.unwrap();
    assert!(free.need_source("sentinel").is_ok());
}

fn rule(id: Option<&str>) -> RuleRequest {
    let body = json!({
        "name": "Impossible travel", "source_name": "sentinel", "source_rule_id": id,
        "mitre_tactics": ["Initial Access"], "mitre_techniques": ["T1078"],
    });
    serde_json::from_value(body).unwrap()
}

#[tokio::test]
async fn rules_speak_attack_ids_and_are_unique_at_their_source() {
    let world = world().await;
    let view = world
        .engine
        .create_rule(&world.analyst, rule(Some("r-1")))
        .await
        .unwrap();
    assert_eq!(view.mitre_tactics, ["TA0001"]);
    assert_eq!(view.mitre_names["T1078"], "Valid Accounts");
    let again = world
        .engine
        .create_rule(&world.analyst, rule(Some("r-1")))
        .await
        .unwrap_err();
    assert_eq!(
        (again.code, again.status()),
        (ErrorCode::DuplicateRule, 409)
    );
    let patch = RulePatch {
        mitre_techniques: Patch::Set(vec!["T0000".to_owned()]),
        ..RulePatch::default()
    };
    let refused = world
        .engine
        .patch_rule(&world.analyst, view.uuid, patch)
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ValidationError);
    world
        .engine
        .delete_rule(&world.analyst, view.uuid)
        .await
        .unwrap();
    let events = world.events(&world.analyst).await;
    let of_rules = events.iter().filter(|(kind, _)| kind == "rule.updated");
    assert_eq!(
        of_rules.count(),
        2,
        "created and deleted; what failed left none"
    );
}

#[tokio::test]
async fn a_document_keeps_its_history_and_an_old_version_comes_back_as_a_new_one() {
    let world = world().await;
    let upload = Upload {
        file_name: Some("Runbook.html".to_owned()),
        content_type: None,
        bytes: b"<h1>One</h1>".to_vec(),
    };
    let form = DocumentForm {
        document_type: Some("runbook".to_owned()),
        ..DocumentForm::default()
    };
    let view = world
        .engine
        .upload_document(&world.analyst, upload, form)
        .await
        .unwrap();
    assert_eq!((&*view.title, &*view.content), ("Runbook", "# One"));
    let patch = DocumentPatch {
        content: Patch::Set("two".to_owned()),
        ..DocumentPatch::default()
    };
    world
        .engine
        .patch_document(&world.analyst, view.uuid, patch)
        .await
        .unwrap();
    let restored = world
        .engine
        .restore_document(&world.analyst, view.uuid, 1)
        .await
        .unwrap();
    assert_eq!((restored.version, &*restored.content), (3, "# One"));
    let versions = world
        .engine
        .document_versions(view.uuid, PAGE)
        .await
        .unwrap();
    let numbers: Vec<u64> = versions.rows.iter().map(|row| row.version).collect();
    assert_eq!(numbers, [3, 2, 1]);
    let second = world.engine.document_version(view.uuid, 2).await.unwrap();
    assert_eq!(second.content.as_deref(), Some("two"));
    let request = DocumentRequest {
        title: "Another".to_owned(),
        document_type: "sop".to_owned(),
        content: "x".to_owned(),
        description: None,
        is_global: true,
        tags: Vec::new(),
        targeting_rules: None,
    };
    world
        .engine
        .create_document(&world.analyst, request)
        .await
        .unwrap();
    let filter = DocumentFilter {
        is_global: Some(true),
        ..DocumentFilter::default()
    };
    let order = (DocumentSort::Title, Direction::Ascending);
    let global = world
        .engine
        .list_documents(filter, order, PAGE)
        .await
        .unwrap();
    assert_eq!(global.total, Some(1));
}

#[tokio::test]
async fn built_in_mappings_can_only_be_switched_off() {
    let world = world().await;
    let filter = MappingFilter {
        is_system: Some(true),
        ..MappingFilter::default()
    };
    let all = world.engine.mappings(filter, PAGE).await.unwrap();
    assert_eq!(all.total, Some(14));
    let id = all.rows[0].uuid;
    let patch = MappingPatch {
        description: Patch::Set("mine".to_owned()),
        ..MappingPatch::default()
    };
    let refused = world.engine.patch_mapping(&world.analyst, id, patch).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::SystemMappingReadonly);
    let unknown = MappingPatch {
        field_path: Patch::Set("no_such_field".to_owned()),
        ..MappingPatch::default()
    };
    let refused = world
        .engine
        .patch_mapping(&world.analyst, id, unknown)
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::SystemMappingReadonly);
    let refused = world.engine.delete_mapping(&world.analyst, id).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::SystemMappingReadonly);
    let off = MappingPatch {
        is_active: Patch::Set(false),
        ..MappingPatch::default()
    };
    let view = world
        .engine
        .patch_mapping(&world.analyst, id, off)
        .await
        .unwrap();
    assert!(!view.is_active);
    assert!(!Engine::source_plugin_fields().is_empty());
}

#[tokio::test]
async fn a_tried_extraction_shows_what_each_pass_finds_and_stores_nothing() {
    let world = world().await;
    let payload = json!({"title": "T", "severity": "high", "src_ip": "203.0.113.9"});
    let request = ExtractionTestRequest {
        source_name: "generic".to_owned(),
        raw_payload: RawValue::from_string(payload.to_string()).unwrap(),
    };
    let tried = world.engine.test_extraction(&request).unwrap();
    assert_eq!(tried.deduplicated_count, 1);
    let found: Vec<usize> = tried.passes.iter().map(|p| p.indicators.len()).collect();
    assert_eq!(found, [1, 1, 0], "the second pass finds it too, alone");
    let preview = tried.normalization_preview.unwrap();
    assert_eq!(preview["severity"], json!("High"));
    assert!(world.events(&world.analyst).await.is_empty());
}

#[tokio::test]
async fn refused_keys_are_counted_not_listed_one_by_one() {
    let world = world().await;
    for n in 0..100 {
        world.engine.record_failed_auth(FailedAuth {
            reason: "invalid_key",
            method: "GET".to_owned(),
            path: format!("/v1/alerts/{n}"),
            key_prefix: Some("cai_guess\n123".to_owned()),
            client: Some("127.0.0.1".to_owned()),
        });
    }
    let (mut after, mut events, mut counted) = (0, 0, 0);
    while counted < 100 {
        let range = EventRange {
            after: Some(after),
            wait: Duration::from_secs(20),
        };
        let batch = world.engine.events(&world.analyst, range).await.unwrap();
        assert!(
            !batch.events.is_empty(),
            "the rest is counted within a second"
        );
        after = batch.next_after;
        for event in batch.events {
            assert_eq!(event.kind, "auth.failed");
            assert_eq!(event.actor.key_prefix.as_deref(), Some("cai_guess123"));
            counted += event.changed["count"].as_u64().unwrap();
            events += 1;
        }
    }
    assert_eq!((events, counted), (2, 100));
}

#[tokio::test]
async fn audit_events_are_for_administrators() {
    let world = world().await;
    let reader = world.key("human", &["alerts:read"]).await;
    world.ingest("generic", &json!({"title": "T"})).await;
    let kinds = |events: Vec<(String, serde_json::Value)>| {
        events
            .into_iter()
            .map(|(kind, _)| kind)
            .collect::<Vec<String>>()
    };
    assert_eq!(kinds(world.events(&reader).await), ["alert.created"]);
    assert_eq!(
        kinds(world.events(&world.analyst).await),
        ["key.created", "alert.created"]
    );
}
