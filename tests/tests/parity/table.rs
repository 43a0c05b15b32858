//! The whole table: printed, complete, and with no row that points at nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::fault::{Fault, How};
use crate::{
    agents, alerts, api, documents, enrichment, extraction, ingest, later, metrics, rules, security,
};

/// How many faults are known: the marks in the description of v1.1.0.
const KNOWN: u16 = 132;

/// Rows whose functions a test of their file runs.
const SHOWN: &[(&str, &[Fault])] = &[
    ("agents", agents::FAULTS),
    ("alerts", alerts::FAULTS),
    ("api", api::FAULTS),
    ("documents", documents::FAULTS),
    ("enrichment", enrichment::FAULTS),
    ("extraction", extraction::FAULTS),
    ("ingest", ingest::FAULTS),
    ("metrics", metrics::FAULTS),
    ("rules", rules::FAULTS),
    ("security", security::FAULTS),
];

fn all() -> BTreeMap<u16, Fault> {
    let shown = SHOWN.iter().flat_map(|(_, faults)| faults.iter());
    let rows: Vec<Fault> = shown.chain(later::FAULTS).copied().collect();
    let by_number: BTreeMap<u16, Fault> = rows.iter().map(|row| (row.number, *row)).collect();
    assert_eq!(by_number.len(), rows.len(), "a number stands for one fault");
    by_number
}

fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Whether this text has a test of this name: the function with the attribute right above it.
fn has_test(text: &str, name: &str) -> bool {
    let Some(at) = text.find(&format!("fn {name}(")) else {
        return false;
    };
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let mut above = text[..line].lines().rev();
    // `proptest!` puts its own arguments between the attribute and the function.
    let attribute = above.find(|line| !line.trim_start().starts_with("//"));
    attribute.is_some_and(|line| {
        let line = line.trim_start();
        line.starts_with("#[test]") || line.starts_with("#[tokio::test") || line.starts_with(")]")
    })
}

#[test]
fn every_known_fault_has_its_row() {
    let rows = all();
    let expected: Vec<u16> = (1..=KNOWN).collect();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), expected);
    let mut table = String::new();
    let mut count = BTreeMap::new();
    for row in rows.values() {
        let (kind, what) = match row.how {
            How::Shown(probe) => ("shown", probe.name.to_owned()),
            How::ShownBy(file, test) => ("shown", format!("{file}: {test}")),
            How::NotApplicable(why) => ("not here", why.to_owned()),
            How::Open(why) => ("open", why.to_owned()),
        };
        *count.entry(kind).or_insert(0) += 1;
        let (number, section, fault) = (row.number, row.section, row.sentence);
        writeln!(
            table,
            "{number:>3}  {section:<5}  {fault}\n{:>12}  {kind}: {what}",
            ""
        )
        .expect("writing to a String cannot fail");
    }
    println!("{table}{count:?}");
}

#[test]
fn every_test_that_a_row_names_exists() {
    for row in all().values() {
        if let How::ShownBy(file, test) = row.how {
            let text = source(file);
            assert!(
                has_test(&text, test),
                "{}: {file} has no {test}",
                row.number
            );
        }
    }
}

#[test]
fn a_row_that_names_nothing_would_be_noticed() {
    let text = "#[test]\nfn there() {}\n\nfn no_test() {}\n#[tokio::test(flavor = \"x\")]\n\
                async fn also_there() {}\n";
    assert!(has_test(text, "there") && has_test(text, "also_there"));
    assert!(!has_test(text, "no_test") && !has_test(text, "the"));
}

#[test]
fn every_function_of_a_row_is_run_by_its_file_s_test() {
    for (room, faults) in SHOWN {
        let text = source(&format!("tests/tests/parity/{room}.rs"));
        assert!(
            text.contains("show(FAULTS).await"),
            "{room}: its rows are run"
        );
        for row in *faults {
            if let How::Shown(probe) = row.how {
                let function = format!("async fn {}(", probe.name);
                assert!(text.contains(&function), "{room}: {}", probe.name);
            }
        }
    }
}
