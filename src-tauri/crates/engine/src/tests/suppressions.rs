//! Alerts that stay out of the queue for a while, and come back.

use calseta_contract::change::{BulkAction, BulkRequest, BulkSelect, BulkView};
use calseta_contract::suppression::{SuppressionPreviewRequest, SuppressionRequest};
use calseta_domain::{AlertId, ErrorCode};
use serde_json::json;

use super::triage::{bulk, close_all, view};
use super::{World, world};
use crate::{AlertFilter, AlertListQuery, AlertSort, Counting, Paging};

const DAY_MS: i64 = 24 * 3600 * 1000;

async fn noisy(world: &World, n: usize) -> AlertId {
    let body = json!({"title": "Noisy scanner", "severity": "Low", "user": format!("u{n}"),
                      "src_ip": "203.0.113.9"});
    world.ingest("generic", &body).await
}

/// How many alerts a query finds.
async fn found(world: &World, q: &str) -> u64 {
    let query = AlertListQuery {
        query: Some(world.engine.parse_query(q).unwrap()),
        filter: AlertFilter::default(),
        sort: AlertSort::CreatedAt,
        descending: true,
        paging: Paging::After(None),
        limit: 100,
        counting: Counting::Exact,
        include_suppressed: false,
    };
    world.engine.alerts(query).await.unwrap().total.unwrap()
}

async fn pass(world: &World) {
    let mut forget_at = world.clock.now().plus_millis(1000 * DAY_MS);
    for _ in 0..4 {
        crate::stage::clock::step(&world.engine.inner, &mut forget_at)
            .await
            .unwrap();
    }
}

/// What a bulk change would do.
async fn rehearsed(world: &World, ids: &[AlertId], action: BulkAction) -> BulkView {
    let request = BulkRequest {
        select: BulkSelect {
            uuids: Some(ids.to_vec()),
            ..BulkSelect::default()
        },
        action,
        dry_run: true,
    };
    let would = world.engine.bulk(&world.analyst, request, None).await;
    would.unwrap().0
}

#[tokio::test]
async fn closing_and_suppressing_alike_ones_hides_the_next_until_the_clock_ends_it() {
    let world = world().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(noisy(&world, n).await);
    }
    bulk(&world, &world.analyst, &ids, close_all()).await;
    let ends = world.clock.now().plus_millis(7 * DAY_MS);
    let suppress = BulkAction {
        kind: "suppress".to_owned(),
        expires_at: Some(ends),
        text: Some("a scanner of ours".to_owned()),
        ..BulkAction::default()
    };
    let would = rehearsed(&world, &ids, suppress.clone()).await;
    let said = would.consequences.join(" ");
    assert!(said.contains("5 of 5 alerts of the last 30 days"), "{said}");
    let done = bulk(&world, &world.analyst, &ids, suppress).await;
    assert_eq!(done.changed, 5);

    // Three more come in: stored, counted, not in the queue.
    let mut later = Vec::new();
    for n in 10..13 {
        later.push(noisy(&world, n).await);
    }
    let other = world
        .ingest(
            "generic",
            &json!({"title": "Something else", "severity": "Low"}),
        )
        .await;
    assert_eq!(found(&world, "status:open").await, 1, "only the other one");
    assert_eq!(found(&world, "status:open is:suppressed").await, 3);
    let rule = world.engine.suppressions().await.unwrap().remove(0);
    assert_eq!(rule.hidden_count, 8);
    assert_eq!(rule.reason.as_deref(), Some("a scanner of ours"));
    assert_eq!(
        view(&world, later[0]).await.summary.suppressed_by,
        Some(rule.uuid)
    );
    assert_eq!(view(&world, other).await.summary.suppressed_by, None);
    world.clock.advance_millis(1_000);
    let metrics = world.engine.alert_metrics(None, None).await.unwrap();
    assert_eq!(metrics.total_alerts, 9, "metrics ignore nothing");

    world.clock.advance_millis(7 * DAY_MS - 1_001);
    pass(&world).await;
    assert_eq!(found(&world, "status:open").await, 1, "a moment too early");
    let seen = world.events(&world.analyst).await.len();
    world.clock.advance_millis(1);
    pass(&world).await;
    assert_eq!(found(&world, "status:open").await, 4, "nothing was deleted");
    let events = world.events(&world.analyst).await.split_off(seen);
    let back = json!({"suppressed_by": [rule.uuid, null]});
    assert_eq!(
        events.iter().filter(|(_, detail)| *detail == back).count(),
        8
    );
    let ended = events
        .iter()
        .filter(|(kind, _)| kind == "suppression.updated");
    assert_eq!(ended.count(), 1);
    noisy(&world, 20).await;
    assert_eq!(found(&world, "status:open").await, 5, "and hides no more");
}

