//! How the program starts and ends when nobody drives it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use calseta_tests::backend::{KEY_STORE, output_dir};

use crate::desk::{self, Program, SOON, console_bin, wait_until};
use crate::recorder::PYTHON;

/// An empty display has one colour and an empty window a few; smoothed text has many.
const TEXT_COLOURS: usize = 24;

#[test]
fn sigterm_stops_the_window_and_its_backend_in_order() {
    let _turn = desk::turn();
    let files = tempfile::tempdir().expect("a temporary folder");
    let mut console = Program::console(files.path(), |_| {});
    let base_url = desk::base_url(files.path());
    console.terminate();
    let status = console.ended();
    assert_eq!(status.code(), Some(0), "{status}: {}", console.stderr());
    assert_nothing_runs(files.path(), &base_url);
}

#[test]
fn closing_the_window_stops_the_backend_in_order() {
    let _turn = desk::turn();
    let files = tempfile::tempdir().expect("a temporary folder");
    let mut console = Program::console(files.path(), |_| {});
    let base_url = desk::base_url(files.path());
    wait_until("a window to close", SOON, || {
        (close_windows("Calseta Console") > 0).then_some(())
    });
    let status = console.ended();
    assert_eq!(status.code(), Some(0), "{status}: {}", console.stderr());
    assert_nothing_runs(files.path(), &base_url);
}

fn assert_nothing_runs(data_dir: &Path, base_url: &str) {
    assert!(
        !data_dir.join("runtime.json").exists(),
        "nobody is told to look for it any more"
    );
    let refused = Command::new("curl")
        .args(["--silent", "--max-time", "5", base_url])
        .status();
    assert!(
        !refused.expect("curl").success(),
        "nothing listens any more"
    );
}

/// Presses the close button of every window with this title; how many there were.
fn close_windows(title: &str) -> usize {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/desktop/close.py");
    let closed = Command::new(PYTHON).arg(script).arg(title).output();
    let closed = closed.expect("python3 is needed for this test").stdout;
    let closed = String::from_utf8(closed).expect("a number");
    closed.trim().parse().expect("a number")
}

#[test]
fn a_data_directory_in_use_is_told_in_words() {
    let _turn = desk::turn();
    let files = tempfile::tempdir().expect("a temporary folder");
    let _owner = Program::headless(files.path());
    desk::base_url(files.path());
    let page = output_dir().join("desktop/7-data-directory-in-use.png");
    fs::create_dir_all(page.parent().expect("a folder")).expect("the output folder");
    wait_until("the display to be empty", SOON, || {
        (colours_on_display(&page) < TEXT_COLOURS).then_some(())
    });

    let mut second = Program::console(files.path(), |_| {});
    let said = second.stderr_lines();
    wait_until("an error in words", SOON, || {
        let said = said.lock().expect("lines");
        let told = |line: &String| line.starts_with("error: ") && line.contains("in use");
        said.iter().any(told).then_some(())
    });
    // It waits, with its window, for somebody to read it.
    wait_until("the page that says why", SOON, || {
        (colours_on_display(&page) >= TEXT_COLOURS).then_some(())
    });
    second.terminate();
    assert_eq!(second.ended().code(), Some(3), "the code that scripts know");
}

/// Takes a picture of the whole display and counts its colours.
fn colours_on_display(picture: &Path) -> usize {
    let taken = Command::new("import")
        .args(["-window", "root"])
        .arg(picture)
        .status();
    assert!(
        taken
            .expect("imagemagick is needed for this test")
            .success()
    );
    let counted = Command::new("identify")
        .args(["-format", "%k"])
        .arg(picture)
        .output();
    let counted = counted.expect("imagemagick is needed for this test").stdout;
    let counted = String::from_utf8(counted).expect("a number");
    counted.trim().parse().expect("a number")
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
        .env(KEY_STORE.0, KEY_STORE.1)
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
        .env(KEY_STORE.0, KEY_STORE.1)
        .arg("--no-such-option")
        .stderr(Stdio::null())
        .status();
    assert_eq!(
        wrong.expect("it starts").code(),
        Some(2),
        "a wrong call is usage"
    );
}
