//! The list's invariant, event by event.

use calseta_domain::{EnrichmentStatus, Malice, Severity, Timestamp};
use uuid::Uuid;

use super::*;

pub(crate) fn id(n: u128) -> AlertId {
    AlertId::new(Uuid::from_u128(n))
}

pub(crate) fn alert(n: u128) -> AlertSummary {
    let at = Timestamp::from_millis(i64::try_from(n).expect("small"));
    AlertSummary {
        uuid: id(n),
        title: format!("alert {n}"),
        description: None,
        severity: Severity::High,
        status: AlertStatus::Open,
        enrichment_status: EnrichmentStatus::Pending,
        source_name: "generic".to_owned(),
        occurred_at: at,
        ingested_at: at,
        is_enriched: false,
        duplicate_count: 0,
        tags: Vec::new(),
        close_classification: None,
        closed_at: None,
        created_at: at,
        updated_at: at,
        malice: Malice::Pending,
        source_url: None,
        finding_summary: Vec::new(),
        duplicate_of: None,
        key_indicators: Vec::new(),
        detection_rule_name: None,
        snoozed_until: None,
        is_unread: false,
        is_flagged: false,
        suppressed_by: None,
        note_count: 0,
        delivery_state: None,
        disagree: false,
    }
}

fn loaded(numbers: &[u128]) -> AlertList {
    let mut list = AlertList::default();
    list.replace(
        numbers.iter().map(|n| alert(*n)).collect(),
        None,
        ListOrder::default(),
    );
    list
}

fn order(list: &AlertList) -> Vec<AlertId> {
    list.ids().to_vec()
}

#[test]
fn a_new_alert_waits_and_moves_nothing() {
    let mut list = loaded(&[5, 4, 3]);
    list.apply(alert(6), Belongs::Yes);
    assert_eq!(
        order(&list),
        [id(5), id(4), id(3)],
        "the reader's rows stand still"
    );
    assert_eq!(list.waiting().len(), 1);
    assert_eq!(list.merge(), 1);
    assert_eq!(order(&list), [id(6), id(5), id(4), id(3)]);
}

#[test]
fn an_alert_that_matches_again_is_merged_at_its_own_place() {
    let mut list = loaded(&[5, 3]);
    list.apply(alert(4), Belongs::Yes);
    list.merge();
    assert_eq!(order(&list), [id(5), id(4), id(3)]);
}

#[test]
fn the_same_new_alert_waits_once() {
    let mut list = loaded(&[1]);
    list.apply(alert(2), Belongs::Yes);
    list.apply(
        AlertSummary {
            duplicate_count: 3,
            ..alert(2)
        },
        Belongs::Yes,
    );
    assert_eq!(list.waiting().len(), 1);
    assert_eq!(
        list.waiting()[0].duplicate_count,
        3,
        "and is the latest that was read"
    );
}

#[test]
fn a_changed_row_changes_in_place() {
    let mut list = loaded(&[2, 1]);
    list.apply(
        AlertSummary {
            severity: Severity::Low,
            ..alert(1)
        },
        Belongs::Yes,
    );
    let row = list.row(id(1)).expect("loaded");
    assert_eq!((row.alert.severity, row.changes), (Severity::Low, 1));
    list.apply(
        AlertSummary {
            severity: Severity::Low,
            ..alert(1)
        },
        Belongs::Yes,
    );
    assert_eq!(
        list.row(id(1)).expect("loaded").changes,
        1,
        "nothing changed, nothing is tinted"
    );
}

#[test]
fn a_row_that_stops_matching_stays_with_its_reason() {
    let mut list = loaded(&[2, 1]);
    let closed = AlertSummary {
        status: AlertStatus::Closed,
        ..alert(2)
    };
    list.apply(closed, Belongs::No);
    assert_eq!(order(&list), [id(2), id(1)]);
    assert_eq!(
        list.row(id(2)).expect("loaded").gone.as_deref(),
        Some("→ Closed")
    );
    list.apply(alert(2), Belongs::Yes);
    assert_eq!(
        list.row(id(2)).expect("loaded").gone,
        None,
        "reopened, it belongs here again"
    );
}

#[test]
fn a_waiting_alert_that_stops_matching_waits_no_longer() {
    let mut list = loaded(&[1]);
    list.apply(alert(2), Belongs::Yes);
    let closed = AlertSummary {
        status: AlertStatus::Closed,
        ..alert(2)
    };
    list.apply(closed, Belongs::No);
    assert!(list.waiting().is_empty());
}

#[test]
fn an_alert_below_the_last_page_is_left_to_paging() {
    let mut list = AlertList::default();
    list.replace(
        vec![alert(9), alert(8)],
        Some("next".to_owned()),
        ListOrder::default(),
    );
    list.apply(alert(2), Belongs::Yes);
    assert!(list.waiting().is_empty());
    list.append(vec![alert(7), alert(2)], None);
    assert_eq!(list.len(), 4);
    assert_eq!(list.cursor(), None);
}

