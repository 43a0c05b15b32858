//! One window at a time on the display: started through WebDriver or by itself, ended on drop.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use calseta_tests::backend::{KEY_STORE, binary, calseta_bin, output_dir};
use calseta_tests::webdriver::{Driver, Session, Until};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long the window may take to show what happened, on a machine that does much else.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// How long a started program may take until it runs, and a told one until it ends.
const START: Duration = Duration::from_mins(1);
/// How often a condition is looked at again.
const POLL_EVERY: Duration = Duration::from_millis(25);

/// The bus has one notification daemon and the display one pointer: tests take turns.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The desktop program: `CALSETA_CONSOLE_BIN`, else the dev build.
pub(crate) fn console_bin() -> PathBuf {
    binary("CALSETA_CONSOLE_BIN", "calseta-console")
}

/// Waits for a condition.
pub(crate) fn wait_until<T>(what: &str, deadline: Duration, look: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited {deadline:?} for {what}");
        thread::sleep(POLL_EVERY);
    }
}

/// Where the app on a data directory listens.
pub(crate) fn base_url(data_dir: &Path) -> String {
    wait_until("runtime.json", START, || {
        let text = fs::read(data_dir.join("runtime.json")).ok()?;
        let runtime: Value = serde_json::from_slice(&text).ok()?;
        runtime["base_url"].as_str().map(str::to_owned)
    })
}

/// The real window, driven.
pub(crate) struct Desk {
    pub(crate) window: Session,
    pub(crate) data_dir: PathBuf,
    // Ended in this order after the window, and the files last.
    _ended: Ended,
    _driver: Driver,
    _files: TempDir,
}

impl Desk {
    /// Opens the window on an empty data directory, with the first key's dialog in it.
    pub(crate) fn open() -> Self {
        let files = tempfile::tempdir().expect("a temporary folder");
        let data_dir = files.path().join("data");
        let (driver, window) = drive(&data_dir);
        let shown = Until::Css(".first-key .secret__value, .first-key code, .first-key .mono");
        window
            .wait_for(shown, START)
            .expect("the first key is shown");
        Self {
            window,
            data_dir: data_dir.clone(),
            _ended: Ended(data_dir),
            _driver: driver,
            _files: files,
        }
    }

    /// The key that the dialog shows; the dialog is closed.
    pub(crate) fn take_first_key(&self) -> String {
        let key = self
            .window
            .wait_for(
                Until::Js(
                    "const found = document.querySelector('.first-key').innerText\
                     .match(/cai_[A-Za-z0-9_-]{43}/); return found && found[0];",
                ),
                SOON,
            )
            .expect("the dialog shows an admin key");
        self.shot("1-first-key");
        self.window
            .click(".first-key .button--primary")
            .expect("stored");
        let closed = Until::Js("return !document.querySelector('dialog[open]')");
        self.window
            .wait_for(closed, SOON)
            .expect("the dialog closes");
        key.as_str().expect("text").to_owned()
    }

    /// Keeps what the window shows.
    pub(crate) fn shot(&self, name: &str) {
        let path = output_dir().join("desktop").join(format!("{name}.png"));
        self.window.screenshot(&path).expect("a screenshot");
    }
}

/// Waits on drop until no window runs on a data directory: a driver answers before the window that
/// it ends is off the display, where the next test would see it.
struct Ended(PathBuf);

impl Drop for Ended {
    fn drop(&mut self) {
        let end = Instant::now() + START;
        while runs_on(&self.0) && Instant::now() < end {
            thread::sleep(POLL_EVERY);
        }
    }
}

/// Whether a process was started on a data directory.
fn runs_on(data_dir: &Path) -> bool {
    let processes = fs::read_dir("/proc").expect("Linux lists its processes");
    processes.flatten().any(|process| {
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let mut words = command.split(|byte| *byte == 0);
        words.any(|word| word == data_dir.as_os_str().as_encoded_bytes())
    })
}

/// Starts the program through the driver.
fn drive(data_dir: &Path) -> (Driver, Session) {
    let mut command = Command::new("WebKitWebDriver");
    command.env("TAURI_WEBVIEW_AUTOMATION", "true");
    let driver = Driver::start_with(command, "WebKitWebDriver").expect("webkit2gtk-driver");
    let capabilities = json!({
        "webkitgtk:browserOptions": {
            "binary": console_bin(),
            "args": ["--data-dir", data_dir, "--port", "0"],
        },
    });
    let window = Session::open(driver.url(), capabilities).expect("the window opens");
    (driver, window)
}

/// Posts JSON with the real `curl`, as a SIEM's script would; the answer's body.
pub(crate) fn curl(key: &str, url: &str, body: &Value) -> Value {
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail-with-body",
            "--max-time",
            "30",
        ])
        .args(["-X", "POST", url])
        .args(["-H", &format!("Authorization: Bearer {key}")])
        .args(["-H", "Content-Type: application/json"])
        .args(["-d", &body.to_string()])
        .output()
        .expect("curl is needed for this test");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "curl {url}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&text).expect("the API answers JSON")
}

/// A program that is ended on drop.
pub(crate) struct Program(pub(crate) Child);

impl Program {
    /// The desktop program by itself, without a driver.
    pub(crate) fn console(data_dir: &Path, prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(console_bin());
        command.env(KEY_STORE.0, KEY_STORE.1);
        command
            .arg("--data-dir")
            .arg(data_dir)
            .args(["--port", "0"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        prepare(&mut command);
        Self(command.spawn().expect("the desktop program starts"))
    }

    /// `calseta serve` on a data directory.
    pub(crate) fn headless(data_dir: &Path) -> Self {
        let mut command = Command::new(calseta_bin());
        command.env(KEY_STORE.0, KEY_STORE.1);
        command
            .args(["serve", "--port", "0", "--data-dir"])
            .arg(data_dir);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().expect("calseta is built"))
    }

    /// `calseta sample-agent --register`, once it is ready.
    pub(crate) fn sample_agent(base_url: &str, key: &str) -> Self {
        let mut child = Command::new(calseta_bin())
            .env(KEY_STORE.0, KEY_STORE.1)
            .args(["sample-agent", "--url", base_url, "--register"])
            .env("CALSETA_KEY", key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("calseta is built");
        let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let program = Self(child);
        let mut line = String::new();
        out.read_line(&mut line).expect("the agent's ready line");
        let ready: Value = serde_json::from_str(&line).expect("the ready line is JSON");
        assert_eq!(ready["ready"], true, "{ready}");
        // The rest is read, so that the pipe never fills.
        thread::spawn(move || drop(out.read_to_end(&mut Vec::new())));
        program
    }

    /// SIGTERM, as a session's end sends it.
    pub(crate) fn terminate(&self) {
        let told = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status();
        assert!(
            told.expect("kill").success(),
            "it runs until it is told to stop"
        );
    }

    /// What it writes to stderr from now on.
    pub(crate) fn stderr_lines(&mut self) -> Arc<Mutex<Vec<String>>> {
        let pipe = self.0.stderr.take().expect("stderr is piped");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                written.lock().expect("lines").push(line);
            }
        });
        lines
    }

    /// How it ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + START;
        loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < end, "it did not end within {START:?}");
            thread::sleep(POLL_EVERY);
        }
    }

    /// What it wrote to stderr; to be asked after its end.
    pub(crate) fn stderr(&mut self) -> String {
        let mut text = String::new();
        let mut pipe = self.0.stderr.take().expect("stderr is piped");
        pipe.read_to_string(&mut text).expect("stderr is text");
        text
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Gone already is as good as ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
