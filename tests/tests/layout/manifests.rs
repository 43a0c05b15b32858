//! The rules that manifests must keep: who depends on whom, and what every member has.

use toml::{Table, Value};

use crate::tree::{Member, Tree};

/// Crates under `src-tauri/crates` at the most.
const MAX_CRATES: usize = 9;

/// Who may import whom, among the rooms.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("contract", &["domain"]),
    ("ui", &["contract", "domain"]),
    ("store", &["domain"]),
    ("egress", &["domain"]),
    ("engine", &["contract", "domain", "egress", "store"]),
    ("server", &["contract", "domain", "engine"]),
    ("mcp", &["contract", "domain", "engine"]),
    // egress for its local client, with which the command line speaks to a running backend.
    (
        "cli",
        &["contract", "domain", "egress", "engine", "mcp", "server"],
    ),
    ("shell", &["contract", "domain", "engine", "mcp", "server"]),
    ("xtask", &[]),
    (
        "tests",
        &[
            "cli", "contract", "domain", "egress", "engine", "mcp", "server", "store", "ui",
        ],
    ),
];

/// Crates that only these rooms may use.
pub(crate) const KEPT: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("libsqlite3-sys", &["store"]),
    ("axum", &["server", "mcp", "tests"]),
    ("reqwest", &["egress", "tests"]),
    ("tauri", &["shell"]),
    ("tauri-build", &["shell"]),
    ("notify-rust", &["shell"]),
];

/// What the pure rooms never depend on: I/O, async, the clock, randomness.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio-util",
    "futures-util",
    "hyper",
    "hyper-util",
    "http",
    "tower",
    "rand",
    "getrandom",
    "governor",
    "tracing",
    "tempfile",
];

/// A dependency's name and, when it has one, its table.
fn dependencies(manifest: &Table) -> Vec<(&str, &Value)> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut tables: Vec<&Table> = vec![manifest];
    if let Some(targets) = manifest.get("target").and_then(Value::as_table) {
        tables.extend(targets.values().filter_map(Value::as_table));
    }
    let sections = tables
        .into_iter()
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()));
    sections
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

fn pure(room: &str) -> bool {
    matches!(room, "domain" | "contract")
}

/// Forbidden arrows of one member.
pub(crate) fn arrows(member: &Member) -> Vec<String> {
    let room = member.room.as_str();
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{room}: the design knows no such room")];
    };
    let mut found = Vec::new();
    for (name, value) in dependencies(&member.manifest) {
        let renamed = value.get("package").and_then(Value::as_str);
        let name = renamed.unwrap_or(name);
        if let Some(other) = name.strip_prefix("calseta-")
            && !allowed.contains(&other)
        {
            found.push(format!("{room} must not import {name}"));
        }
        if KEPT
            .iter()
            .any(|(kept, rooms)| *kept == name && !rooms.contains(&room))
        {
            found.push(format!("{room} must not use {name}"));
        }
        if pure(room) && IMPURE.contains(&name) {
            found.push(format!("{room} is pure and must not use {name}"));
        }
        if pure(room) && name == "uuid" && asks_for(value, &["v4", "v7", "rng"]) {
            found.push(format!("{room} is pure and must not make random ids"));
        }
    }
    found
}

fn asks_for(dependency: &Value, features: &[&str]) -> bool {
    let asked = dependency.get("features").and_then(Value::as_array);
    asked.is_some_and(|all| {
        all.iter()
            .any(|f| f.as_str().is_some_and(|f| features.contains(&f)))
    })
}

/// Name, lints and `faults` of one member.
pub(crate) fn manners(member: &Member) -> Vec<String> {
    let room = member.room.as_str();
    let mut found = Vec::new();
    let name = member.manifest.get("package").and_then(|p| p.get("name"));
    let expected = if room == "shell" {
        "calseta-console".to_owned()
    } else {
        format!("calseta-{room}")
    };
    if name.and_then(Value::as_str) != Some(&expected) {
        found.push(format!("{room}: the package must be called {expected}"));
    }
    let lints = member
        .manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    if lints.and_then(Value::as_bool) != Some(true) {
        found.push(format!("{room}: `[lints] workspace = true` is missing"));
    }
    for (name, value) in dependencies(&member.manifest) {
        if asks_for(value, &["faults"]) {
            found.push(format!(
                "{room}: {name} is built with `faults`, which nothing shipped has"
            ));
        }
    }
    found.extend(faults(member));
    found
}

/// `faults` is nobody's default, and only a feature called `faults` may ask for it.
fn faults(member: &Member) -> Vec<String> {
    let Some(features) = member.manifest.get("features").and_then(Value::as_table) else {
        return Vec::new();
    };
    let asks = |list: &Value| {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let named = |f: &Value| {
            f.as_str()
                .is_some_and(|f| f == "faults" || f.ends_with("/faults"))
        };
        list.iter().any(named)
    };
    let bad = features
        .iter()
        .filter(|(name, list)| *name != "faults" && asks(list));
    let bad = bad.map(|(name, _)| format!("{}: the feature {name} turns `faults` on", member.room));
    let shell = (member.room == "shell" && features.contains_key("faults"))
        .then(|| "shell: the window has no `faults`".to_owned());
    bad.chain(shell).collect()
}

/// What the root manifest must say.
pub(crate) fn root(manifest: &Table) -> Vec<String> {
    let mut found = Vec::new();
    let autotests = manifest
        .get("package")
        .and_then(|package| package.get("autotests"));
    if autotests.and_then(Value::as_bool) != Some(false) {
        found.push("root: `autotests = false` is missing".to_owned());
    }
    let profiles = manifest.get("profile").and_then(Value::as_table);
    for (name, profile) in profiles.into_iter().flatten() {
        if profile.get("panic").and_then(Value::as_str) == Some("abort") {
            found.push(format!(
                "profile {name}: a panic in one job must not end the process"
            ));
        }
    }
    let members = manifest
        .get("workspace")
        .and_then(|w| w.get("members")?.as_array());
    let members = members.map(Vec::as_slice).unwrap_or_default();
    let crates = members.iter().filter(|path| {
        path.as_str()
            .is_some_and(|path| path.starts_with("src-tauri/crates/"))
    });
    if crates.count() > MAX_CRATES {
        found.push(format!(
            "more than {MAX_CRATES} crates under src-tauri/crates"
        ));
    }
    found
}

/// All of it.
pub(crate) fn all(tree: &Tree) -> Vec<String> {
    let each = tree
        .members
        .iter()
        .flat_map(|m| arrows(m).into_iter().chain(manners(m)));
    each.chain(root(&tree.root)).collect()
}
