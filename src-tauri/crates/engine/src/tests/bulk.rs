//! Changing many alerts at once: what is left alone, what a trial run says, and one undo for all.

use calseta_contract::change::{BulkAction, BulkRequest, BulkSelect};
use calseta_domain::{AlertId, AlertStatus, ErrorCode, Severity};

use super::triage::{FALSE_POSITIVE, alert, bulk, close, close_all, since, view};
use super::world;

#[tokio::test]
async fn seventy_alerts_are_closed_and_reopened_in_one_step_each() {
    let world = world().await;
    let mut ids = Vec::new();
    for n in 0..70 {
        ids.push(alert(&world, &format!("noisy {n}")).await);
    }
    let by = world.key("human", &["alerts:write"]).await;
    let seen = world.events(&world.analyst).await.len();
    let done = bulk(&world, &by, &ids, close_all()).await;
    assert_eq!((done.changed, done.skipped_count), (70, 0));
    let change = done.change_uuid.expect("it can be taken back");

    // Somebody reopens one and another is deleted before the change is taken back.
    world
        .engine
        .reopen_alert(&world.analyst, ids[3])
        .await
        .unwrap();
    world
        .engine
        .delete_alert(&world.analyst, ids[4])
        .await
        .unwrap();
    let undone = world
        .engine
        .undo_change(&world.analyst, change)
        .await
        .unwrap();
    assert_eq!(undone.restored, 68);
    let mut left: Vec<AlertId> = undone.skipped.iter().map(|one| one.uuid).collect();
    left.sort();
    let mut expected = vec![ids[3], ids[4]];
    expected.sort();
    assert_eq!(left, expected, "changed since: left alone and named");
    for id in [ids[0], ids[69]] {
        assert_eq!(view(&world, id).await.summary.status, AlertStatus::Open);
    }

    let range = crate::EventRange {
        after: Some(i64::try_from(seen).unwrap()),
        wait: std::time::Duration::ZERO,
    };
    let batch = world.engine.events(&world.analyst, range).await.unwrap();
    let of = |kind: &str, actor: &str| {
        let events = batch.events.iter();
        events
            .filter(|event| event.kind == kind && event.actor.kind == actor)
            .count()
    };
    assert_eq!(of("alert.closed", "human_key"), 70);
    assert_eq!(
        of("alert.reopened", "analyst"),
        69,
        "68 and the one by hand"
    );
}

#[tokio::test]
async fn a_bulk_change_names_what_it_leaves_alone() {
    let world = world().await;
    let ids = [alert(&world, "a").await, alert(&world, "b").await];
    let triaging = world.engine.patch_alert(&world.analyst, ids[0], close());
    triaging.await.unwrap();
    let done = bulk(&world, &world.analyst, &ids, close_all()).await;
    assert_eq!(done.changed, 1);
    assert_eq!(done.skipped[0].reason, "already closed");
    let open = BulkAction {
        kind: "status".to_owned(),
        status: Some("Triaging".to_owned()),
        ..BulkAction::default()
    };
    let done = bulk(&world, &world.analyst, &ids, open).await;
    assert_eq!((done.changed, done.change_uuid), (0, None));
    assert_eq!(done.skipped[0].reason, "cannot go from Closed to Triaging");
    let agent = world.key("agent", &["admin"]).await;
    let request = BulkRequest::default();
    let refused = world.engine.bulk(&agent, request, None).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::HumanKeyRequired);
}

