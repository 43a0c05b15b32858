//! `calseta verify` and `calseta keys rotate-master`: what is intact is called so, and what is not is not.

use std::path::Path;

use tempfile::TempDir;

use crate::calseta::{Console, Ran, run};

/// A word that is in the event log once per alert, and nowhere in the program.
const MARK: &str = "qzxvmark";

async fn ingest(dir: &Path, titles: &[&str]) {
    let file = dir.join("alerts.ndjson");
    let lines: Vec<String> = titles
        .iter()
        .map(|title| format!(r#"{{"title":"{title}"}}"#))
        .collect();
    std::fs::write(&file, lines.join("\n")).expect("the file is written");
    let (data, file) = (text(&dir.join("data")), text(&file));
    let ran = run(&["ingest", "--data-dir", &data, "--source", "generic", &file]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

async fn verify(dir: &Path) -> Ran {
    run(&["verify", "--data-dir", &text(&dir.join("data")), "--json"]).await
}

/// Changes bytes in the database behind the program's back.
fn falsify(dir: &Path, from: &str, to: &str) -> usize {
    assert_eq!(from.len(), to.len(), "the file keeps its shape");
    let file = dir.join("data/calseta.db");
    let mut bytes = std::fs::read(&file).expect("the database");
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from.as_bytes())
        .map(|(at, _)| at)
        .collect();
    for at in &places {
        bytes[*at..*at + to.len()].copy_from_slice(to.as_bytes());
    }
    std::fs::write(&file, bytes).expect("the database is written");
    places.len()
}

#[tokio::test]
async fn an_untouched_log_is_intact_and_a_changed_one_is_not() {
    let dir = TempDir::new().unwrap();
    ingest(dir.path(), &["One", MARK, "Three"]).await;
    let ran = verify(dir.path()).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let line = &ran.lines[0];
    assert_eq!(
        (&line["ok"], &line["faults"]),
        (&true.into(), &serde_json::json!([]))
    );
    assert!(line["events"].as_i64() >= Some(3), "{line}");
    assert!(
        line["anchors"].as_i64() >= Some(1),
        "it compares with what is outside the database: {line}"
    );

    assert!(
        falsify(dir.path(), MARK, "qzxvMARK") > 0,
        "something was changed"
    );
    let ran = verify(dir.path()).await;
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert_eq!(ran.lines[0]["ok"], false);
    let fault = ran.lines[0]["faults"][0].as_str().unwrap_or_default();
    assert!(
        fault.contains("event 2"),
        "it names the first bad event: {fault}"
    );
    let error: serde_json::Value =
        serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["code"], "DAMAGED");

    falsify(dir.path(), "qzxvMARK", MARK);
    assert_eq!(
        verify(dir.path()).await.exit,
        0,
        "the control: it was this change"
    );
}

#[tokio::test]
async fn an_older_copy_of_the_database_is_found_by_its_anchors() {
    let dir = TempDir::new().unwrap();
    ingest(dir.path(), &["Kept"]).await;
    let database = dir.path().join("data/calseta.db");
    let older = std::fs::read(&database).unwrap();
    ingest(dir.path(), &["To be forgotten"]).await;
    assert_eq!(verify(dir.path()).await.exit, 0);
    std::fs::write(&database, older).unwrap();
    let ran = verify(dir.path()).await;
    assert_eq!(
        ran.exit, 1,
        "its chain fits, and yet an event is gone: {}",
        ran.stdout
    );
    std::fs::remove_file(dir.path().join("data/anchors.jsonl")).unwrap();
    assert_eq!(verify(dir.path()).await.exit, 1, "and so are the anchors");
}

#[tokio::test]
async fn a_directory_without_a_console_s_database_is_named() {
    let dir = TempDir::new().unwrap();
    let ran = verify(dir.path()).await;
    assert_eq!(ran.exit, 1);
    assert!(ran.stderr.contains("--data-dir"), "{}", ran.stderr);
    assert!(!dir.path().join("data").exists(), "looking makes nothing");
}

#[tokio::test]
async fn a_rotated_master_key_seals_anew_and_leaves_the_log_intact() {
    let dir = TempDir::new().unwrap();
    ingest(dir.path(), &["One"]).await;
    let data = text(&dir.path().join("data"));
    let key = || std::fs::read(dir.path().join("data/master.key")).unwrap();
    let before = key();
    let ran = run(&["keys", "rotate-master", "--data-dir", &data]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(ran.lines[0]["state"], "file");
    assert_ne!(before, key(), "another key");
    assert!(ran.lines[0]["rotated_at"].is_string());
    assert_eq!(verify(dir.path()).await.exit, 0);
}

#[tokio::test]
async fn a_running_console_verifies_and_rotates_itself() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let console = Console::start(&data).await;
    ingest(dir.path(), &["One", "Two"]).await;
    let ran = verify(dir.path()).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let line = &ran.lines[0];
    assert!(
        line["ok"] == true && line["events"].as_i64() >= Some(2),
        "{line}"
    );
    assert!(
        line["head"].as_str().is_some_and(|head| head.len() == 64),
        "{line}"
    );
    let key = || std::fs::read(data.join("master.key")).unwrap();
    let before = key();
    let ran = run(&["keys", "rotate-master", "--data-dir", &text(&data)]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_ne!(before, key(), "another key");
    assert_eq!(verify(dir.path()).await.exit, 0);

    // The control: the console has the directory to itself, so the verb went through it.
    std::fs::remove_file(data.join("runtime.json")).unwrap();
    let ran = verify(dir.path()).await;
    assert_eq!(ran.exit, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        console.get("/v1/alerts").await.as_array().map(Vec::len),
        Some(2)
    );
}
