//! Changes and taking them back.

use calseta_domain::{
    AlertId, AlertStatus, ChangeId, CloseClassification, Malice, NoteId, Severity, SuppressionId,
    Timestamp,
};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::change::{self, NewChange, Restored};
use calseta_store::tables::note::{self, NewNote};
use calseta_store::tables::suppression::{self, SuppressionRow};
use calseta_store::tables::triage;
use calseta_store::{StoreError, WriteTx};
use uuid::Uuid;

use crate::search::world::Dice;
use crate::world::{fresh, insert_alert, now, write};

/// Alerts that are changed.
const ALERTS: u64 = 6;
/// Changes of one sequence.
const CHANGES: usize = 12;
/// Sequences.
const SEQUENCES: u64 = 12;

fn later(minutes: usize) -> Timestamp {
    now().plus_millis(60_000 * i64::try_from(minutes).expect("few"))
}

fn begin(tx: &WriteTx<'_>, n: u128) -> Result<i64, StoreError> {
    change::begin(
        tx,
        &NewChange {
            uuid: ChangeId::new(Uuid::from_u128(n)),
            kind: "update",
            actor_kind: "analyst",
            actor_name: "ann",
            at: now(),
            undo_until: later(10),
        },
    )
}

fn read(tx: &WriteTx<'_>, id: i64) -> AlertRow {
    let row = alert::by_row(tx, id).expect("it can be read");
    row.expect("it is there")
}

fn suppress(tx: &WriteTx<'_>) -> Result<i64, StoreError> {
    let row = SuppressionRow {
        id: 0,
        uuid: SuppressionId::new(Uuid::from_u128(1)),
        name: "noise".to_owned(),
        q: "sev:low".to_owned(),
        reason: None,
        expires_at: later(60),
        hidden_count: 0,
        created_by: "ann".to_owned(),
        created_at: now(),
        updated_at: now(),
    };
    suppression::insert(tx, &row)
}

/// Does something to an alert by the verbs that everything is done by; the note it added.
fn act(
    tx: &WriteTx<'_>,
    dice: &mut Dice,
    (id, noise): (i64, i64),
    n: usize,
) -> Result<Option<NoteId>, StoreError> {
    let mut row = read(tx, id);
    match dice.below(9) {
        0 => row.severity = dice.of(Severity::ALL),
        1 => {
            row.status = AlertStatus::Closed;
            row.close_classification = Some(dice.of(CloseClassification::ALL));
            row.closed_at = Some(later(n));
            row.acknowledged_at = row.acknowledged_at.or(Some(later(n)));
        }
        2 => {
            row.status = AlertStatus::Triaging;
            row.triaged_at = Some(later(n));
            row.closed_at = None;
        }
        3 => {
            row.tags = dice
                .some(&["a", "b", "ü"], 50)
                .iter()
                .map(|t| (*t).to_owned())
                .collect();
        }
        4 => {
            row.malice_override = Some(dice.of(Malice::ALL));
            row.malice_override_at = Some(later(n));
            row.malice_override_by_agent = dice.chance(50);
        }
        5 => triage::snooze(tx, id, dice.chance(70).then(|| later(n)))?,
        6 => triage::set_unread(tx, id, dice.chance(50))?,
        7 => triage::set_flagged(tx, id, dice.chance(50))?,
        _ => {
            suppression::hide(tx, noise, id)?;
        }
    }
    row.updated_at = later(n);
    alert::update(tx, &row)?;
    if dice.chance(70) {
        return Ok(None);
    }
    let uuid = NoteId::new(Uuid::from_u128(
        n as u128 * 100 + u128::from(id.unsigned_abs()),
    ));
    let (author, author_kind) = ("ann", "analyst");
    let created_at = later(n);
    let text = "why";
    note::insert(
        tx,
        &NewNote {
            uuid,
            alert: id,
            text,
            author,
            author_kind,
            created_at,
        },
    )?;
    Ok(Some(uuid))
}

/// Everything about the alerts but when they changed last.
fn world(tx: &WriteTx<'_>, ids: &[i64]) -> Vec<(AlertRow, Vec<note::NoteRow>)> {
    let one = |id: &i64| {
        let mut row = read(tx, *id);
        row.updated_at = now();
        (row, note::of_alert(tx, *id).expect("notes"))
    };
    ids.iter().map(one).collect()
}

fn undo(tx: &WriteTx<'_>, n: u128) -> Result<Vec<Restored>, StoreError> {
    let row = change::by_uuid(tx, ChangeId::new(Uuid::from_u128(n)))?.expect("the change");
    let mut outcome = Vec::new();
    let mut after = 0;
    loop {
        let items = change::items(tx, row.id, after, 2)?;
        let Some(last) = items.last() else { break };
        after = last.id;
        for item in &items {
            outcome.push(change::restore(tx, item, later(99))?);
        }
    }
    assert!(change::mark_undone(tx, row.id, later(99))?);
    assert!(!change::mark_undone(tx, row.id, later(99))?, "once");
    Ok(outcome)
}

