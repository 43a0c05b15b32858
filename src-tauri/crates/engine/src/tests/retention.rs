//! What time removes, what a person removes, and what stays of it.

use calseta_contract::finding::FindingRequest;
use calseta_contract::retention::{DeleteAllRequest, PurgeRequest, RetentionCounts};
use calseta_contract::triage::NoteRequest;
use calseta_domain::{AlertId, ErrorCode};
use serde_json::{Value, json};

use super::triage::{alert, close};
use super::{World, world};
use crate::retention;

const DAY_MS: i64 = 24 * 3600 * 1000;
const CANARY: &str = "canary7f3a9e";

async fn set(world: &World, patch: Value) {
    let patch = patch.as_object().cloned().unwrap();
    world
        .engine
        .patch_settings(&world.analyst, &patch)
        .await
        .unwrap();
}

async fn is_there(world: &World, id: AlertId) -> bool {
    world.engine.alert(id).await.is_ok()
}

#[tokio::test]
async fn a_run_removes_what_the_preview_counted_and_nothing_else() {
    let world = world().await;
    let (old, open) = (alert(&world, "old").await, alert(&world, "open").await);
    let patch = world.engine.patch_alert(&world.analyst, old, close());
    patch.await.unwrap();
    world.clock.advance_millis(40 * DAY_MS);
    let fresh = alert(&world, "fresh").await;
    let patch = world.engine.patch_alert(&world.analyst, fresh, close());
    patch.await.unwrap();
    let by = &world.analyst;
    let nothing = world.engine.run_retention(by).await.unwrap();
    assert_eq!(
        nothing.removed.closed_alerts, 0,
        "nothing unless a setting says so"
    );
    let what_if = vec![("closed_alerts_days", 30)];
    let preview = world.engine.retention(by, &what_if).await.unwrap();
    assert_eq!(preview.would_remove.closed_alerts, 1);
    assert_eq!(preview.would_remove.open_alerts, 0);
    set(
        &world,
        json!({"retention": {"closed_alerts_days": 30, "event_details_days": 30}}),
    )
    .await;
    let preview = world.engine.retention(by, &Vec::new()).await.unwrap();
    assert!(preview.would_remove.event_details > 0);
    let ran = world.engine.run_retention(by).await.unwrap();
    assert!(ran.is_done);
    assert_eq!(ran.removed, preview.would_remove);
    assert!(!is_there(&world, old).await);
    assert!(is_there(&world, open).await && is_there(&world, fresh).await);
    let after = world.engine.retention(by, &Vec::new()).await.unwrap();
    assert_eq!(after.would_remove, RetentionCounts::default());
    assert_eq!(after.last_run.map(|run| run.removed), Some(ran.removed));
    assert!(
        world.engine.verify(by).await.unwrap().ok,
        "the log still verifies"
    );
    let last = world.events(by).await.pop();
    assert_eq!(
        last.map(|(kind, _)| kind).as_deref(),
        Some("retention.applied")
    );
}

async fn with_traces(world: &World) -> AlertId {
    let body = json!({"title": format!("{CANARY} title"), "severity": "High",
        "src_ip": "203.0.113.77", "note": CANARY});
    let id = world.ingest("generic", &body).await;
    let note = NoteRequest {
        text: format!("{CANARY} noted"),
    };
    world
        .engine
        .add_note(&world.analyst, id, note)
        .await
        .unwrap();
    let posted = crate::PostedWith {
        key: None,
        webhook_id: None,
        body: Vec::new(),
    };
    let finding: FindingRequest =
        serde_json::from_value(json!({"summary": format!("{CANARY} found")})).unwrap();
    world
        .engine
        .post_finding(&world.analyst, id, finding, posted)
        .await
        .unwrap();
    id
}

/// Whether a file of the data directory has the canary in it.
fn holds_canary(world: &World) -> bool {
    let needle = CANARY.as_bytes();
    std::fs::read_dir(world.engine.data_dir())
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.unwrap().path()).ok())
        .any(|bytes| bytes.windows(needle.len()).any(|part| part == needle))
}

#[tokio::test]
async fn a_purged_alert_leaves_a_stub_and_no_word_of_itself() {
    let world = world().await;
    let deleted = with_traces(&world).await;
    world
        .engine
        .delete_alert(&world.analyst, deleted)
        .await
        .unwrap();
    let purged_too = |id| {
        let request = PurgeRequest {
            reason: "held a password".to_owned(),
        };
        world.engine.purge_alert(&world.analyst, id, request)
    };
    assert!(holds_canary(&world), "the control: deleting is not purging");
    let gone = purged_too(deleted).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);

    let world = self::world().await;
    let other = alert(&world, "other").await;
    let id = with_traces(&world).await;
    let agent = world.key("agent", &["admin"]).await;
    let request = PurgeRequest {
        reason: "held a password".to_owned(),
    };
    let refused = world.engine.purge_alert(&agent, id, request.clone()).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::HumanKeyRequired);
    let empty = PurgeRequest {
        reason: " ".to_owned(),
    };
    let refused = world.engine.purge_alert(&world.analyst, id, empty).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ValidationError);
    assert!(holds_canary(&world));
    let purged = world
        .engine
        .purge_alert(&world.analyst, id, request)
        .await
        .unwrap();
    assert_eq!((purged.findings, purged.notes), (1, 1), "{purged:?}");
    assert!(
        purged.indicators > 0 && purged.event_details > 0,
        "{purged:?}"
    );
    assert!(!is_there(&world, id).await && is_there(&world, other).await);
    assert!(
        !holds_canary(&world),
        "neither in the database nor in its log"
    );
    let (kind, detail) = world.events(&world.analyst).await.pop().unwrap();
    assert_eq!(kind, "alert.purged");
    assert_eq!(detail["reason"], "held a password");
    assert_eq!(detail["payload_sha256"], json!(purged.payload_sha256));
    assert!(world.engine.verify(&world.analyst).await.unwrap().ok);
}

#[tokio::test]
async fn all_alerts_go_when_the_number_is_typed_and_later_ones_stay() {
    let world = world().await;
    for n in 0..45 {
        alert(&world, &format!("alert {n}")).await;
    }
    let ask = |confirm: &str| {
        let request = DeleteAllRequest {
            confirm: confirm.to_owned(),
        };
        world.engine.delete_all_alerts(&world.analyst, request)
    };
    for wrong in ["", "delete", "delete 44 alerts", "DELETE 45 ALERTS"] {
        let refused = ask(wrong).await.unwrap_err();
        assert!(
            refused.message.contains("delete 45 alerts"),
            "{}",
            refused.message
        );
    }
    assert_eq!(ask("delete 45 alerts").await.unwrap().alerts, 45);
    world.clock.advance_millis(1);
    let later = alert(&world, "later").await;
    let under_way = world.engine.retention(&world.analyst, &Vec::new()).await;
    assert!(under_way.unwrap().deleting_all.is_some());
    retention::delete_all(&world.engine.inner).await.unwrap();
    let after = world.engine.retention(&world.analyst, &Vec::new()).await;
    assert!(after.unwrap().deleting_all.is_none());
    assert!(is_there(&world, later).await);
    let (kind, detail) = world.events(&world.analyst).await.pop().unwrap();
    assert_eq!(
        (kind.as_str(), &detail["deleted"]),
        ("retention.all_deleted", &json!(45))
    );
    // Asked for once, done once.
    let again = alert(&world, "again").await;
    retention::delete_all(&world.engine.inner).await.unwrap();
    assert!(is_there(&world, again).await);
}
