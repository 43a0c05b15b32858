//! How the program starts and ends when nobody drives it.

use std::process::{Command, Stdio};

use calseta_tests::backend::calseta_bin;
use calseta_tests::webdriver::Until;
use serde_json::{Value, json};

use crate::desk::{self, Program, SOON, console_bin, drive, shot, wait_until};

#[test]
fn sigterm_stops_the_window_and_its_backend_in_order() {
    let _turn = desk::turn();
    let files = tempfile::tempdir().expect("a temporary folder");
    let mut console = Program::console(files.path(), |_| {});
    let base_url = desk::base_url(files.path());
    console.terminate();
    let status = console.ended();
    assert_eq!(status.code(), Some(0), "{status}: {}", console.stderr());
    assert!(
        !files.path().join("runtime.json").exists(),
        "nobody is told to look for it any more"
    );
    let refused = Command::new("curl")
        .args(["--silent", "--max-time", "5", &base_url])
        .status();
    assert!(
        !refused.expect("curl").success(),
        "nothing listens any more"
    );
}

#[test]
fn a_data_directory_in_use_is_told_in_words() {
    let _turn = desk::turn();
    let files = tempfile::tempdir().expect("a temporary folder");
    let first = Program::console(files.path(), |_| {});
    desk::base_url(files.path());

    let (driver, window) = drive(files.path());
    window
        .wait_for(Until::Css("[role=alert]"), SOON)
        .expect("the page that says why");
    let said = window.text("main").expect("its text");
    assert!(
        said.contains("could not start") && said.contains("in use"),
        "{said}"
    );
    shot(&window, "6-data-directory-in-use");
    drop(window);
    drop(driver);

    let mut second = Program::console(files.path(), |_| {});
    // It waits with its window for the analyst to read it.
    second.terminate_after_its_error();
    assert_eq!(second.ended().code(), Some(3), "the code that scripts know");
    drop(first);
}

#[test]
fn without_a_display_it_says_what_to_use() {
    let _turn = desk::turn();
    let files = tempfile::tempdir().expect("a temporary folder");
    for display in [None, Some(":4711")] {
        let mut console = Program::console(files.path(), |command| {
            command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
            command.envs(display.map(|display| ("DISPLAY", display)));
        });
        let status = console.ended();
        let said = console.stderr();
        assert_eq!(status.code(), Some(1), "{status}: {said}");
        assert!(
            said.contains("calseta serve --ui") && !said.contains("panicked"),
            "{said}"
        );
    }
}

#[test]
fn help_names_every_option_and_exit_code() {
    let output = Command::new(console_bin())
        .arg("--help")
        .output()
        .expect("it starts");
    let help = String::from_utf8(output.stdout).expect("text");
    for word in [
        "--data-dir",
        "--port",
        "--demo",
        "CALSETA_DATA_DIR",
        "3 data directory in use",
    ] {
        assert!(help.contains(word), "{word} is missing in:\n{help}");
    }
    let wrong = Command::new(console_bin())
        .arg("--no-such-option")
        .stderr(Stdio::null())
        .status();
    assert_eq!(
        wrong.expect("it starts").code(),
        Some(2),
        "a wrong call is usage"
    );
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
    let alert =
        json!({ "title": "Login", "severity": "Low", "occurred_at": "2025-01-15T10:28:00Z" });
    let alert = desk::curl(&key, &format!("{base_url}/v1/ingest/generic"), &alert);
    let findings = format!(
        "{base_url}/v1/alerts/{}/findings",
        alert["data"]["alert_uuid"].as_str().expect("an alert_uuid")
    );
    for n in 0..3 {
        desk::curl(
            &key,
            &findings,
            &json!({ "summary": format!("finding {n}") }),
        );
    }
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

/// A key made by the command line, which finds the running window's backend.
fn made_key(data_dir: &std::path::Path) -> String {
    let output = Command::new(calseta_bin())
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