fn sequence(tx: &WriteTx<'_>, seed: u64) -> Result<(), StoreError> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let ids: Vec<i64> = (0..ALERTS)
        .map(|n| insert_alert(tx, n))
        .collect::<Result<_, _>>()?;
    let noise = suppress(tx)?;
    let mut before = Vec::new();
    for n in 0..CHANGES {
        before.push(world(tx, &ids));
        let id = begin(tx, n as u128)?;
        for alert in dice.some(&ids, 50) {
            let was = read(tx, alert);
            let note = act(tx, &mut dice, (alert, noise), n)?;
            change::record(tx, id, &was, note)?;
        }
    }
    for (n, expected) in before.iter().enumerate().rev() {
        let outcome = undo(tx, n as u128)?;
        let all_done = outcome
            .iter()
            .all(|one| matches!(one, Restored::Done { .. }));
        assert!(all_done, "seed {seed}, change {n}: {outcome:?}");
        assert_eq!(&world(tx, &ids), expected, "seed {seed}, change {n}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_changes_back_one_after_the_other_restores_everything() {
    for seed in 1..=SEQUENCES {
        let (_dir, store) = fresh();
        write(&store, move |tx| sequence(tx, seed)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_changed_again_is_left_alone_and_the_others_are_not() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let ids = [
            insert_alert(tx, 0)?,
            insert_alert(tx, 1)?,
            insert_alert(tx, 2)?,
        ];
        let change = begin(tx, 1)?;
        for id in ids {
            let was = read(tx, id);
            let mut row = was.clone();
            row.severity = Severity::Critical;
            alert::update(tx, &row)?;
            assert!(change::record(tx, change, &was, None)?);
            assert!(
                !change::record(tx, change, &read(tx, id), None)?,
                "nothing differs: nothing to take back"
            );
        }
        let mut touched = read(tx, ids[1]);
        touched.severity = Severity::Low;
        touched.status = AlertStatus::Triaging;
        alert::update(tx, &touched)?;
        // A field that the change did not set may differ.
        triage::set_flagged(tx, ids[2], true)?;
        alert::delete(tx, ids[0])?;

        let outcome = undo(tx, 1)?;
        assert!(matches!(outcome[0], Restored::Gone), "{outcome:?}");
        assert!(matches!(outcome[1], Restored::Changed), "{outcome:?}");
        assert!(matches!(outcome[2], Restored::Done { .. }), "{outcome:?}");
        assert_eq!(read(tx, ids[1]), touched, "left alone");
        let last = read(tx, ids[2]);
        assert_eq!(last.severity, Severity::Low, "as it was ingested");
        assert!(last.is_flagged, "what came after stays");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_in_the_row_of_a_deleted_one_is_not_taken_for_it() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let id = insert_alert(tx, 0)?;
        let change = begin(tx, 1)?;
        let was = read(tx, id);
        triage::set_flagged(tx, id, true)?;
        change::record(tx, change, &was, None)?;
        alert::delete(tx, id)?;
        let next = insert_alert(tx, 1)?;
        assert_eq!(next, id, "the row is used again");
        triage::set_flagged(tx, next, true)?;
        assert!(matches!(undo(tx, 1)?[..], [Restored::Gone]));
        assert!(read(tx, next).is_flagged);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_changes_are_forgotten_in_steps_and_young_ones_kept() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let ids: Vec<i64> = (0..5)
            .map(|n| insert_alert(tx, n))
            .collect::<Result<_, _>>()?;
        for n in 0..2 {
            let change = change::begin(
                tx,
                &NewChange {
                    uuid: ChangeId::new(Uuid::from_u128(n)),
                    kind: "flags",
                    actor_kind: "analyst",
                    actor_name: "ann",
                    at: later(usize::try_from(n).expect("few")),
                    undo_until: later(10),
                },
            )?;
            for id in &ids {
                let was = read(tx, *id);
                triage::set_flagged(tx, *id, n == 0)?;
                change::record(tx, change, &was, None)?;
            }
        }
        let mut steps = 1;
        while change::drop_old(tx, later(1), 2)? {
            steps += 1;
        }
        assert!(steps > 2, "in steps of two: {steps}");
        let by_uuid = |n| change::by_uuid(tx, ChangeId::new(Uuid::from_u128(n)));
        assert_eq!(by_uuid(0)?, None);
        let kept = by_uuid(1)?.expect("the young one");
        assert_eq!(change::items(tx, kept.id, 0, 100)?.len(), 5);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_found_by_ids_and_unknown_ones_left_out() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let row = insert_alert(tx, 4)?;
        let id = read(tx, row).uuid;
        let unknown = AlertId::new(Uuid::from_u128(77));
        assert_eq!(alert::rows_of(tx, &[unknown, id])?, [(id, row)]);
        Ok(())
    })
    .await;
}
