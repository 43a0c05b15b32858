//! Deleting alerts, judging indicators, asking for work again.

use calseta_domain::{Indicator, IndicatorId, IndicatorType, Malice, ProviderId};
use calseta_store::tables::enrichment::{self, Answer};
use calseta_store::tables::indicator::{
    self, IndicatorFilter, IndicatorRow, IndicatorSort, VerdictAuthor,
};
use calseta_store::tables::job::{self, JobKind};
use calseta_store::tables::{Direction, Slice, alert, backlog, delivery, event, graph, provider};
use calseta_store::{StoreError, WriteTx};
use serde_json::Map;
use uuid::Uuid;

use crate::world::{
    append_event, fresh, insert_agent, insert_alert, insert_delivery, lease, now, write,
};

fn add_indicator(tx: &WriteTx<'_>, alert: i64, value: &str) -> Result<i64, StoreError> {
    let indicator = Indicator::new(IndicatorType::Ip, value).expect("an address");
    let id = value.bytes().fold(7, |n, byte| n * 31 + u128::from(byte));
    let row = indicator::upsert(tx, IndicatorId::new(Uuid::from_u128(id)), &indicator, now())?;
    indicator::link(tx, alert, row, "source_plugin", "x")?;
    Ok(row)
}

fn read(tx: &WriteTx<'_>, row: i64) -> IndicatorRow {
    let row = indicator::by_row(tx, row).expect("it can be read");
    row.expect("it is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_alert_takes_its_links_and_work_along_and_leaves_the_log() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let (one, two) = (insert_alert(tx, 1)?, insert_alert(tx, 2)?);
        let shared = add_indicator(tx, one, "192.0.2.1")?;
        add_indicator(tx, two, "192.0.2.1")?;
        let agent = insert_agent(tx)?;
        insert_delivery(tx, (one, agent), 1)?;
        job::insert(tx, JobKind::Match, (one, 0), now(), now())?;
        append_event(tx, 1)?;
        assert_eq!(read(tx, shared).alert_count, 2);

        assert!(alert::delete(tx, one)?);
        assert!(!alert::delete(tx, one)?, "once");
        assert!(alert::by_row(tx, one)?.is_none());
        assert_eq!(read(tx, shared).alert_count, 1);
        assert_eq!(job::depth(tx)?, 0);
        assert_eq!(event::newest(tx)?, 1, "events stay");
        let (rows, _) = delivery::page(tx, &delivery::DeliveryFilter::default(), 10, 0)?;
        assert_eq!(rows[0].state, "cancelled", "nobody is told of it any more");
        assert_eq!(rows[0].alert, None);
        assert!(alert::by_row(tx, two)?.is_some(), "the other one stays");
        Ok(())
    })
    .await;
}

