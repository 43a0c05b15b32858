//! Marks, notes, checklists, what each leaves in the log, and taking changes back.

use calseta_contract::Patch;
use calseta_contract::alert::{AlertPatch, AlertView};
use calseta_contract::change::{BulkAction, BulkRequest, BulkSelect, BulkView};
use calseta_contract::context_document::DocumentRequest;
use calseta_contract::triage::{ChecklistRequest, FlagsRequest, NoteRequest, SnoozeRequest};
use calseta_domain::{AlertId, AlertStatus, ErrorCode};
use serde_json::{Value, json};

use super::{World, world};
use crate::Principal;

const HOUR_MS: i64 = 3600 * 1000;
pub(super) const FALSE_POSITIVE: &str = "False Positive - Incorrect Detection Logic";

pub(super) async fn alert(world: &World, title: &str) -> AlertId {
    let body = json!({"title": title, "severity": "Medium", "src_ip": "203.0.113.9"});
    world.ingest("generic", &body).await
}

pub(super) async fn view(world: &World, id: AlertId) -> AlertView {
    world.engine.alert(id).await.unwrap().0
}

fn status(word: &str) -> AlertPatch {
    AlertPatch {
        status: Patch::Set(word.to_owned()),
        ..AlertPatch::default()
    }
}

pub(super) fn close() -> AlertPatch {
    AlertPatch {
        close_classification: Patch::Set(FALSE_POSITIVE.to_owned()),
        comment: Some("known scanner".to_owned()),
        ..status("Closed")
    }
}

/// The events after the alert's own making.
pub(super) async fn since(world: &World, seen: usize) -> Vec<(String, Value)> {
    world.events(&world.analyst).await.split_off(seen)
}

pub(super) async fn bulk(
    world: &World,
    by: &Principal,
    uuids: &[AlertId],
    action: BulkAction,
) -> BulkView {
    let request = BulkRequest {
        select: BulkSelect {
            uuids: Some(uuids.to_vec()),
            ..BulkSelect::default()
        },
        action,
        dry_run: false,
    };
    world.engine.bulk(by, request, None).await.unwrap().0
}

pub(super) fn close_all() -> BulkAction {
    BulkAction {
        kind: "close".to_owned(),
        close_classification: Some(FALSE_POSITIVE.to_owned()),
        ..BulkAction::default()
    }
}

#[tokio::test]
async fn a_change_is_taken_back_once_by_who_did_it_or_somebody_else() {
    let world = world().await;
    let id = alert(&world, "T").await;
    let other = world.key("human", &["alerts:write"]).await;
    let seen = world.events(&world.analyst).await.len();
    let done = world.engine.patch_alert(&world.analyst, id, close()).await;
    let done = done.unwrap().expect("it changed");
    let closed = view(&world, id).await;
    assert_eq!(closed.summary.status, AlertStatus::Closed);
    assert_eq!(closed.notes[0].text, "known scanner");
    assert_eq!(closed.summary.note_count, 1);
    world.clock.advance_millis(1_000);
    let metrics = world.engine.alert_metrics(None, None).await.unwrap();
    assert_eq!(metrics.alerts_by_status["Closed"], 1);

    let undone = world.engine.undo_change(&other, done.change_uuid).await;
    assert_eq!(undone.unwrap().restored, 1);
    let open = view(&world, id).await;
    assert_eq!(open.summary.status, AlertStatus::Open);
    assert_eq!((open.summary.closed_at, open.acknowledged_at), (None, None));
    assert!(open.notes.is_empty(), "the comment went with the change");
    let events = since(&world, seen).await;
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["alert.closed", "alert.reopened"]);
    assert_eq!(events[1].1["status"], json!(["Closed", "Open"]));
    let metrics = world.engine.alert_metrics(None, None).await.unwrap();
    let counted = ["Open", "Closed"].map(|status| metrics.alerts_by_status[status]);
    assert_eq!(counted, [1, 0], "taken back, it counts as open once");

    let again = world.engine.undo_change(&other, done.change_uuid).await;
    let again = again.unwrap_err();
    assert_eq!(again.code, ErrorCode::UndoExpired);
    assert!(again.message.contains("already"), "{}", again.message);
}

