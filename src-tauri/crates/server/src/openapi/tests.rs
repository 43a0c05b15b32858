//! The document against the table and the checked-in copy.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// The checked-in copy.
fn copy() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../openapi.json")
}

#[test]
fn the_checked_in_document_is_the_one_that_is_served() {
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(copy(), openapi()).expect("openapi.json can be written");
    }
    let stored = std::fs::read_to_string(copy()).unwrap_or_default();
    assert!(
        stored == openapi(),
        "openapi.json differs from the code; run UPDATE_OPENAPI=1 cargo test -p calseta-server openapi"
    );
}

#[test]
fn every_operation_has_its_own_id_and_says_what_it_is() {
    let mut ids = BTreeSet::new();
    for operation in routes::table() {
        assert!(ids.insert(operation.id), "{} is used twice", operation.id);
        assert!(
            !operation.summary.is_empty(),
            "{operation:?} has no summary"
        );
        assert!(
            !operation.description.is_empty(),
            "{operation:?} has no description"
        );
    }
}

#[test]
fn every_example_is_a_body_that_its_route_reads() {
    let mut schemas = Schemas::default();
    for operation in routes::table() {
        let facts = (operation.facts)(&mut schemas);
        match (&facts.body, operation.example) {
            (Some(body), Some(text)) => {
                (body.reads)(text).unwrap_or_else(|error| panic!("{operation:?}: {error}"));
            }
            (Some(body), None) => {
                let has_json = body
                    .content
                    .iter()
                    .any(|(kind, _)| *kind == "application/json");
                assert!(!has_json, "{operation:?} takes a body and shows none");
            }
            (None, shown) => assert_eq!(shown, None, "{operation:?} takes no body"),
        }
        assert!(
            facts.body.is_none() || ["POST", "PUT", "PATCH"].contains(&operation.method.as_str()),
            "{operation:?} takes a body that clients do not send"
        );
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(path)) = fields.get("$ref") {
                    found.insert(path.clone());
                }
                fields.values().for_each(|value| walk(value, found));
            }
            Value::Array(all) => all.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    walk(&document, &mut found);
    for path in found {
        let pointer = path.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{path} leads nowhere");
    }
}

#[test]
fn a_route_without_a_key_is_one_of_the_few() {
    let open: Vec<_> = routes::table()
        .into_iter()
        .filter(|operation| {
            let facts = (operation.facts)(&mut Schemas::default());
            facts.needs == crate::operation::Needs::Nothing
        })
        .map(|operation| operation.path)
        .collect();
    assert_eq!(
        open,
        [
            "/health",
            "/openapi.json",
            "/docs",
            "/docs/{page}",
            "/ui/session"
        ]
    );
}
