//! What breaks a rule must be reported.

use crate::tree::{Member, Source};
use crate::{manifests, sources};

fn manifest(text: &str) -> toml::Table {
    text.parse().expect("the made-up manifest is TOML")
}

fn member(room: &str, extra: &str, path: &str, code: &str) -> Member {
    let name = if room == "shell" { "console" } else { room };
    let text = format!("[package]\nname = \"calseta-{name}\"\n[lints]\nworkspace = true\n{extra}");
    Member {
        room: room.to_owned(),
        manifest: manifest(&text),
        sources: vec![source(path, code)],
    }
}

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn with(room: &str, extra: &str) -> Member {
    member(room, extra, "x/src/lib.rs", "")
}

#[test]
fn a_clean_member_is_not_reported() {
    let clean = with("engine", "[dependencies]\ncalseta-store.workspace = true\n");
    assert_eq!(manifests::arrows(&clean), Vec::<String>::new());
    assert_eq!(manifests::manners(&clean), Vec::<String>::new());
}

#[test]
fn forbidden_arrows_are_reported() {
    let bad = [
        (
            "domain",
            "[dependencies]\ncalseta-contract.workspace = true",
        ),
        ("contract", "[dependencies]\ncalseta-store.workspace = true"),
        ("ui", "[dependencies]\ncalseta-engine.workspace = true"),
        (
            "store",
            "[dev-dependencies]\ncalseta-engine.workspace = true",
        ),
        (
            "egress",
            "[build-dependencies]\ncalseta-store.workspace = true",
        ),
        ("engine", "[dependencies]\ncalseta-server.workspace = true"),
        ("server", "[dependencies]\ncalseta-store.workspace = true"),
        (
            "server",
            "[dependencies]\nhidden = { package = \"calseta-store\", path = \"s\" }",
        ),
        (
            "cli",
            "[target.'cfg(unix)'.dependencies]\ncalseta-store.workspace = true",
        ),
        ("shell", "[dependencies]\ncalseta-store.workspace = true"),
        ("tests", "[dependencies]\ncalseta-console.workspace = true"),
        ("common", ""),
    ];
    for (room, extra) in bad {
        assert_eq!(
            manifests::arrows(&with(room, extra)).len(),
            1,
            "{room}: {extra}"
        );
    }
}

#[test]
fn crates_in_the_wrong_room_are_reported() {
    let bad = [
        ("engine", "rusqlite"),
        ("cli", "axum"),
        ("shell", "axum"),
        ("engine", "reqwest"),
        ("server", "tauri"),
        ("engine", "notify-rust"),
        ("domain", "tokio"),
        ("contract", "getrandom"),
    ];
    for (room, name) in bad {
        let extra = format!("[dependencies]\n{name} = \"1\"\n");
        assert_eq!(
            manifests::arrows(&with(room, &extra)).len(),
            1,
            "{room}: {name}"
        );
    }
    let random = "[dependencies]\nuuid = { version = \"1\", features = [\"v7\"] }\n";
    assert_eq!(manifests::arrows(&with("domain", random)).len(), 1);
    let code = "fn f() {}\nuse axum::Router;\n";
    let hidden = member("cli", "", "x/src/lib.rs", code);
    assert_eq!(sources::kept_crates(&hidden).len(), 1);
    let prose = member(
        "cli",
        "",
        "x/src/lib.rs",
        "// no axum::Router here\nuse my_axum::A;\n",
    );
    assert!(sources::kept_crates(&prose).is_empty());
}

#[test]
fn names_lints_and_faults_are_reported() {
    let misnamed = "[package]\nname = \"helper\"\n[lints]\nworkspace = true";
    let unlinted = "[package]\nname = \"calseta-store\"";
    for text in [misnamed, unlinted] {
        let mut bad = with("store", "");
        bad.manifest = manifest(text);
        assert_eq!(manifests::manners(&bad).len(), 1, "{text}");
    }
    let faults = [
        ("store", "[features]\ndefault = [\"faults\"]\nfaults = []\n"),
        ("cli", "[features]\nextra = [\"calseta-engine/faults\"]\n"),
        ("shell", "[features]\nfaults = []\n"),
        (
            "cli",
            "[dependencies]\ncalseta-engine = { path = \"e\", features = [\"faults\"] }\n",
        ),
    ];
    for (room, extra) in faults {
        assert_eq!(
            manifests::manners(&with(room, extra)).len(),
            1,
            "{room}: {extra}"
        );
    }
}