#[tokio::test]
async fn a_change_cannot_be_taken_back_by_an_agent_or_after_a_day() {
    let world = world().await;
    let id = alert(&world, "T").await;
    let done = world
        .engine
        .patch_alert(&world.analyst, id, status("Triaging"))
        .await;
    let done = done.unwrap().unwrap();
    let agent = world.key("agent", &["alerts:write"]).await;
    let refused = world.engine.undo_change(&agent, done.change_uuid).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::HumanKeyRequired);
    world.clock.advance_millis(24 * HOUR_MS);
    let late = world
        .engine
        .undo_change(&world.analyst, done.change_uuid)
        .await;
    let late = late.unwrap_err();
    assert_eq!(late.code, ErrorCode::UndoExpired);
    assert!(late.message.contains("until"), "{}", late.message);
    assert_eq!(view(&world, id).await.summary.status, AlertStatus::Triaging);
}

#[tokio::test]
async fn what_is_so_already_leaves_no_event_and_nothing_to_take_back() {
    let world = world().await;
    let id = alert(&world, "T").await;
    let agent = world.key("agent", &["alerts:write"]).await;
    let patch = || AlertPatch {
        comment: Some("looking".to_owned()),
        ..status("Triaging")
    };
    let first = world.engine.patch_alert(&agent, id, patch()).await;
    assert!(first.unwrap().is_some());
    let seen = world.events(&world.analyst).await.len();
    let again = world.engine.patch_alert(&agent, id, patch()).await;
    assert_eq!(again.unwrap(), None, "agents are told at least once");
    let flags = FlagsRequest {
        unread: None,
        flagged: Some(false),
    };
    let flags = world.engine.flag_alert(&agent, id, flags).await;
    assert_eq!(flags.unwrap(), None);
    let woken = world.engine.unsnooze_alert(&agent, id).await;
    assert_eq!(woken.unwrap(), None);
    assert_eq!(since(&world, seen).await, []);
    assert_eq!(view(&world, id).await.notes.len(), 1);
}

#[tokio::test]
async fn opening_an_alert_is_no_event_and_a_flag_is_one() {
    let world = world().await;
    let id = alert(&world, "T").await;
    assert!(view(&world, id).await.summary.is_unread);
    let seen = world.events(&world.analyst).await.len();
    let read = FlagsRequest {
        unread: Some(false),
        flagged: None,
    };
    let read = world.engine.flag_alert(&world.analyst, id, read).await;
    assert_eq!(read.unwrap(), None);
    let opened = view(&world, id).await;
    assert!(!opened.summary.is_unread && opened.last_viewed_at.is_some());
    assert_eq!(since(&world, seen).await, []);
    let unread = FlagsRequest {
        unread: Some(true),
        flagged: Some(true),
    };
    let done = world.engine.flag_alert(&world.analyst, id, unread).await;
    let done = done.unwrap().expect("a flag can be taken back");
    let events = since(&world, seen).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].1, json!({"is_flagged": [false, true]}));
    let undone = world
        .engine
        .undo_change(&world.analyst, done.change_uuid)
        .await;
    assert_eq!(undone.unwrap().restored, 1);
    let back = view(&world, id).await.summary;
    assert!(!back.is_unread && !back.is_flagged);
}

#[tokio::test]
async fn a_snoozed_alert_comes_back_by_the_clock_with_one_event() {
    let world = world().await;
    let id = alert(&world, "T").await;
    let now = world.clock.now();
    let past = SnoozeRequest { until: now };
    let refused = world.engine.snooze_alert(&world.analyst, id, past).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ValidationError);
    let until = now.plus_millis(HOUR_MS);
    let request = SnoozeRequest { until };
    let done = world.engine.snooze_alert(&world.analyst, id, request).await;
    assert!(done.unwrap().is_some());
    assert_eq!(view(&world, id).await.summary.snoozed_until, Some(until));
    let seen = world.events(&world.analyst).await.len();

    let inner = &world.engine.inner;
    let mut forget_at = now.plus_millis(1000 * HOUR_MS);
    let idle = crate::stage::clock::step(inner, &mut forget_at)
        .await
        .unwrap();
    assert_eq!(idle, crate::stage::clock::Step::Idle { next: until });
    world.clock.advance_millis(HOUR_MS);
    for _ in 0..3 {
        crate::stage::clock::step(inner, &mut forget_at)
            .await
            .unwrap();
    }
    assert_eq!(view(&world, id).await.summary.snoozed_until, None);
    let events = since(&world, seen).await;
    assert_eq!(events.len(), 1, "once: {events:?}");
    assert_eq!(events[0].1, json!({"snoozed_until": [until, null]}));
}

