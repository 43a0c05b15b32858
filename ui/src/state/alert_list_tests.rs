//! The list's invariant, event by event.

use calseta_domain::{EnrichmentStatus, Malice, Timestamp};
use uuid::Uuid;

use super::*;

fn id(n: u128) -> AlertId {
    AlertId::new(Uuid::from_u128(n))
}

fn alert(n: u128) -> AlertSummary {
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
    list.replace(numbers.iter().map(|n| alert(*n)).collect(), None);
    list
}

fn order(list: &AlertList) -> Vec<AlertId> {
    (0..list.len())
        .filter_map(|index| list.id_at(index))
        .collect()
}

#[test]
fn a_new_alert_waits_and_moves_nothing() {
    let mut list = loaded(&[5, 4, 3]);
    list.apply(alert(6), &AlertFilter::default());
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
    list.apply(alert(4), &AlertFilter::default());
    list.merge();
    assert_eq!(order(&list), [id(5), id(4), id(3)]);
}

#[test]
fn the_same_new_alert_waits_once() {
    let mut list = loaded(&[1]);
    list.apply(alert(2), &AlertFilter::default());
    list.apply(
        AlertSummary {
            duplicate_count: 3,
            ..alert(2)
        },
        &AlertFilter::default(),
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
        &AlertFilter::default(),
    );
    let row = list.row(id(1)).expect("loaded");
    assert_eq!((row.alert.severity, row.changes), (Severity::Low, 1));
    list.apply(
        AlertSummary {
            severity: Severity::Low,
            ..alert(1)
        },
        &AlertFilter::default(),
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
    list.apply(closed, &AlertFilter::default());
    assert_eq!(order(&list), [id(2), id(1)]);
    assert_eq!(
        list.row(id(2)).expect("loaded").gone.as_deref(),
        Some("→ Closed")
    );
    list.apply(alert(2), &AlertFilter::default());
    assert_eq!(
        list.row(id(2)).expect("loaded").gone,
        None,
        "reopened, it belongs here again"
    );
}

#[test]
fn a_waiting_alert_that_stops_matching_waits_no_longer() {
    let mut list = loaded(&[1]);
    list.apply(alert(2), &AlertFilter::default());
    let closed = AlertSummary {
        status: AlertStatus::Closed,
        ..alert(2)
    };
    list.apply(closed, &AlertFilter::default());
    assert!(list.waiting().is_empty());
}

#[test]
fn an_alert_below_the_last_page_is_left_to_paging() {
    let mut list = AlertList::default();
    list.replace(vec![alert(9), alert(8)], Some("next".to_owned()));
    list.apply(alert(2), &AlertFilter::default());
    assert!(list.waiting().is_empty());
    list.append(vec![alert(7), alert(2)], None);
    assert_eq!(list.len(), 4);
    assert_eq!(list.cursor(), None);
}

#[test]
fn a_page_that_overlaps_brings_no_row_twice() {
    let mut list = AlertList::default();
    list.replace(vec![alert(9), alert(8)], Some("next".to_owned()));
    list.append(vec![alert(8), alert(7)], None);
    assert_eq!(order(&list), [id(9), id(8), id(7)]);
}

#[test]
fn after_a_closed_row_comes_the_next_that_nobody_has_dealt_with() {
    let mut list = loaded(&[4, 3, 2, 1]);
    let taken = AlertSummary {
        status: AlertStatus::Triaging,
        ..alert(3)
    };
    list.apply(taken, &AlertFilter::default());
    assert_eq!(list.next_unhandled(0), Some(id(2)), "3 is being dealt with");
    assert_eq!(
        list.next_unhandled(3),
        Some(id(2)),
        "at the end it goes back up"
    );
}

#[test]
fn a_filter_restricts_by_each_of_its_sets() {
    let filter = AlertFilter {
        severity: [Severity::Critical].into(),
        ..AlertFilter::everything()
    };
    assert!(!filter.matches(&alert(1)));
    assert!(AlertFilter::everything().matches(&alert(1)));
    assert_eq!(filter.query(50, None).severity, ["Critical"]);
}

#[test]
fn a_comparison_marks_what_is_missing_and_moves_nothing() {
    let mut list = loaded(&[5, 4, 3]);
    list.compare(
        vec![alert(6), alert(5), alert(3)],
        true,
        &AlertFilter::default(),
    );
    assert_eq!(order(&list), [id(5), id(4), id(3)]);
    assert!(list.row(id(4)).expect("loaded").gone.is_some());
    assert_eq!(list.waiting().len(), 1);
}

#[test]
fn a_comparison_says_nothing_about_rows_below_it() {
    let mut list = loaded(&[5, 4, 1]);
    list.compare(vec![alert(5), alert(4)], false, &AlertFilter::default());
    assert_eq!(list.row(id(1)).expect("loaded").gone, None);
}

#[test]
fn a_burst_longer_than_a_comparison_is_known_to_leave_a_hole() {
    let mut list = loaded(&[2, 1]);
    list.compare(vec![alert(90), alert(80)], false, &AlertFilter::default());
    assert!(
        list.is_waiting_partial(),
        "3 to 79 may exist and were not read"
    );
    list.compare(
        vec![alert(90), alert(80), alert(2)],
        false,
        &AlertFilter::default(),
    );
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
    list.apply(now, &AlertFilter::default());
    list.apply(alert(1), &AlertFilter::default());
    assert_eq!(
        list.row(id(1)).expect("loaded").alert.status,
        AlertStatus::Escalated
    );
}