#[tokio::test]
async fn undoing_a_suppression_brings_back_what_it_hid_since() {
    let world = world().await;
    let ids = [noisy(&world, 1).await, noisy(&world, 2).await];
    let suppress = BulkAction {
        kind: "suppress".to_owned(),
        ..BulkAction::default()
    };
    let done = bulk(&world, &world.analyst, &ids, suppress).await;
    let later = noisy(&world, 3).await;
    assert_eq!(found(&world, "status:open").await, 0);
    let change = done.change_uuid.unwrap();
    let undone = world.engine.undo_change(&world.analyst, change).await;
    assert_eq!(undone.unwrap().restored, 2);
    assert_eq!(found(&world, "status:open").await, 3);
    assert_eq!(view(&world, later).await.summary.suppressed_by, None);
    assert!(world.engine.suppressions().await.unwrap().is_empty());
}

#[tokio::test]
async fn only_people_suppress_and_only_by_fields() {
    let world = world().await;
    let request = |q: &str| SuppressionRequest {
        name: "Noise".to_owned(),
        q: q.to_owned(),
        ..SuppressionRequest::default()
    };
    let agent = world.key("agent", &["admin"]).await;
    let refused = world
        .engine
        .create_suppression(&agent, request("severity:low"))
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::HumanKeyRequired);
    for q in ["scanner", "age:<4h severity:low", ""] {
        let refused = world
            .engine
            .create_suppression(&world.analyst, request(q))
            .await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::ValidationError, "{q}");
    }
    let late = SuppressionRequest {
        expires_at: Some(world.clock.now().plus_millis(91 * DAY_MS)),
        ..request("severity:low")
    };
    let late = world.engine.create_suppression(&world.analyst, late).await;
    assert_eq!(late.unwrap_err().code, ErrorCode::ValidationError);

    let made = world
        .engine
        .create_suppression(&world.analyst, request("severity:low"))
        .await
        .unwrap();
    noisy(&world, 1).await;
    assert_eq!(found(&world, "").await, 0);
    let preview = SuppressionPreviewRequest {
        q: "severity:low".to_owned(),
        days: None,
    };
    let preview = world.engine.preview_suppression(preview).await.unwrap();
    assert_eq!((preview.matched, preview.of), (1, 1));
    world
        .engine
        .delete_suppression(&world.analyst, made.uuid)
        .await
        .unwrap();
    assert_eq!(found(&world, "").await, 1);
}

#[tokio::test]
async fn a_hidden_alert_that_becomes_severe_comes_back() {
    let world = world().await;
    let request = SuppressionRequest {
        name: "Noise".to_owned(),
        q: "severity:<=low".to_owned(),
        ..SuppressionRequest::default()
    };
    let made = world.engine.create_suppression(&world.analyst, request);
    made.await.unwrap();
    let body =
        |severity: &str| json!({"title": "T", "severity": severity, "src_ip": "203.0.113.9"});
    let id = world.ingest("generic", &body("Low")).await;
    assert_eq!(found(&world, "").await, 0);
    let again = world.ingest("generic", &body("Low")).await;
    assert_eq!(
        (again, found(&world, "").await),
        (id, 0),
        "the same stays hidden"
    );
    let raised = world.ingest("generic", &body("Critical")).await;
    assert_eq!(raised, id);
    assert_eq!(found(&world, "").await, 1);
    assert_eq!(view(&world, id).await.summary.suppressed_by, None);
}