fn answer(tx: &WriteTx<'_>, indicator: i64, malice: Malice) -> Result<Malice, StoreError> {
    let id = ProviderId::new(Uuid::from_u128(1));
    provider::ensure_builtin(tx, id, ("p", "P", "…"), "{}", now())?;
    let provider = provider::by_name(tx, "p")?.expect("it was just added").id;
    let answer = Answer {
        extracted: &Map::new(),
        malice,
        raw: Some("{\"a\":1}"),
        expires_at: now(),
        is_demo: false,
    };
    enrichment::store(tx, (indicator, provider), &answer, now())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_override_stands_until_it_is_taken_back() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let alert = insert_alert(tx, 1)?;
        let row = add_indicator(tx, alert, "192.0.2.1")?;
        assert!(!read(tx, row).is_enriched);
        assert_eq!(answer(tx, row, Malice::Suspicious)?, Malice::Suspicious);
        assert!(read(tx, row).is_enriched);
        indicator::override_malice(tx, row, (Malice::Benign, VerdictAuthor::Analyst), now())?;
        assert_eq!(read(tx, row).malice, Malice::Benign);
        let later = answer(tx, row, Malice::Malicious)?;
        assert_eq!(later, Malice::Benign, "an answer does not outrank a person");
        assert_eq!(
            read(tx, row).overridden,
            Some((VerdictAuthor::Analyst, now()))
        );
        indicator::reset_malice(tx, row, now())?;
        assert_eq!(
            read(tx, row).malice,
            Malice::Malicious,
            "from what is stored"
        );
        assert_eq!(read(tx, row).overridden, None);
        assert_eq!(enrichment::raw_of(tx, row)?.len(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_graph_shows_the_newest_other_alerts_of_every_indicator() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        // Of the world's alerts number n occurred n % 7 ms after the first.
        let ids = (0..7)
            .map(|n| insert_alert(tx, n))
            .collect::<Result<Vec<_>, _>>()?;
        let mut rows = Vec::new();
        for id in &ids {
            rows.push(add_indicator(tx, *id, "192.0.2.1")?);
        }
        let lonely = add_indicator(tx, ids[3], "192.0.2.9")?;
        let siblings = graph::siblings(tx, ids[3], 4)?;
        let times: Vec<i64> = siblings
            .iter()
            .map(|s| s.occurred_at.millis() - now().millis())
            .collect();
        assert_eq!(times, [6, 5, 4, 2], "newest first, without itself");
        assert!(siblings.iter().all(|s| s.indicator == rows[0]));
        assert_eq!(read(tx, rows[0]).alert_count, 7);
        assert_eq!(read(tx, lonely).alert_count, 1);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_asked_for_again_while_it_is_done_is_done_once_more() {
    let (_dir, store) = fresh();
    let boot = store.boot();
    write(&store, move |tx| {
        let due = |tx: &WriteTx<'_>| job::is_due(tx, JobKind::Match, 0, now());
        job::request(tx, JobKind::Match, (1, 0), now().plus_millis(60_000), now())?;
        assert!(!due(tx)?);
        job::request(tx, JobKind::Match, (1, 0), now(), now())?;
        assert!(due(tx)?, "the earlier of both");
        let claim = |tx: &WriteTx<'_>| {
            let mut jobs = job::claim_of(tx, (JobKind::Match, 0), lease(boot), 9, now())?;
            Ok::<_, StoreError>(jobs.pop().expect("one is due"))
        };
        let first = claim(tx)?;
        job::request(tx, JobKind::Match, (1, 0), now(), now())?;
        assert!(!due(tx)?, "one pair of hands at a time");
        assert!(job::finish(tx, &first, boot)?);
        assert!(due(tx)?, "the second request is not lost");
        let second = claim(tx)?;
        assert!(!job::finish(tx, &first, boot)?, "the first claim is over");
        assert!(job::finish(tx, &second, boot)?);
        assert_eq!(job::depth(tx)?, 0);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indicators_are_listed_by_verdict_and_part_of_their_value() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        let alert = insert_alert(tx, 1)?;
        for n in 1..=9 {
            let row = add_indicator(tx, alert, &format!("192.0.2.{n}"))?;
            if n > 6 {
                answer(tx, row, Malice::Malicious)?;
            }
        }
        let page = |filter: &IndicatorFilter, sort, way| {
            let slice = Slice {
                limit: 2,
                offset: 1,
            };
            let (rows, total) = indicator::page(tx, filter, (sort, way), slice)?;
            let values: Vec<String> = rows.into_iter().map(|row| row.value).collect();
            Ok::<_, StoreError>((values, total))
        };
        let bad = IndicatorFilter {
            malice: vec![Malice::Malicious],
            kind: vec![IndicatorType::Ip],
            ..IndicatorFilter::default()
        };
        let seen = page(&bad, IndicatorSort::Value, Direction::Descending)?;
        assert_eq!(seen, (vec!["192.0.2.8".into(), "192.0.2.7".into()], 3));
        let part = IndicatorFilter {
            value: Some("2.3".to_owned()),
            ..IndicatorFilter::default()
        };
        let seen = page(&part, IndicatorSort::LastSeen, Direction::Ascending)?;
        assert_eq!(seen, (vec![], 1), "the only one is before the offset");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovering_twice_changes_nothing_more() {
    let (_dir, store) = fresh();
    let boot = store.boot();
    write(&store, move |tx| {
        let (alert, agent) = (insert_alert(tx, 1)?, insert_agent(tx)?);
        insert_delivery(tx, (alert, agent), 1)?;
        let claimed = delivery::claim(tx, agent, lease(boot), 1, now())?.remove(0);
        let outcome = delivery::AttemptOutcome {
            outcome: "http",
            status_code: Some(500),
            remote_ip: None,
            duration_ms: 1,
            response_excerpt: None,
            error: None,
        };
        let dead = delivery::Settled::Dead("gave up".to_owned());
        assert!(delivery::settle(
            tx,
            &claimed,
            boot,
            (&outcome, &dead, 1),
            now()
        )?);
        let recover = |from: i64| {
            let part = backlog::Part {
                agent,
                from: now().plus_millis(from),
                to: now().plus_millis(9),
            };
            backlog::revive(tx, part, 0, now())
        };
        assert_eq!(recover(1)?, (0, None), "it was made before the window");
        assert_eq!(recover(0)?, (1, None));
        assert_eq!(recover(0)?, (0, None));
        let id = claimed.id;
        assert!(delivery::cancel(tx, id)?);
        assert!(!delivery::cancel(tx, id)?);
        Ok(())
    })
    .await;
}
