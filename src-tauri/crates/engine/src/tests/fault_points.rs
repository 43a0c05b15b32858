//! Every commit that is named has a fault point, and every fault point is a commit.

use std::collections::BTreeSet;
use std::path::Path;

use calseta_store::faults::POINTS;

/// Commits of the store's own.
const OWN: &[&str] = &["migration"];

fn named(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(&path, names);
            continue;
        }
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        // In two pieces, so that this file is no call.
        let mut calls = source.split(concat!(".write", "_at("));
        calls.next();
        for call in calls {
            if let Some(name) = call.trim_start().strip_prefix('"') {
                names.extend(name.split('"').next().map(str::to_owned));
            }
        }
    }
}

#[test]
fn the_table_of_fault_points_names_every_commit_that_has_one() {
    let mut names: BTreeSet<String> = OWN.iter().map(|name| (*name).to_owned()).collect();
    named(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut names,
    );
    let table: BTreeSet<String> = POINTS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names, table, "left: the sources, right: the table");
    assert!(POINTS.is_sorted(), "the table is in order");
}