#[test]
fn a_bad_root_is_reported() {
    let good = "[package]\nautotests = false\n[profile.release]\npanic = \"unwind\"\n";
    assert!(manifests::root(&manifest(good)).is_empty());
    let bad = [
        "[package]\nname = \"x\"\n".to_owned(),
        "[package]\nautotests = false\n[profile.release]\npanic = \"abort\"\n".to_owned(),
        format!(
            "[package]\nautotests = false\n[workspace]\nmembers = [{}]\n",
            (0..10)
                .map(|n| format!("\"src-tauri/crates/c{n}\""))
                .collect::<Vec<_>>()
                .join(",")
        ),
    ];
    for text in bad {
        assert_eq!(manifests::root(&manifest(&text)).len(), 1, "{text}");
    }
}

#[test]
fn impure_code_and_serialised_rows_are_reported() {
    for line in [
        "let t = std::time::SystemTime::now();",
        "async fn f() {}",
        "use std::fs;",
    ] {
        let bad = member("domain", "", "src-tauri/crates/domain/src/a.rs", line);
        assert_eq!(sources::purity(&bad).len(), 1, "{line}");
    }
    let in_tests = member(
        "domain",
        "",
        "src-tauri/crates/domain/tests/a.rs",
        "use std::fs;",
    );
    assert!(sources::purity(&in_tests).is_empty());
    for derive in [
        "#[derive(Debug, Serialize)]",
        "#[derive(serde::Serialize, Clone)]",
    ] {
        let code = format!("{derive}\npub struct AlertRow {{}}\n");
        let bad = member("store", "", "x/src/tables/a.rs", &code);
        assert_eq!(sources::rows(&bad).len(), 1, "{derive}");
    }
    let plain = "#[derive(Debug, serde::Deserialize)]\npub struct AlertRow {}\n";
    assert!(sources::rows(&member("store", "", "x/src/a.rs", plain)).is_empty());
}

#[test]
fn texts_that_break_a_rule_are_reported() {
    let long = source("ui/src/a.rs", &"x\n".repeat(500));
    assert!(sources::length(&long).is_some());
    assert!(sources::length(&source("ui/src/a.rs", &"x\n".repeat(499))).is_none());
    let markup = source("ui/src/a.rs", "view! { <div inner_html=text/> }");
    assert_eq!(sources::inner_html(&markup).len(), 1);
    for line in [
        "color: #fff;",
        "background:#12ab9f}",
        "border: 1px solid rgba(0, 0, 0, .5);",
    ] {
        assert_eq!(
            sources::colours(&source("ui/src/a.css", line)).len(),
            1,
            "{line}"
        );
    }
    assert_eq!(
        sources::colours(&source("ui/src/a.rs", "let c = \"#ffcc00\";")).len(),
        1
    );
    for (path, line) in [
        ("ui/src/styles/tokens.css", "--bg: #fff;"),
        ("ui/src/a.css", "#facade-panel { color: var(--text); }"),
        ("ui/src/a.rs", "#[component]"),
    ] {
        assert!(
            sources::colours(&source(path, line)).is_empty(),
            "{path} {line}"
        );
    }
    let bad = [
        ("README.md", "run it in /Users/me/checkout"),
        ("src-tauri/src/lib.rs", "let dir = \"/home/me/x\";"),
        (".cargo/config.toml", "replace-with = \"mirror\""),
        (
            "Cargo.lock",
            "source = \"registry+https://mirror.example/index\"",
        ),
        (
            "deny.toml",
            "pip install --index-url https://mirror.example",
        ),
    ];
    for (path, line) in bad {
        assert_eq!(
            sources::machine(&source(path, line)).len(),
            1,
            "{path}: {line}"
        );
    }
    assert!(sources::machine(&source("a.md", "https://host.example/home/")).is_empty());
}
