//! Where the window is measured: a headless browser, or the desktop program under a driver.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backend::KEY_STORE;
use crate::webdriver::{Driver, Session, Until, chromium};

/// How long a start may take, with a full queue behind it.
const START: Duration = Duration::from_mins(2);
/// How often the desktop program's address is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The measured size, in pixels.
const SIZE: (u32, u32) = (1600, 900);

/// An open session. Closed before its driver, and that before its files.
pub(super) struct Place {
    pub(super) session: Session,
    /// Where the product listens.
    pub(super) base_url: String,
    _driver: Driver,
    _files: TempDir,
}

/// A fresh headless Chromium at a link.
pub(super) fn browser(link: &str) -> Result<Place> {
    let files = tempfile::tempdir()?;
    // A headless browser has no use for the desktop that the window is opened on.
    let mut command = Command::new("chromedriver");
    command
        .env_remove("DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    let driver = Driver::start_with(command, "chromedriver")?;
    let capabilities = chromium(&files.path().join("profile"), SIZE.0, SIZE.1);
    let session = Session::open(driver.url(), capabilities)?;
    session.go(link)?;
    ready(&session)?;
    Ok(Place {
        session,
        base_url: String::new(),
        _driver: driver,
        _files: files,
    })
}

/// The desktop program on a data directory.
pub(super) fn window(console: &Path, data_dir: &Path) -> Result<Place> {
    let mut command = Command::new("WebKitWebDriver");
    command
        .env("TAURI_WEBVIEW_AUTOMATION", "true")
        .env(KEY_STORE.0, KEY_STORE.1);
    let driver = Driver::start_with(command, "WebKitWebDriver")?;
    let arguments = json!(["--data-dir", data_dir, "--port", "0"]);
    let session = Session::open(
        driver.url(),
        json!({ "webkitgtk:browserOptions": { "binary": console, "args": arguments } }),
    )?;
    session.resize(SIZE.0, SIZE.1)?;
    ready(&session)?;
    Ok(Place {
        session,
        base_url: base_url(data_dir)?,
        _driver: driver,
        _files: tempfile::tempdir()?,
    })
}

/// Past the first key, when this start shows one, with rows on the screen.
fn ready(session: &Session) -> Result<()> {
    let shown = "return !!document.querySelector('dialog[open], .grid [role=row]:nth-child(2)')";
    session.wait_for(Until::Js(shown), START)?;
    if session.execute("return !!document.querySelector('.first-key')")? == Value::Bool(true) {
        session.click(".first-key .button--primary")?;
    }
    let rows = "return document.querySelectorAll('[role=row]').length > 10";
    session.wait_for(Until::Js(rows), START).map(drop)
}

fn base_url(data_dir: &Path) -> Result<String> {
    let end = Instant::now() + START;
    loop {
        let text = std::fs::read(data_dir.join("runtime.json")).unwrap_or_default();
        let runtime: Value = serde_json::from_slice(&text).unwrap_or_default();
        if let Some(url) = runtime["base_url"].as_str() {
            return Ok(url.to_owned());
        }
        ensure!(Instant::now() < end, "the window wrote no runtime.json");
        thread::sleep(LOOK_EVERY);
    }
}
