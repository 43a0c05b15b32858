//! Marks, notes, checklists, reviews.

use calseta_domain::{DocumentId, FindingId, NoteId, Timestamp};
use calseta_store::tables::alert::{self, AlertRow, DeliveryState};
use calseta_store::tables::backlog;
use calseta_store::tables::checklist::{self, NewMark};
use calseta_store::tables::delivery::{self, AttemptOutcome, Settled};
use calseta_store::tables::document::{self, DocumentRow};
use calseta_store::tables::finding::{self, NewFinding, Review};
use calseta_store::tables::note::{self, NewNote};
use calseta_store::tables::{agent, indicator, triage};
use calseta_store::{StoreError, WriteTx};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::world::{fresh, insert_agent, insert_alert, insert_delivery, lease, now, write};

fn later(minutes: i64) -> Timestamp {
    now().plus_millis(60_000 * minutes)
}

fn read(tx: &WriteTx<'_>, id: i64) -> AlertRow {
    let row = alert::by_row(tx, id).expect("it can be read");
    row.expect("it is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_alert_is_unread_until_it_is_opened() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let (one, two) = (insert_alert(tx, 1)?, insert_alert(tx, 2)?);
        assert!(read(tx, one).is_unread);
        triage::note_viewed(tx, one, later(3))?;
        let row = read(tx, one);
        assert!(!row.is_unread);
        assert_eq!(row.last_viewed_at, Some(later(3)));
        triage::set_unread(tx, one, true)?;
        triage::set_unread(tx, one, true)?;
        assert!(read(tx, one).is_unread);
        assert_eq!(
            read(tx, one).last_viewed_at,
            Some(later(3)),
            "it was opened"
        );
        assert!(read(tx, two).is_unread, "the other one is another");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snooze_ends_once_at_its_time() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let (one, two) = (insert_alert(tx, 1)?, insert_alert(tx, 2)?);
        assert_eq!(triage::next_wake(tx)?, None);
        triage::snooze(tx, one, Some(later(5)))?;
        triage::snooze(tx, two, Some(later(9)))?;
        triage::set_flagged(tx, one, true)?;
        assert_eq!(triage::next_wake(tx)?, Some(later(5)));
        assert_eq!(triage::end_snoozes(tx, later(4), 10)?, []);
        let ended = triage::end_snoozes(tx, later(5), 10)?;
        assert_eq!(ended, [(read(tx, one).uuid, later(5))]);
        assert_eq!(triage::end_snoozes(tx, later(5), 10)?, []);
        assert_eq!(read(tx, one).snoozed_until, None);
        assert!(read(tx, one).is_flagged, "its other marks stay");
        assert_eq!(triage::next_wake(tx)?, Some(later(9)));
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notes_and_marks_go_with_their_alert() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let (one, two) = (insert_alert(tx, 1)?, insert_alert(tx, 2)?);
        for (n, alert) in [(1, one), (2, one), (3, two)] {
            let new = NewNote {
                uuid: NoteId::new(Uuid::from_u128(n)),
                alert,
                text: "<b>not markup</b>",
                author: "ann",
                author_kind: "analyst",
                created_at: now(),
            };
            note::insert(tx, &new)?;
        }
        triage::set_flagged(tx, one, true)?;
        let notes = note::of_alert(tx, one)?;
        assert_eq!(notes.len(), 2);
        assert_eq!(notes[0].text, "<b>not markup</b>", "verbatim");
        assert_eq!((read(tx, one).note_count, read(tx, two).note_count), (2, 1));
        assert!(note::delete(tx, notes[0].uuid)?);
        assert!(!note::delete(tx, notes[0].uuid)?, "once");
        assert_eq!(read(tx, one).note_count, 1);
        alert::delete(tx, two)?;
        assert_eq!(note::of_alert(tx, two)?, []);
        let again = insert_alert(tx, 3)?;
        assert_eq!(again, two, "the row is used again");
        assert_eq!(read(tx, again).note_count, 0);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checklist_s_items_stand_as_they_were_marked_last() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let (one, two) = (insert_alert(tx, 1)?, insert_alert(tx, 2)?);
        let document = DocumentRow {
            id: 0,
            uuid: DocumentId::new(Uuid::from_u128(5)),
            title: "runbook".to_owned(),
            document_type: "runbook".to_owned(),
            description: None,
            is_global: true,
            tags: Vec::new(),
            targeting_rules: None,
            content: "- [ ] look".to_owned(),
            version: 1,
            created_at: now(),
            updated_at: now(),
        };
        document::put(tx, &document, "ann")?;
        let row = document::by_uuid(tx, document.uuid)?
            .expect("it is there")
            .id;
        let mark = |alert, item, is_done, author, minutes| {
            let at = later(minutes);
            let new = NewMark {
                alert,
                document: row,
                item,
                is_done,
                author,
                at,
            };
            checklist::mark(tx, &new)
        };
        assert!(mark(one, 1, true, "ann", 1)?);
        assert!(mark(one, 0, true, "ann", 2)?);
        assert!(!mark(one, 0, true, "bob", 3)?, "it is done already");
        assert!(mark(one, 1, false, "bob", 4)?);
        let marks = checklist::of_alert(tx, one)?;
        let seen: Vec<_> = marks
            .iter()
            .map(|m| (m.document, m.item, m.is_done, m.author.as_str(), m.at))
            .collect();
        let id = document.uuid;
        assert_eq!(
            seen,
            [
                (id, 0, true, "ann", later(2)),
                (id, 1, false, "bob", later(4))
            ]
        );
        assert_eq!(checklist::of_alert(tx, two)?, []);
        Ok(())
    })
    .await;
}