#[test]
fn a_page_that_overlaps_brings_no_row_twice() {
    let mut list = AlertList::default();
    list.replace(
        vec![alert(9), alert(8)],
        Some("next".to_owned()),
        ListOrder::default(),
    );
    list.append(vec![alert(8), alert(7)], None);
    assert_eq!(order(&list), [id(9), id(8), id(7)]);
}

#[test]
fn a_change_that_is_refused_is_rolled_back_and_one_that_is_made_is_not() {
    let mut list = loaded(&[2, 1]);
    list.assume(
        id(2),
        |alert| alert.status = AlertStatus::Closed,
        |_| Some(false),
    );
    let row = list.row(id(2)).expect("loaded");
    assert_eq!(row.alert.status, AlertStatus::Closed);
    assert!(row.is_assumed() && !row.is_unhandled());
    assert_eq!(row.gone.as_deref(), Some("→ Closed"), "said at once");
    list.roll_back(id(2));
    let row = list.row(id(2)).expect("loaded");
    assert_eq!((row.alert.status, row.changes), (AlertStatus::Open, 1));
    assert_eq!(row.gone, None);

    list.assume(id(1), |alert| alert.severity = Severity::Low, |_| None);
    list.settle(id(1));
    list.roll_back(id(1));
    assert_eq!(
        list.row(id(1)).expect("loaded").alert.severity,
        Severity::Low
    );
}

#[test]
fn what_is_read_while_a_change_is_under_way_is_what_it_falls_back_to() {
    let mut list = loaded(&[1]);
    list.assume(id(1), |alert| alert.status = AlertStatus::Closed, |_| None);
    let escalated = AlertSummary {
        status: AlertStatus::Escalated,
        ..alert(1)
    };
    list.apply(escalated, Belongs::Yes);
    assert_eq!(
        list.row(id(1)).expect("loaded").alert.status,
        AlertStatus::Closed
    );
    list.roll_back(id(1));
    assert_eq!(
        list.row(id(1)).expect("loaded").alert.status,
        AlertStatus::Escalated
    );
}

#[test]
fn another_order_puts_a_new_row_elsewhere() {
    use calseta_domain::query::{Sort, SortField, SortKey};
    let sort = Sort {
        keys: vec![SortKey {
            field: SortField::Severity,
            is_descending: true,
        }],
    };
    let low = AlertSummary {
        severity: Severity::Low,
        ..alert(9)
    };
    let mut list = AlertList::default();
    list.replace(vec![alert(1), low], None, ListOrder::from(Some(&sort)));
    list.apply(alert(5), Belongs::Yes);
    list.merge();
    assert_eq!(
        order(&list),
        [id(5), id(1), id(9)],
        "High, by id, before Low"
    );
}

#[test]
fn a_comparison_marks_what_is_missing_and_moves_nothing() {
    let mut list = loaded(&[5, 4, 3]);
    list.compare(vec![alert(6), alert(5), alert(3)], true);
    assert_eq!(order(&list), [id(5), id(4), id(3)]);
    assert!(list.row(id(4)).expect("loaded").gone.is_some());
    assert_eq!(list.waiting().len(), 1);
}

#[test]
fn a_comparison_says_nothing_about_rows_below_it() {
    let mut list = loaded(&[5, 4, 1]);
    list.compare(vec![alert(5), alert(4)], false);
    assert_eq!(list.row(id(1)).expect("loaded").gone, None);
}

#[test]
fn a_burst_longer_than_a_comparison_is_known_to_leave_a_hole() {
    let mut list = loaded(&[2, 1]);
    list.compare(vec![alert(90), alert(80)], false);
    assert!(
        list.is_waiting_partial(),
        "3 to 79 may exist and were not read"
    );
    list.compare(vec![alert(90), alert(80), alert(2)], false);
    assert!(!list.is_waiting_partial());
}

#[test]
fn the_loaded_rows_are_covered_when_the_last_is_reached() {
    let list = loaded(&[5, 4, 3]);
    assert!(!list.is_covered_by(&[alert(9), alert(4)]));
    assert!(list.is_covered_by(&[alert(9), alert(3)]));
    assert!(
        AlertList::default().is_covered_by(&[]),
        "nothing is loaded, nothing is missing"
    );
}

#[test]
fn an_overtaken_answer_changes_nothing() {
    let mut list = loaded(&[1]);
    let newer = Timestamp::from_millis(500);
    let now = AlertSummary {
        status: AlertStatus::Escalated,
        updated_at: newer,
        ..alert(1)
    };
    list.apply(now, Belongs::Yes);
    list.apply(alert(1), Belongs::Yes);
    assert_eq!(
        list.row(id(1)).expect("loaded").alert.status,
        AlertStatus::Escalated
    );
}
