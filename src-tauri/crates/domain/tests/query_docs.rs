//! The grammar's page is true: every query in it is understood, and every field is in it.

use std::fs;
use std::path::Path;

use calseta_domain::Timestamp;
use calseta_domain::query::{Field, Query};

/// Fewer would mean that the page or its fences were not found.
const MIN_QUERIES: usize = 10;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/query.md");
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The lines between the fences that are marked as queries.
fn queries(page: &str) -> Vec<&str> {
    let mut is_query = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            is_query = fence == "query";
        } else if is_query && !line.trim().is_empty() {
            found.push(line);
        }
    }
    found
}

#[test]
fn every_query_of_the_page_is_understood() {
    let page = page();
    let queries = queries(&page);
    assert!(queries.len() >= MIN_QUERIES, "{} queries", queries.len());
    for query in queries {
        let parsed = Query::parse(query, Timestamp::from_millis(0));
        assert!(parsed.is_ok(), "{query}: {parsed:?}");
    }
}

#[test]
fn every_field_is_on_the_page() {
    let page = page();
    for field in Field::ALL {
        let name = match field {
            Field::Raw => "`raw.<path>`".to_owned(),
            Field::Is => "`is:`".to_owned(),
            Field::Approval => "`approval:`".to_owned(),
            Field::Has => "`has:note`".to_owned(),
            field => format!("`{field}`"),
        };
        assert!(page.contains(&name), "{name} is missing");
    }
}