#[tokio::test]
async fn a_trial_run_says_what_would_happen_and_stores_nothing() {
    let world = world().await;
    let ids = [alert(&world, "a").await, alert(&world, "b").await];
    let seen = world.events(&world.analyst).await.len();
    for (kind, words) in [
        ("close", "Changes 2 alerts: 2 Open."),
        ("enrich", "lookups"),
        ("delete", "This cannot be undone."),
        ("dispatch", "Nothing would be sent."),
    ] {
        let request = BulkRequest {
            select: BulkSelect {
                q: Some("status:open".to_owned()),
                except: vec![],
                uuids: None,
            },
            action: BulkAction {
                kind: kind.to_owned(),
                close_classification: (kind == "close").then(|| FALSE_POSITIVE.to_owned()),
                ..BulkAction::default()
            },
            dry_run: true,
        };
        let would = world.engine.bulk(&world.analyst, request, None).await;
        let would = would.unwrap().0;
        assert_eq!(would.change_uuid, None);
        let said = would.consequences.join(" ");
        assert!(said.contains(words), "{kind}: {said}");
    }
    assert_eq!(since(&world, seen).await, []);
    assert_eq!(view(&world, ids[0]).await.summary.status, AlertStatus::Open);
    // And then it is done to what the query finds, but for one.
    let request = BulkRequest {
        select: BulkSelect {
            q: Some("status:open".to_owned()),
            except: vec![ids[1]],
            uuids: None,
        },
        action: BulkAction {
            kind: "severity".to_owned(),
            severity: Some("High".to_owned()),
            ..BulkAction::default()
        },
        dry_run: false,
    };
    let done = world.engine.bulk(&world.analyst, request, None).await;
    assert_eq!(done.unwrap().0.changed, 1);
    let severities = [view(&world, ids[0]).await, view(&world, ids[1]).await];
    let severities = severities.map(|view| view.summary.severity);
    assert_eq!(severities, [Severity::High, Severity::Medium]);
}

#[tokio::test]
async fn a_field_that_a_kind_does_not_take_is_refused() {
    let world = world().await;
    let id = alert(&world, "a").await;
    let request = BulkRequest {
        select: BulkSelect {
            uuids: Some(vec![id]),
            ..BulkSelect::default()
        },
        action: BulkAction {
            kind: "tags".to_owned(),
            add_tags: vec!["vip".to_owned()],
            severity: Some("Low".to_owned()),
            ..BulkAction::default()
        },
        dry_run: false,
    };
    let refused = world.engine.bulk(&world.analyst, request, None).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ValidationError);
    assert!(
        refused.message.contains("action.severity"),
        "{}",
        refused.message
    );
}

#[tokio::test]
async fn a_repeated_bulk_request_gets_its_first_answer() {
    let world = world().await;
    let id = alert(&world, "a").await;
    let request = BulkRequest {
        select: BulkSelect {
            uuids: Some(vec![id]),
            ..BulkSelect::default()
        },
        action: close_all(),
        dry_run: false,
    };
    let key = crate::RequestKey::new("k", "POST /v1/alerts/bulk", b"body").unwrap();
    let ask = || {
        world
            .engine
            .bulk(&world.analyst, request.clone(), Some(key.clone()))
    };
    let (first, replayed) = ask().await.unwrap();
    assert!(!replayed && first.changed == 1);
    assert_eq!(ask().await.unwrap(), (first, true));
}

#[tokio::test]
async fn tags_are_put_on_and_taken_off_as_filters_read_them() {
    let world = world().await;
    let id = alert(&world, "T").await;
    let tags = |add: &[&str], remove: &[&str]| BulkAction {
        kind: "tags".to_owned(),
        add_tags: add.iter().map(|tag| (*tag).to_owned()).collect(),
        remove_tags: remove.iter().map(|tag| (*tag).to_owned()).collect(),
        ..BulkAction::default()
    };
    let done = bulk(&world, &world.analyst, &[id], tags(&["vip"], &[])).await;
    assert_eq!(done.changed, 1);
    let again = bulk(&world, &world.analyst, &[id], tags(&["VIP"], &[])).await;
    assert_eq!(again.skipped[0].reason, "has these tags already");
    bulk(&world, &world.analyst, &[id], tags(&[], &["Vip"])).await;
    assert!(view(&world, id).await.summary.tags.is_empty());
}