#[tokio::test]
async fn notes_are_kept_in_order_and_undoing_takes_one_away() {
    let world = world().await;
    let id = alert(&world, "T").await;
    let note = |text: &str| NoteRequest {
        text: text.to_owned(),
    };
    let empty = world.engine.add_note(&world.analyst, id, note(" ")).await;
    assert_eq!(empty.unwrap_err().code, ErrorCode::ValidationError);
    let agent = world.key("agent", &["alerts:write"]).await;
    world
        .engine
        .add_note(&agent, id, note("one"))
        .await
        .unwrap();
    let (second, done) = world
        .engine
        .add_note(&world.analyst, id, note("two <b>"))
        .await
        .unwrap();
    assert_eq!(second.text, "two <b>");
    let notes = view(&world, id).await.notes;
    let said: Vec<_> = notes
        .iter()
        .map(|note| (note.text.as_str(), note.author_kind.as_str()))
        .collect();
    assert_eq!(said, [("one", "agent"), ("two <b>", "analyst")]);
    let undone = world
        .engine
        .undo_change(&world.analyst, done.change_uuid)
        .await;
    assert_eq!(undone.unwrap().restored, 1);
    assert_eq!(view(&world, id).await.notes.len(), 1);
}

#[tokio::test]
async fn only_an_item_that_the_alert_s_document_has_can_be_ticked() {
    let world = world().await;
    let id = alert(&world, "T").await;
    let request = json!({
        "title": "Runbook", "document_type": "runbook", "is_global": true,
        "content": "- [ ] Call the user\n- [ ] Look at `logs`\n",
    });
    let request: DocumentRequest = serde_json::from_value(request).unwrap();
    let made = world.engine.create_document(&world.analyst, request).await;
    let document = made.unwrap().uuid;
    let tick = |item: u64, done: bool| {
        let engine = world.engine.clone();
        let by = world.analyst.clone();
        async move {
            let request = ChecklistRequest { done };
            engine
                .mark_checklist(&by, id, (document, item), request)
                .await
        }
    };
    let none = tick(2, true).await.unwrap_err();
    assert_eq!(none.code, ErrorCode::NotFound);
    assert!(none.message.contains("0 to 1"), "{}", none.message);
    let seen = world.events(&world.analyst).await.len();
    assert!(tick(1, true).await.unwrap().done);
    assert!(tick(1, true).await.unwrap().done);
    let events = since(&world, seen).await;
    assert_eq!(events.len(), 1, "ticking twice is one event");
    assert_eq!(events[0].1["checklist"], json!([false, true]));
    assert_eq!(events[0].1["item_text"], "Look at logs");
    assert!(!tick(1, false).await.unwrap().done);
    let marks = view(&world, id).await.checklist;
    assert_eq!((marks[0].item, marks[0].done), (1, false));
}

#[tokio::test]
async fn closing_ends_a_snooze_and_undoing_it_brings_it_back() {
    let world = world().await;
    let id = alert(&world, "T").await;
    let until = world.clock.now().plus_millis(HOUR_MS);
    let request = SnoozeRequest { until };
    let snoozed = world.engine.snooze_alert(&world.analyst, id, request);
    snoozed.await.unwrap();
    let done = world.engine.patch_alert(&world.analyst, id, close()).await;
    let done = done.unwrap().unwrap();
    assert_eq!(view(&world, id).await.summary.snoozed_until, None);
    let undone = world.engine.undo_change(&world.analyst, done.change_uuid);
    assert_eq!(undone.await.unwrap().restored, 1);
    assert_eq!(view(&world, id).await.summary.snoozed_until, Some(until));
}
