//! Searching: random queries against an oracle, the plans of what is asked, facets, completion.

mod ask;
mod groups;
mod oracle;
pub(crate) mod world;

use calseta_domain::query::{
    Expr, IndicatorField, Query, Sort, SortField, SortKey, Test, TextMatch,
};
use calseta_domain::{AlertStatus, Severity, ViewId};
use calseta_store::tables::alert_list::{AlertFilter, AlertQuery, AlertSort, Counting, Paging};
use calseta_store::tables::search::{self, ValueField};
use calseta_store::tables::{Reads, alert, view};
use calseta_store::{Store, StoreError, WriteTx};
use tempfile::TempDir;
use uuid::Uuid;

use crate::world::{fresh, now};
use oracle::Known;
use world::Dice;

/// Alerts of the world.
const ALERTS: usize = 400;
/// Queries asked.
const QUERIES: usize = 1_000;
/// Where the dice begin.
const SEED: u64 = 0x5eed_ca15_e7a0_0001;
/// Alerts a page: no divisor of anything.
const PAGE: u32 = 37;
/// Ideas of how many alerts are few and many: with them every plan is taken.
const SIZES: &[(usize, usize)] = &[(0, 0), (0, 1_000), (20, 50), (4_000, 40_000)];

async fn filled(seed: u64, alerts: usize) -> (TempDir, Store) {
    let (dir, store) = fresh();
    let fill = move |tx: &WriteTx<'_>| world::fill(tx, &mut Dice(seed), alerts);
    store.write(fill).await.expect("the world is kept");
    index(&store).await;
    (dir, store)
}

async fn index(store: &Store) {
    let step = |tx: &WriteTx<'_>| search::index_pending(tx, 64);
    while store.write(step).await.expect("it is indexed") {}
}

fn asked(expr: Expr, keys: Vec<SortKey>) -> AlertQuery {
    AlertQuery {
        query: Some(Query {
            expr,
            sort: Some(Sort { keys }),
            group: None,
            now: world::ingested(ALERTS),
        }),
        filter: AlertFilter::default(),
        sort: AlertSort::CreatedAt,
        descending: true,
        paging: Paging::After(None),
        limit: PAGE,
        counting: Counting::Exact,
        include_suppressed: false,
    }
}

fn newest_first() -> Vec<SortKey> {
    vec![SortKey {
        field: SortField::Ingested,
        is_descending: true,
    }]
}

