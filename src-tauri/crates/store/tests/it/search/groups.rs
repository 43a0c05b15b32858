//! Groups of the queue and what the palette finds.

use std::collections::{BTreeMap, BTreeSet};

use calseta_domain::query::{Comparison, Expr, Group, Test};
use calseta_domain::{AlertStatus, Severity, ViewId};
use calseta_store::tables::alert_list::AlertQuery;
use calseta_store::tables::search::{self, GroupRow};
use calseta_store::tables::{Reads, alert, palette, view};
use calseta_store::{StoreError, WriteTx};
use uuid::Uuid;

use super::world::Dice;
use super::{ALERTS, SEED, ask, asked, filled, newest_first};
use crate::world::{fresh, insert_agent, insert_alert, now, write};

const KINDS: &[Group] = &[
    Group::Rule,
    Group::Source,
    Group::Entity,
    Group::Duplicate,
    Group::None,
];

fn ids(tx: &impl Reads, query: &AlertQuery) -> Result<Vec<i64>, StoreError> {
    search::rows(tx, query, None, u32::MAX)
}

/// Groups that are looked at: repetitions are as many as alerts.
const LOOKED_AT: usize = 25;

/// Judges the groups of a query.
fn judge(tx: &impl Reads, query: &AlertQuery, by: Group) -> Result<(), StoreError> {
    let all = ids(tx, query)?;
    let found = search::groups(tx, query, by)?;
    assert_eq!(found.total, all.len() as u64);
    let mut seen = BTreeSet::new();
    for group in found.groups.iter().take(LOOKED_AT) {
        let given = query.query.as_ref().expect("a query").expr.clone();
        let narrowed = asked(Expr::all(vec![given, group.own.clone()]), newest_first());
        let members = ids(tx, &narrowed)?;
        let what = format!("{by:?} {group:?}");
        assert_eq!(members.len() as u64, group.count, "{what}");
        let named = search::group_members(tx, query, (by, &group.key), u32::MAX)?;
        let mut rows = Vec::new();
        for (_, row) in alert::rows_of(tx, &named)? {
            rows.push(row);
        }
        assert_eq!(
            rows, members,
            "the own term finds the members, the newest first: {what}"
        );
        let worst = worst(tx, &members)?;
        assert_eq!(group.worst, worst, "{what}");
        seen.extend(members);
    }
    if found.groups.len() <= LOOKED_AT {
        assert_eq!(seen.len(), all.len(), "every alert is in one group: {by:?}");
    }
    let sizes: Vec<u64> = found.groups.iter().map(|group| group.count).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "the largest first");
    Ok(())
}

