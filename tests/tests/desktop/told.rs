//! How the desktop is told when it cannot be, and when there is too much to tell.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use calseta_tests::backend::{KEY_STORE, calseta_bin};
use serde_json::{Value, json};

use crate::desk::{self, Program, SOON, wait_until};
use crate::recorder::Recorder;

/// Notifications within a minute; the rest wait for a digest.
const A_MINUTE: usize = 4;
/// More would come within this time after the last.
const QUIET: Duration = Duration::from_secs(3);

#[test]
fn a_burst_of_findings_does_not_bury_the_desktop() {
    let _turn = desk::turn();
    let recorder = Recorder::start();
    let files = tempfile::tempdir().expect("a temporary folder");
    let mut console = Program::console(files.path(), |_| {});
    let base_url = desk::base_url(files.path());
    let key = made_key(files.path());
    post_findings(&base_url, &key, 3 * A_MINUTE);
    let bodies: Vec<String> = (0..A_MINUTE)
        .map(|_| {
            recorder.next(SOON)["body"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    for n in 0..A_MINUTE {
        let told = bodies
            .iter()
            .filter(|body| body.ends_with(&format!("finding {n}")))
            .count();
        assert_eq!(told, 1, "the first ones are told, once each: {bodies:?}");
    }
    let more = recorder.rest(QUIET);
    assert!(more.is_empty(), "the rest is one digest, later: {more:?}");
    console.terminate();
    assert_eq!(console.ended().code(), Some(0));
}

#[test]
fn a_desktop_without_notifications_is_told_once_and_loses_nothing() {
    let _turn = desk::turn();
    let files = tempfile::tempdir().expect("a temporary folder");
    let mut console = Program::console(files.path(), |command| {
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    });
    let base_url = desk::base_url(files.path());
    let key = made_key(files.path());
    post_findings(&base_url, &key, 3);
    let stderr = console.stderr_lines();
    wait_until("the complaint", SOON, || {
        let lines = stderr.lock().expect("lines");
        lines
            .iter()
            .any(|line| line.contains("shows no notifications"))
            .then_some(())
    });
    console.terminate();
    assert_eq!(console.ended().code(), Some(0));
    let lines = stderr.lock().expect("lines");
    let complaints = lines
        .iter()
        .filter(|line| line.contains("shows no notifications"))
        .count();
    assert_eq!(complaints, 1, "three findings, one complaint: {lines:#?}");
}

/// Makes an alert with this many findings.
fn post_findings(base_url: &str, key: &str, count: usize) {
    let alert = json!({
        "title": "Login",
        "severity": "Low",
        "occurred_at": "2025-01-15T10:28:00Z",
    });
    let alert = desk::curl(key, &format!("{base_url}/v1/ingest/generic"), &alert);
    let uuid = alert["data"]["alert_uuid"].as_str().expect("an alert_uuid");
    let findings = format!("{base_url}/v1/alerts/{uuid}/findings");
    for n in 0..count {
        desk::curl(
            key,
            &findings,
            &json!({ "summary": format!("finding {n}") }),
        );
    }
}

/// A key made by the command line, which finds the running window's backend.
fn made_key(data_dir: &Path) -> String {
    let output = Command::new(calseta_bin())
        .env(KEY_STORE.0, KEY_STORE.1)
        .args([
            "keys",
            "create",
            "--name",
            "script",
            "--scopes",
            "alerts:read,alerts:write",
        ])
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .expect("calseta is built");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let line: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    line["key"].as_str().expect("a key").to_owned()
}