/// All pages of a query, by cursor or by number, and its count where it was made.
fn walk(
    tx: &impl Reads,
    query: &AlertQuery,
    sizes: (usize, usize),
    by_cursor: bool,
) -> Result<(Vec<i64>, Option<u64>), StoreError> {
    let (mut ids, mut query) = (Vec::new(), query.clone());
    loop {
        let page = search::page_when(tx, &query, sizes)?;
        ids.extend(page.rows.iter().map(|row| row.id));
        if page.next.is_none() {
            return Ok((ids, page.total));
        }
        query.paging = if by_cursor {
            Paging::After(page.next)
        } else {
            Paging::Offset(ids.len() as u64)
        };
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_random_queries_find_what_an_oracle_finds_in_the_same_order() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    let all = store.read(|tx| oracle::read(tx)).await.expect("all alerts");
    assert!(all.len() >= ALERTS - 1, "the oracle reads all of them");
    let all = std::sync::Arc::new(all);
    let mut dice = Dice(SEED);
    let (mut found_some, mut found_not_all, mut not_counted) = (0, 0, 0);
    for n in 0..QUERIES {
        let depth = dice.below(3);
        // Every kind of test comes alone, too.
        let expr = if n < ask::TESTS * 4 {
            Expr::Test(ask::test(&mut dice, n % ask::TESTS))
        } else {
            ask::expr(&mut dice, depth)
        };
        let keys = ask::order(&mut dice);
        let (sizes, by_cursor) = (dice.of(SIZES), dice.chance(70));
        let query = asked(expr, keys.clone());
        let expected = oracle::find(&all, query.query.as_ref().expect("a query"), &keys);
        found_some += usize::from(!expected.is_empty());
        found_not_all += usize::from(expected.len() < all.len());
        let what = format!("query {n} of seed {SEED:#x}, sizes {sizes:?}: {query:?}");
        let seen = store
            .read(move |tx| walk(tx, &query, sizes, by_cursor))
            .await;
        let (seen, total) = seen.unwrap_or_else(|error| panic!("{error}\n{what}"));
        assert_eq!(seen, expected, "{what}");
        not_counted += usize::from(total.is_none());
        if let Some(total) = total {
            assert_eq!(total, expected.len() as u64, "the count of {what}");
        }
    }
    // Only what reads payloads may stay without a count.
    assert!(not_counted < QUERIES / 10, "{not_counted} were not counted");
    assert!(found_some > QUERIES / 2, "only {found_some} found anything");
    assert!(
        found_not_all > QUERIES / 2,
        "only {found_not_all} left anything out"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oracle_that_is_wrong_about_one_alert_is_noticed() {
    let (_dir, store) = filled(SEED, 30).await;
    let mut all: Vec<Known> = store.read(|tx| oracle::read(tx)).await.expect("all alerts");
    all.pop();
    let query = asked(Expr::All(Vec::new()), newest_first());
    let expected = oracle::find(
        &all,
        query.query.as_ref().expect("a query"),
        &newest_first(),
    );
    let (seen, _) = store
        .read(move |tx| walk(tx, &query, (0, 0), true))
        .await
        .unwrap();
    assert_ne!(seen, expected);
}

/// What must not be in the plan of a page or a count.
fn complaint(sql: &str, steps: &[String]) -> Option<String> {
    let drives = sql.contains("a.id IN (SELECT");
    let sorts = steps.iter().any(|s| s.contains("TEMP B-TREE FOR ORDER BY"));
    if sorts && !drives {
        return Some("it sorts what may be everything".to_owned());
    }
    let scans = steps.iter().find(|step| {
        let walked = step.strip_prefix("SCAN ").unwrap_or("");
        let table = walked.split(' ').next().unwrap_or("");
        let big = ["finding", "delivery", "d", "f", "i", "indicator", "l"].contains(&table);
        // Names of sources and authors are found by skipping along an index.
        big && !step.contains("COVERING INDEX")
    });
    scans.map(|step| format!("it walks: {step}"))
}

fn explained(tx: &impl Reads, sql: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = tx.conn().prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let nulls = vec![rusqlite::types::Null; statement.parameter_count()];
    let rows = statement.query_map(rusqlite::params_from_iter(nulls), |row| row.get(3))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_and_order_has_a_plan_that_neither_sorts_nor_walks_everything() {
    let (_dir, store) = filled(SEED, 30).await;
    let mut dice = Dice(SEED);
    let mut queries = Vec::new();
    for field in SortField::ALL {
        for is_descending in [true, false] {
            for kind in 0..ask::TESTS {
                let key = SortKey {
                    field: *field,
                    is_descending,
                };
                queries.push(asked(Expr::Test(ask::test(&mut dice, kind)), vec![key]));
            }
        }
    }
    let (mut judged, mut bad) = (0, Vec::new());
    // A read each: all of them take longer than one may.
    for query in queries {
        let read = store.read(move |tx| {
            let mut explained_all = Vec::new();
            for sql in search::statements(tx, &query)? {
                let steps = explained(tx, &sql)?;
                explained_all.push((sql, steps));
            }
            Ok::<_, StoreError>(explained_all)
        });
        for (sql, steps) in read.await.expect("statements can be planned") {
            judged += 1;
            bad.extend(complaint(&sql, &steps).map(|why| format!("{why}: {sql}\n{steps:#?}")));
        }
    }
    assert!(judged > 1_000, "only {judged} statements were judged");
    assert!(
        bad.is_empty(),
        "{} of {judged}, the first: {}",
        bad.len(),
        bad[0]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_sorts_would_be_noticed() {
    let (_dir, store) = fresh();
    let sql = "SELECT a.id FROM alert a WHERE 1 ORDER BY a.source_url LIMIT 5";
    let steps = store.read(|tx| explained(tx, sql)).await.expect("a plan");
    assert!(complaint(sql, &steps).is_some(), "{steps:?}");
    let sql =
        "SELECT a.id FROM alert a WHERE EXISTS (SELECT 1 FROM finding f WHERE f.content = '')";
    let steps = store.read(|tx| explained(tx, sql)).await.expect("a plan");
    assert!(complaint(sql, &steps).is_some(), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_follow_what_happens_to_an_alert() {
    let (_dir, store) = filled(SEED, 30).await;
    let find = |word: &str| {
        let text = calseta_domain::query::FreeText {
            text: word.to_owned(),
            is_prefix: false,
        };
        let query = asked(Expr::Test(Test::Text(text)), newest_first());
        store.read(move |tx| walk(tx, &query, SIZES[3], true))
    };
    assert_eq!(find("zebra").await.unwrap().0, Vec::<i64>::new());
    store
        .write(|tx: &WriteTx<'_>| {
            let id = crate::world::insert_alert(tx, 999)?;
            let zebra = calseta_domain::Indicator {
                kind: calseta_domain::IndicatorType::Domain,
                value: "zebra.example".to_owned(),
            };
            let uuid = calseta_domain::IndicatorId::new(Uuid::from_u128(999));
            let row = calseta_store::tables::indicator::upsert(tx, uuid, &zebra, now())?;
            calseta_store::tables::indicator::link(tx, id, row, "source_plugin", "x")
        })
        .await
        .unwrap();
    assert_eq!(store.read(|tx| search::pending(tx)).await.unwrap(), 1);
    index(&store).await;
    let (ids, _) = find("zebra").await.unwrap();
    assert_eq!(ids.len(), 1);
    let gone = ids[0];
    let delete = move |tx: &WriteTx<'_>| alert::delete(tx, gone);
    assert!(store.write(delete).await.unwrap());
    assert_eq!(find("zebra").await.unwrap().0, Vec::<i64>::new(), "at once");
    index(&store).await;
    assert_eq!(find("zebra").await.unwrap(), (vec![], Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_change_after_an_undone_or_an_indexed_change_are_noted_again() {
    let (_dir, store) = fresh();
    let link = |tx: &WriteTx<'_>, id: i64| {
        let one = calseta_domain::Indicator {
            kind: calseta_domain::IndicatorType::Domain,
            value: "zebra.example".to_owned(),
        };
        let uuid = calseta_domain::IndicatorId::new(Uuid::from_u128(1));
        let row = calseta_store::tables::indicator::upsert(tx, uuid, &one, now())?;
        calseta_store::tables::indicator::link(tx, id, row, "source_plugin", "x")
    };
    let undone = store.write(|tx: &WriteTx<'_>| {
        crate::world::insert_alert(tx, 1)?;
        Err::<(), _>(StoreError::Conflict)
    });
    let kept = store.write(|tx: &WriteTx<'_>| crate::world::insert_alert(tx, 1));
    let (undone, kept) = tokio::join!(undone, kept);
    assert!(undone.is_err(), "it was undone");
    let id = kept.expect("it is kept");
    assert_eq!(store.read(|tx| search::pending(tx)).await.unwrap(), 1);
    store
        .write(move |tx: &WriteTx<'_>| {
            let row = crate::world::insert_alert(tx, 2)?;
            while search::index_pending(tx, 10)? {}
            assert!(link(tx, row)? && link(tx, id)?);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    assert_eq!(store.read(|tx| search::pending(tx)).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facets_keep_zeros_and_count_what_the_query_finds() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    let all = store.read(|tx| oracle::read(tx)).await.expect("all alerts");
    let open = Expr::Test(Test::Status(vec![AlertStatus::Open]));
    let query = asked(open.clone(), newest_first());
    let open_ids = oracle::find(&all, query.query.as_ref().unwrap(), &newest_first());
    let facets = store
        .read(move |tx| search::facets(tx, &query))
        .await
        .unwrap();
    assert_eq!(facets.total, open_ids.len() as u64);
    let of = |field: &str| {
        let facet = facets.facets.iter().find(|facet| facet.field == field);
        facet.expect("the facet").values.clone()
    };
    // Its own term does not empty the other statuses.
    let expected: Vec<(String, u64)> = AlertStatus::ALL
        .iter()
        .map(|status| {
            let of_status = Expr::Test(Test::Status(vec![*status]));
            let query = asked(of_status, newest_first());
            let found = oracle::find(&all, query.query.as_ref().unwrap(), &newest_first());
            (status.as_str().to_owned(), found.len() as u64)
        })
        .collect();
    assert!(expected.iter().filter(|(_, count)| *count > 0).count() > 1);
    assert_eq!(of("status"), expected);
    for severity in Severity::ALL {
        let both = Expr::all(vec![
            open.clone(),
            Expr::Test(Test::Severity(calseta_domain::query::Comparison::OneOf(
                vec![*severity],
            ))),
        ]);
        let query = asked(both, newest_first());
        let expected = oracle::find(&all, query.query.as_ref().unwrap(), &newest_first());
        let counted = of("sev")
            .into_iter()
            .find(|(word, _)| word == severity.as_str());
        assert_eq!(counted.map(|(_, n)| n), Some(expected.len() as u64));
        let queries = [query.query.expect("a query")];
        let counts = store
            .read(move |tx| search::counts(tx, &queries))
            .await
            .unwrap();
        assert_eq!(counts, [Some(expected.len() as u64)]);
    }
    let tags = of("tag");
    assert!(
        tags.windows(2).all(|pair| pair[0].1 >= pair[1].1),
        "most frequent first"
    );
    assert_eq!(of("says").len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_complete_in_any_case_with_counts() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    let read = store.read(|tx| {
        let of = |field, prefix: &str| search::complete(tx, field, prefix, 5);
        let sources = of(ValueField::Source, "ELA")?;
        assert_eq!(sources.len(), 1);
        assert_eq!(sources[0].0, "Elastic");
        assert!(sources[0].1 > Some(50));
        assert_eq!(of(ValueField::Tag, "v")?.len(), 2, "VIP and vpn");
        assert_eq!(of(ValueField::Agent, "triage")?[0].0, "triage-bot");
        assert_eq!(of(ValueField::Rule, "cloud")?[0].0, "Cloud accounts");
        assert_eq!(
            of(ValueField::Document, "vip")?,
            [("VIP handling".to_owned(), None)]
        );
        let ips = of(ValueField::Indicator(IndicatorField::Ip), "185.")?;
        assert_eq!(ips.len(), 2);
        assert!(ips[0].1 >= ips[1].1);
        assert_eq!(of(ValueField::Source, "nobody")?, []);
        Ok::<_, StoreError>(())
    });
    read.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_order_begins_anew_and_legacy_filters_narrow() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    let all = store.read(|tx| oracle::read(tx)).await.expect("all alerts");
    let title = Test::Title(vec![TextMatch::Contains("travel".to_owned())]);
    let mut query = asked(Expr::Test(title.clone()), newest_first());
    query.filter.status = vec![AlertStatus::Closed];
    query.filter.tags = vec!["VIP".to_owned()];
    let both = Expr::all(vec![
        Expr::Test(title),
        Expr::Test(Test::Status(vec![AlertStatus::Closed])),
        Expr::Test(Test::Tag(vec![TextMatch::Equal("vip".to_owned())])),
    ]);
    let same = asked(both, newest_first());
    let expected = oracle::find(&all, same.query.as_ref().unwrap(), &newest_first());
    let (seen, _) = store
        .read(move |tx| walk(tx, &query, SIZES[2], true))
        .await
        .unwrap();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shipped_views_come_once_and_one_is_the_default() {
    let (_dir, store) = fresh();
    let outcome = store.write(|tx: &WriteTx<'_>| {
        let mut n = 0;
        let mut seed = |tx: &WriteTx<'_>| {
            view::seed(
                tx,
                || {
                    n += 1;
                    ViewId::new(Uuid::from_u128(n))
                },
                now(),
            )
        };
        seed(tx)?;
        let all = view::all(tx)?;
        assert_eq!(all.len(), view::SHIPPED.len());
        assert!(view::delete(tx, all[1].uuid)?);
        seed(tx)?;
        assert_eq!(
            view::all(tx)?.len(),
            all.len() - 1,
            "what was deleted stays away"
        );
        let mut own = all[2].clone();
        own.uuid = ViewId::new(Uuid::from_u128(99));
        own.name = "mine".to_owned();
        own.is_default = true;
        view::insert(tx, &own)?;
        let defaults = view::all(tx)?.into_iter().filter(|v| v.is_default);
        assert_eq!(defaults.map(|v| v.name).collect::<Vec<_>>(), ["mine"]);
        assert!(matches!(view::insert(tx, &own), Err(StoreError::Conflict)));
        Ok::<_, StoreError>(())
    });
    outcome.await.unwrap();
}
