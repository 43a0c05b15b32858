//! The plans of the store's queries: none walks a table that grows with the alerts.
//!
//! The statements are read out of the sources, so that a new one is judged too.

use std::collections::HashMap;
use std::path::Path;

use calseta_store::tables::Reads;
use calseta_store::{Store, StoreError};

use crate::world::fresh;

/// Tables that grow with the alerts.
const GROWING: &[&str] = &[
    "alert",
    "job",
    "delivery",
    "delivery_attempt",
    "delivery_payload",
    "indicator",
    "alert_indicator",
    "enrichment",
    "finding",
    "event",
    "idempotency",
    "unread",
    "triage",
    "note",
    "checklist_mark",
    "change",
    "change_item",
];
/// Statements that may walk a growing table, by a part of their text, each with its reason.
const WALKS: &[(&str, &str)] = &[
    (
        "SELECT count(*) FROM job WHERE state != 'dead'",
        "the health page's depth of a short queue",
    ),
    (
        "min(run_at) FILTER (WHERE state = 'ready' AND run_at <= ?2) FROM job",
        "the figures of a short queue: what is done has no row",
    ),
    (
        "DELETE FROM idempotency WHERE instr(response, ?1) > 0",
        "purging an alert, which is rare and must miss nothing",
    ),
    (
        "SELECT count(*) FROM delivery d WHERE 1",
        "the exact total of a list that asks for all",
    ),
];

/// The string literals of a source and the texts of its constants.
fn literals(source: &str) -> (Vec<String>, HashMap<String, String>) {
    let (mut all, mut constants) = (Vec::new(), HashMap::new());
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let pieces: Vec<&str> = code.split('"').collect();
    for pair in pieces.chunks(2) {
        let [before, literal] = pair else { continue };
        let text = literal.replace("\\\n", " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(name) = before
            .rsplit("const ")
            .next()
            .filter(|_| before.trim_end().ends_with("&str ="))
        {
            let name = name.split(':').next().unwrap_or_default().trim().to_owned();
            constants.insert(name, text.clone());
        }
        all.push(text);
    }
    (all, constants)
}

/// Every statement of the tables' sources, with its constants put in.
fn statements() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tables");
    let mut found = Vec::new();
    let shared = std::fs::read_to_string(folder.join("alert.rs")).expect("alert.rs");
    let (_, shared) = literals(&shared);
    for entry in std::fs::read_dir(folder).expect("the tables' sources") {
        let path = entry.expect("an entry").path();
        // What a folder generates is judged by its own tests.
        if path.is_dir() {
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a source");
        let (all, own) = literals(&source);
        for mut text in all {
            for (name, value) in own.iter().chain(&shared) {
                text = text.replace(&format!("{{{name}}}"), value);
            }
            let alone = !own.values().any(|constant| *constant == text);
            let text = text
                .replace("{condition}", "1")
                .replace("{limit}", "50")
                .replace("{offset}", "0");
            let verb = text.split(' ').next().unwrap_or_default();
            if alone && matches!(verb, "SELECT" | "UPDATE" | "DELETE" | "WITH") {
                found.push(text);
            }
        }
    }
    found
}

async fn plan(store: &Store, sql: &str) -> Result<Vec<String>, StoreError> {
    let sql = format!("EXPLAIN QUERY PLAN {sql}");
    store
        .read(move |tx| {
            let mut statement = tx.conn().prepare(&sql)?;
            let count = statement.parameter_count();
            let nulls = vec![rusqlite::types::Null; count];
            let rows = statement.query_map(rusqlite::params_from_iter(nulls), |row| {
                row.get::<_, String>(3)
            })?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })
        .await
}

/// The table behind a name of a plan: itself, or what the statement calls so.
fn table_of<'a>(sql: &'a str, name: &'a str) -> &'a str {
    if GROWING.contains(&name) {
        return name;
    }
    let words: Vec<&str> = sql.split([' ', '(', ')', ',']).collect();
    let named = words
        .windows(2)
        .find(|pair| pair[1] == name && GROWING.contains(&pair[0]));
    named.map_or("", |pair| pair[0])
}

/// Steps of a plan that walk a growing table.
fn walks(sql: &str, steps: &[String]) -> Vec<String> {
    let walk = |step: &&String| {
        let Some(rest) = step.strip_prefix("SCAN ") else {
            return false;
        };
        let name = rest.split(' ').next().unwrap_or_default();
        // An index of what is in hand, or set apart, is as short as that is.
        let is_short = [
            "job_running",
            "delivery_running",
            "job_quarantined",
            "job_suspect",
        ];
        let in_hand = is_short.iter().any(|index| step.contains(index));
        !in_hand && !table_of(sql, name).is_empty()
    };
    // A walk in the order of an index that ends with its LIMIT reads no more than it gives.
    let bounded = sql.contains(" LIMIT ") && !steps.iter().any(|step| step.contains("TEMP B-TREE"));
    let bad = steps.iter().filter(walk).filter(|_| !bounded);
    bad.cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_walks_a_table_that_grows() {
    let (_dir, store) = fresh();
    let (mut judged, mut bad) = (0, Vec::new());
    for sql in statements().iter().filter(|sql| !sql.contains('{')) {
        if WALKS.iter().any(|(part, _)| sql.contains(part)) {
            continue;
        }
        // A constant that only begins a statement does not stand alone.
        let Ok(steps) = plan(&store, sql).await else {
            continue;
        };
        judged += 1;
        let found = walks(sql, &steps);
        if !found.is_empty() {
            bad.push(format!("{found:?}\n  {sql}"));
        }
    }
    assert!(judged > 60, "only {judged} statements were judged");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_would_be_noticed() {
    let (_dir, store) = fresh();
    for sql in [
        "SELECT a.title FROM alert a WHERE a.description = ?1",
        "SELECT count(*) FROM delivery WHERE alert_id = ?1 OR dead_reason = ?2",
        "SELECT id FROM indicator ORDER BY updated_at LIMIT 5",
        "DELETE FROM job WHERE last_error = ?1",
    ] {
        let steps = plan(&store, sql).await.expect("it can be planned");
        assert!(!walks(sql, &steps).is_empty(), "{sql}: {steps:?}");
    }
    let sql = "SELECT title FROM alert WHERE uuid = ?1";
    let steps = plan(&store, sql).await.expect("it can be planned");
    assert!(walks(sql, &steps).is_empty(), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_delivery_list_follows_an_index() {
    let (_dir, store) = fresh();
    let all = statements();
    let lists = |part: &str| {
        let found = all.iter().find(|sql| sql.contains(part)).cloned();
        found.expect("the list's statement")
    };
    let count = lists("SELECT count(*) FROM delivery d WHERE 1");
    let page = lists("ORDER BY d.id DESC");
    for column in ["agent_id", "alert_id"] {
        for sql in [&count, &page] {
            let sql = sql.replace("WHERE 1", &format!("WHERE 1 AND d.{column} = ?1"));
            let steps = plan(&store, &sql).await.expect("the list can be planned");
            let searched = steps.iter().any(|step| step.starts_with("SEARCH d USING"));
            let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE"));
            assert!(searched && !sorted, "{column}: {steps:?}");
        }
    }
}
