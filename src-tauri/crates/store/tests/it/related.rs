//! Suppressions and what alerts have in common.

use calseta_domain::query::{Expr, Query, Test, TextMatch};
use calseta_domain::relation::NOISE_ALERTS;
use calseta_domain::{
    AlertStatus, CloseClassification, DetectionRuleId, Indicator, IndicatorId, IndicatorType,
    RuleReference, Timestamp,
};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::{Reads, detection_rule, indicator, related, suppression};
use calseta_store::{StoreError, WriteTx};
use uuid::Uuid;

use crate::search::world::suppression as insert_suppression;
use crate::world::{fresh, insert_alert, now, write};

fn later(minutes: i64) -> Timestamp {
    now().plus_millis(60_000 * minutes)
}

fn read(tx: &WriteTx<'_>, id: i64) -> AlertRow {
    let row = alert::by_row(tx, id).expect("it can be read");
    row.expect("it is there")
}

fn titled(title: &str) -> Query {
    Query {
        expr: Expr::Test(Test::Title(vec![TextMatch::Equal(title.to_owned())])),
        sort: None,
        group: None,
        now: now(),
    }
}

fn close(
    tx: &WriteTx<'_>,
    id: i64,
    minute: i64,
    class: CloseClassification,
) -> Result<(), StoreError> {
    let mut row = read(tx, id);
    row.status = AlertStatus::Closed;
    row.close_classification = Some(class);
    row.closed_at = Some(later(minute));
    alert::update(tx, &row)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suppression_hides_what_it_matches_counts_it_and_gives_it_back() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let ids: Vec<i64> = (0..10)
            .map(|n| insert_alert(tx, n))
            .collect::<Result<_, _>>()?;
        let noise = insert_suppression(tx, 1)?;
        let query = titled("title 3");
        let matching: Vec<bool> = ids
            .iter()
            .map(|id| suppression::matches(tx, &query, *id))
            .collect::<Result<_, _>>()?;
        let expected: Vec<bool> = (0..10).map(|n| n % 5 == 3).collect();
        assert_eq!(matching, expected);
        for id in [ids[3], ids[8], ids[1]] {
            assert!(suppression::hide(tx, noise, id)?);
            assert!(!suppression::hide(tx, noise, id)?, "once");
        }
        assert!(suppression::hide(tx, noise, ids[4])?);
        assert!(suppression::show(tx, ids[4])?);
        assert!(!suppression::show(tx, ids[4])?, "once");
        assert_eq!(read(tx, ids[4]).suppressed_by, None);
        let row = &suppression::all(tx)?[0];
        assert_eq!(row.hidden_count, 4);
        assert_eq!(read(tx, ids[3]).suppressed_by, Some(row.uuid));
        assert_eq!(read(tx, ids[2]).suppressed_by, None);

        assert_eq!(suppression::active(tx, later(0))?.len(), 1);
        let end = row.expires_at;
        assert_eq!(suppression::next_end(tx, now())?, Some(end));
        assert_eq!(suppression::ended(tx, later(0))?, []);
        assert_eq!(suppression::active(tx, end)?, []);
        assert_eq!(suppression::ended(tx, end)?.len(), 1, "it still hides some");
        assert_eq!(suppression::lift(tx, noise, 2)?.len(), 2);
        assert_eq!(suppression::lift(tx, noise, 2)?.len(), 1);
        assert_eq!(suppression::lift(tx, noise, 2)?, []);
        assert_eq!(suppression::ended(tx, end)?, []);
        assert_eq!(read(tx, ids[3]).suppressed_by, None);
        assert_eq!(
            suppression::all(tx)?[0].hidden_count,
            4,
            "what it hid is told"
        );
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_suppression_hides_nothing_any_more() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let id = insert_alert(tx, 1)?;
        let noise = insert_suppression(tx, 1)?;
        suppression::hide(tx, noise, id)?;
        let mut row = suppression::all(tx)?.remove(0);
        row.name = "other".to_owned();
        row.reason = Some("because".to_owned());
        suppression::update(tx, &row)?;
        assert_eq!(suppression::by_uuid(tx, row.uuid)?, Some(row));
        assert!(suppression::delete(tx, noise)?);
        assert!(!suppression::delete(tx, noise)?, "once");
        assert_eq!(read(tx, id).suppressed_by, None);
        let left: i64 = tx.conn().query_row(
            "SELECT count(*) FROM triage WHERE suppression_id IS NOT NULL",
            [],
            |row| row.get(0),
        )?;
        assert_eq!(left, 0);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_counts_what_would_have_been_hidden_and_what_was_worth_seeing() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let ids: Vec<i64> = (0..40)
            .map(|n| insert_alert(tx, n))
            .collect::<Result<_, _>>()?;
        let noise = insert_suppression(tx, 1)?;
        suppression::hide(tx, noise, ids[3])?;
        close(tx, ids[3], 1, CloseClassification::TruePositive)?;
        close(tx, ids[8], 1, CloseClassification::FalsePositiveLogic)?;
        close(tx, ids[9], 1, CloseClassification::TruePositive)?;
        let seen = suppression::preview(tx, &titled("title 3"), now())?;
        assert_eq!(
            (seen.matched, seen.of, seen.true_positives),
            (Some(8), 40, 1)
        );
        let newest: Vec<i64> = seen.examples.iter().map(|row| row.id).collect();
        let expected = [ids[38], ids[33], ids[28], ids[23], ids[18]];
        assert_eq!(newest, expected);
        let none = suppression::preview(tx, &titled("title 3"), later(1))?;
        assert_eq!(
            (none.matched, none.of, none.true_positives),
            (Some(0), 0, 0)
        );
        Ok(())
    })
    .await;
}