fn post(
    tx: &WriteTx<'_>,
    (alert, agent): (i64, Option<i64>),
    n: u128,
    supersedes: Option<u128>,
) -> Result<FindingId, StoreError> {
    let mut content = Map::new();
    if let Some(earlier) = supersedes {
        content.insert(
            "supersedes".to_owned(),
            json!(Uuid::from_u128(earlier).to_string()),
        );
    }
    let uuid = FindingId::new(Uuid::from_u128(n));
    let new = NewFinding {
        uuid,
        alert,
        key: None,
        agent,
        author_name: "bot",
        key_prefix: None,
        summary: "s",
        confidence: None,
        confidence_level: None,
        verdict: None,
        content: &content,
        delivery: None,
        repeat_key: None,
        posted_at: later(i64::try_from(n).expect("few")),
    };
    finding::insert(tx, &new)?;
    Ok(uuid)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_keeps_its_review_and_knows_what_replaces_it() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let (one, two) = (insert_alert(tx, 1)?, insert_alert(tx, 2)?);
        let first = post(tx, (one, None), 1, None)?;
        post(tx, (two, None), 2, Some(1))?;
        let row = |id| Ok::<_, StoreError>(finding::by_uuid(tx, id)?.expect("it is there"));
        assert_eq!(row(first)?.superseded_by, None, "of another alert");
        let third = post(tx, (one, None), 3, Some(1))?;
        assert_eq!(row(first)?.superseded_by, Some(third));
        assert_eq!(finding::of_alert(tx, one)?[0].superseded_by, Some(third));

        let review = Review {
            decision: "disagree".to_owned(),
            reason: Some("wrong_fact".to_owned()),
            comment: Some("the address is ours".to_owned()),
            reviewed_by: "ann".to_owned(),
            reviewed_at: later(9),
        };
        assert_eq!(row(third)?.review, None);
        assert!(finding::review(tx, third, &review)?);
        assert_eq!(row(third)?.review, Some(review.clone()));
        assert_eq!(row(first)?.review, None);
        assert!(!finding::review(
            tx,
            FindingId::new(Uuid::from_u128(9)),
            &review
        )?);
        assert!(finding::hide(tx, third, true)?);
        assert!(!finding::hide(tx, third, true)?, "it is");
        assert!(row(third)?.is_hidden);
        assert_eq!(
            row(third)?
                .content
                .get("supersedes")
                .and_then(Value::as_str)
                .map(str::len),
            Some(36)
        );
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_s_deliveries_show_while_one_runs_and_when_one_failed() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let alert = insert_alert(tx, 1)?;
        let agent = insert_agent(tx)?;
        assert_eq!(read(tx, alert).delivery_state, None);
        insert_delivery(tx, (alert, agent), 1)?;
        assert_eq!(read(tx, alert).delivery_state, Some(DeliveryState::Running));
        let settle = |settled| {
            let claimed = delivery::claim(tx, agent, lease(1), 1, later(1))?.remove(0);
            let outcome = AttemptOutcome {
                outcome: "ok",
                status_code: None,
                remote_ip: None,
                duration_ms: 1,
                response_excerpt: None,
                error: None,
            };
            delivery::settle(tx, &claimed, 1, (&outcome, &settled, 1), later(2))
        };
        settle(Settled::Dead("gone".to_owned()))?;
        assert_eq!(read(tx, alert).delivery_state, Some(DeliveryState::Failed));
        let (rows, _) = delivery::page(tx, &delivery::DeliveryFilter::default(), 1, 0)?;
        backlog::take_up(tx, rows[0].id, later(1))?;
        settle(Settled::Delivered)?;
        assert_eq!(read(tx, alert).delivery_state, None);

        assert_eq!(
            agent::answer_times(tx, agent)?,
            Vec::<i64>::new(),
            "not answered yet"
        );
        post(tx, (alert, Some(agent)), 5, None)?;
        assert_eq!(
            agent::answer_times(tx, agent)?,
            [3 * 60_000],
            "delivered at 2, posted at 5"
        );
        assert_eq!(agent::answer_times(tx, agent + 1)?, Vec::<i64>::new());
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indicator_s_link_says_where_it_stood() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let alert = insert_alert(tx, 1)?;
        let one = calseta_domain::Indicator {
            kind: calseta_domain::IndicatorType::Domain,
            value: "evil.example".to_owned(),
        };
        let id = calseta_domain::IndicatorId::new(Uuid::from_u128(1));
        let row = indicator::upsert(tx, id, &one, now())?;
        indicator::link(tx, alert, row, "raw_payload_mappings", "dns.query")?;
        let links = indicator::links(tx, alert)?;
        assert_eq!(links.len(), 1);
        assert_eq!(
            (links[0].indicator, links[0].pass.as_str()),
            (row, "raw_payload_mappings")
        );
        assert_eq!(links[0].path, "dns.query");
        Ok(())
    })
    .await;
}