fn worst(tx: &impl Reads, members: &[i64]) -> Result<Severity, StoreError> {
    let mut worst = Severity::Pending;
    for id in members {
        let severity = alert::by_row(tx, *id)?.expect("it is there").severity;
        if severity.rank() > worst.rank() {
            worst = severity;
        }
    }
    Ok(worst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_s_own_term_finds_exactly_its_members() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    let mut dice = Dice(SEED);
    let mut queries = vec![Expr::All(Vec::new())];
    for _ in 0..12 {
        queries.push(ask::expr(&mut dice, 1));
    }
    for expr in queries {
        let query = asked(expr, newest_first());
        for by in KINDS {
            let query = query.clone();
            let read = store.read(move |tx| judge(tx, &query, *by));
            read.await.expect("groups");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_term_that_finds_one_alert_too_few_would_be_noticed() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    let query = asked(Expr::All(Vec::new()), newest_first());
    let read = store.read(move |tx| {
        let found = search::groups(tx, &query, Group::Source)?;
        let group: &GroupRow = &found.groups[0];
        let not = Expr::Test(Test::Severity(Comparison::OneOf(vec![group.worst]))).negate();
        let fewer = asked(Expr::all(vec![group.own.clone(), not]), newest_first());
        assert!((ids(tx, &fewer)?.len() as u64) < group.count);
        Ok::<_, StoreError>(())
    });
    read.await.expect("groups");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repetitions_of_an_alert_are_one_group_and_rules_tell_what_they_were_closed_as() {
    let (_dir, store) = fresh();
    write(&store, |tx| {
        for n in 0..6_u64 {
            let row = if n < 2 {
                insert_alert(tx, n)?
            } else {
                again(tx, n)?
            };
            if n == 3 {
                let mut alert = alert::by_row(tx, row)?.expect("it is there");
                alert.severity = Severity::Critical;
                alert::update(tx, &alert)?;
            }
        }
        let query = asked(Expr::All(Vec::new()), newest_first());
        let found = search::groups(tx, &query, Group::Duplicate)?;
        let counts: Vec<_> = found
            .groups
            .iter()
            .map(|g| (g.label.as_str(), g.count))
            .collect();
        assert_eq!(counts, [("title 1", 3), ("title 0", 3)]);
        assert_eq!(found.groups[0].worst, Severity::Critical);
        assert!(found.groups.iter().all(|group| group.last_closed.is_none()));
        Ok(())
    })
    .await;
    let (_dir, store) = filled(SEED, ALERTS).await;
    let read = store.read(|tx| {
        let query = asked(Expr::All(Vec::new()), newest_first());
        let found = search::groups(tx, &query, Group::Rule)?;
        let by_rule: BTreeMap<_, _> = found
            .groups
            .iter()
            .map(|group| (group.label.as_str(), group.last_closed))
            .collect();
        assert_eq!(by_rule[""], None);
        let (false_positives, of) = by_rule["Script"].expect("a rule's group");
        assert_eq!(of, 20);
        assert!((1..20).contains(&false_positives), "{false_positives}");
        Ok::<_, StoreError>(())
    });
    read.await.expect("groups");
}

/// The alert again, after it has been closed.
fn again(tx: &WriteTx<'_>, n: u64) -> Result<i64, StoreError> {
    let mut fingerprint = [0; 32];
    fingerprint[..8].copy_from_slice(&(n % 2).to_be_bytes());
    let head = alert::dedup_head(tx, fingerprint)?.expect("it came in before");
    alert::retire_head(tx, head.id)?;
    let mut closed = alert::by_row(tx, head.id)?.expect("it is there");
    closed.status = AlertStatus::Closed;
    alert::update(tx, &closed)?;
    let title = closed.title.clone();
    let new = alert::NewAlert {
        uuid: calseta_domain::AlertId::new(Uuid::from_u128(u128::from(n) + 100)),
        title: &title,
        description: None,
        severity: Severity::Low,
        source_name: "generic",
        source_url: None,
        occurred_at: now(),
        ingested_at: now(),
        fingerprint,
        duplicate_of: Some(head.id),
        rule: None,
        tags: &[],
        raw_payload: "{}",
    };
    alert::insert(tx, &new)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_palette_finds_names_in_any_case_and_the_earliest_place_first() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    write(&store, |tx| {
        let mut n = 0;
        let new_id = || {
            n += 1;
            ViewId::new(Uuid::from_u128(n))
        };
        view::seed(tx, new_id, now())?;
        insert_agent(tx).map(drop)
    })
    .await;
    let read = store.read(|tx| {
        assert_eq!(palette::agents(tx, "AGE", 8)?[0].name, "agent");
        assert_eq!(palette::agents(tx, "nobody", 8)?, []);
        let rules = palette::rules(tx, "c", 8)?;
        let names: Vec<_> = rules.iter().map(|(rule, _)| rule.name.as_str()).collect();
        assert_eq!(
            names,
            ["Cloud accounts", "Script"],
            "where it stands earlier"
        );
        assert!(rules.iter().all(|(_, alerts)| *alerts > 10));
        let documents = palette::documents(tx, "RUNBOOK", 8)?;
        assert_eq!(documents[0].0.name, "Phishing runbook");
        assert_eq!(palette::views(tx, "escal", 8)?[0].1, "status:escalated");
        let tags = palette::tags(tx, "v", 8)?;
        assert_eq!(tags.len(), 2, "VIP and vpn: {tags:?}");
        assert_eq!(palette::tags(tx, "v", 1)?.len(), 1);
        Ok::<_, StoreError>(())
    });
    read.await.expect("names");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_palette_finds_values_whole_by_their_beginning_and_by_a_part() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    let read = store.read(|tx| {
        let values = |text: &str, limit| {
            let found = palette::indicators(tx, text, limit)?;
            Ok::<_, StoreError>(found.into_iter().map(|i| i.value).collect::<Vec<_>>())
        };
        let found = values("evil.example.org", 8)?;
        assert_eq!(found[0], "evil.example.org", "the whole value first");
        assert!(
            found.contains(&"cdn.evil.example.org".to_owned()),
            "{found:?}"
        );
        assert_eq!(values("evil.example.org", 1)?, ["evil.example.org"]);
        let found = values("185.220", 8)?;
        assert_eq!(found.len(), 2);
        let counts = palette::indicators(tx, "185.220", 8)?;
        assert!(counts[0].alert_count >= counts[1].alert_count);
        assert_eq!(values("nn@exam", 8)?, ["ann@example.org"]);
        assert_eq!(values("DOMAIN\\", 8)?, ["DOMAIN\\ann"], "as it is written");
        assert_eq!(values("no such thing", 8)?, Vec::<String>::new());
        assert_eq!(values(" ", 8)?, Vec::<String>::new());
        Ok::<_, StoreError>(())
    });
    read.await.expect("values");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_palette_finds_alerts_by_a_part_of_their_title() {
    let (_dir, store) = filled(SEED, ALERTS).await;
    let read = store.read(|tx| {
        for (text, part) in [
            ("RAVE", "rave"),
            ("straß", "straß"),
            ("tr", "tr"),
            ("\"", "\""),
        ] {
            let found = palette::alerts(tx, text, 5)?;
            for row in found.open.iter().chain(&found.closed) {
                assert!(
                    row.title.to_lowercase().contains(part),
                    "{text}: {}",
                    row.title
                );
            }
            assert!(
                found
                    .closed
                    .iter()
                    .all(|row| row.status == AlertStatus::Closed)
            );
            assert!(
                found
                    .open
                    .iter()
                    .all(|row| row.status != AlertStatus::Closed)
            );
            assert!(
                found.open.is_sorted_by(|a, b| a.id > b.id),
                "the newest first"
            );
            let some = usize::from(text != "\"") * 5;
            assert_eq!(
                (found.open.len(), found.closed.len()),
                (some, some),
                "{text}"
            );
        }
        Ok::<_, StoreError>(())
    });
    read.await.expect("titles");
}