fn add(tx: &WriteTx<'_>, alert: i64, value: &str) -> Result<i64, StoreError> {
    let indicator = Indicator {
        kind: IndicatorType::Domain,
        value: value.to_owned(),
    };
    let id = value
        .bytes()
        .fold(7, |n: u128, byte| n.wrapping_mul(31) + u128::from(byte));
    let row = indicator::upsert(tx, IndicatorId::new(Uuid::from_u128(id)), &indicator, now())?;
    indicator::link(tx, alert, row, "source_plugin", "x")?;
    Ok(row)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_are_related_by_rare_values_and_not_by_noise() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let many = NOISE_ALERTS + 1;
        let ids: Vec<i64> = (0..=many)
            .map(|n| insert_alert(tx, n))
            .collect::<Result<_, _>>()?;
        let mut noise = 0;
        for id in &ids {
            noise = add(tx, *id, "resolver.example")?;
        }
        let rare = add(tx, ids[0], "rare.example")?;
        add(tx, ids[7], "rare.example")?;
        let common = add(tx, ids[0], "common.example")?;
        for id in &ids[5..9] {
            add(tx, *id, "common.example")?;
        }
        add(tx, ids[0], "alone.example")?;
        let shared = related::shared(tx, ids[0])?;
        assert_eq!(shared.total_alerts, many + 1);
        let rows = |of: &[indicator::IndicatorRow]| of.iter().map(|i| i.id).collect::<Vec<_>>();
        assert_eq!(rows(&shared.indicators), [rare, common], "the rarest first");
        assert_eq!(rows(&shared.ignored), [noise]);
        let first = &shared.candidates[0];
        assert_eq!(
            (first.alert, &first.shared[..]),
            (ids[7], &[rare, common][..])
        );
        let mut others: Vec<i64> = shared.candidates[1..].iter().map(|c| c.alert).collect();
        others.sort_unstable();
        assert_eq!(others, [ids[5], ids[6], ids[8]]);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_s_track_record_is_what_its_alerts_were_closed_as() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let reference = RuleReference {
            source_rule_id: "r".to_owned(),
            name: "Rule".to_owned(),
            severity: None,
            mitre_tactics: Vec::new(),
            mitre_techniques: Vec::new(),
            mitre_subtechniques: Vec::new(),
            documentation: None,
        };
        let id = DetectionRuleId::new(Uuid::from_u128(1));
        let rule = detection_rule::link(tx, id, "generic", &reference, now())?;
        let ids: Vec<i64> = (0..30)
            .map(|n| insert_alert(tx, n))
            .collect::<Result<_, _>>()?;
        for id in &ids[..28] {
            tx.conn().execute(
                "UPDATE alert SET detection_rule_id = ?1 WHERE id = ?2",
                (rule, id),
            )?;
        }
        for (n, id) in ids[..25].iter().enumerate() {
            let class = match n {
                0..5 => CloseClassification::TruePositive,
                24 => CloseClassification::FalsePositiveInaccurate,
                _ => CloseClassification::FalsePositiveLogic,
            };
            close(tx, *id, i64::try_from(n).expect("few") + 1, class)?;
        }
        close(tx, ids[29], 50, CloseClassification::TruePositive)?;
        let seen = related::track_record(tx, rule, now())?;
        assert_eq!(
            (seen.alerts, seen.closed, seen.false_positives),
            (28, 25, 20)
        );
        assert_eq!(seen.last_closed.len(), 20);
        assert_eq!(
            seen.last_closed[0],
            CloseClassification::FalsePositiveInaccurate,
            "the last first"
        );
        assert!(
            !seen
                .last_closed
                .contains(&CloseClassification::TruePositive),
            "the first five are older"
        );
        assert_eq!(seen.median_close_ms, Some(13 * 60_000));
        assert_eq!(related::last_closed(tx, rule)?, (20, 20));
        assert_eq!(
            related::same_rule(tx, rule, ids[27], 2)?,
            [ids[26], ids[25]]
        );
        let later = related::track_record(tx, rule, later(1))?;
        assert_eq!(later, related::TrackFigures::default());
        Ok(())
    })
    .await;
}
