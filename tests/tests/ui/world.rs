//! One backend, one browser, both ended on drop.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use calseta_tests::backend::KEY_STORE;
use calseta_tests::webdriver::{Driver, Session, Until, chromium, exchange};
use calseta_tests::world::AGENT_SCOPES;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long the page may take to show what happened.
pub(crate) const SOON: Duration = Duration::from_secs(15);
/// How long the backend may take to print its ready line.
const START: Duration = Duration::from_secs(30);
/// The window's usual size in these tests.
pub(crate) const WIDE: (u32, u32) = (1600, 900);

/// A running product with nothing in it.
pub(crate) struct World {
    /// The browser, at the page.
    pub(crate) browser: Session,
    /// The first admin key, as the window showed it.
    pub(crate) admin_key: String,
    authority: String,
    // Ended in this order: the browser first, its driver, the backend, then its files.
    _driver: Driver,
    backend: Backend,
    _files: TempDir,
}

struct Backend(Child);

impl Drop for Backend {
    fn drop(&mut self) {
        // Gone already is as good as ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The first line that the backend prints, as JSON.
struct Ready {
    backend: Backend,
    line: Value,
}

impl World {
    /// Starts both, opens the printed link, stores the first key and waits for the queue.
    pub(crate) fn start() -> Self {
        Self::past_first_key(Self::start_at_first_key())
    }

    /// The same without canned answers: enrichment really asks, once a provider is set up.
    pub(crate) fn start_without_demo() -> Self {
        Self::past_first_key(Self::start_with(&[]))
    }

    fn past_first_key(world: Self) -> Self {
        let browser = &world.browser;
        browser
            .click(".first-key .button--primary")
            .expect("stored");
        browser
            .wait_for(
                Until::Js("return !document.querySelector('dialog[open]')"),
                SOON,
            )
            .expect("the dialog closes");
        world
    }

    /// The same, with the first key's dialog still open.
    pub(crate) fn start_at_first_key() -> Self {
        Self::start_with(&["--demo"])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let files = tempfile::tempdir().expect("a temporary folder");
        let ready = start_backend(&files, arguments);
        let text = |field: &str| {
            ready.line[field]
                .as_str()
                .unwrap_or_else(|| panic!("no {field} in {}", ready.line))
        };
        let base_url = text("base_url");
        let authority = base_url
            .strip_prefix("http://")
            .expect("a loopback address")
            .to_owned();
        let driver = Driver::start("chromedriver").expect("chromedriver");
        let profile = files.path().join("profile");
        let capabilities = chromium(&profile, WIDE.0, WIDE.1);
        let browser = Session::open(driver.url(), capabilities).expect("a browser");
        browser.go(text("ui_url")).expect("the page");
        browser
            .wait_for(Until::Css(".first-key .secret__value"), SOON)
            .expect("the first key");
        let admin_key = browser
            .text(".first-key .secret__value")
            .expect("the first key");
        Self {
            browser,
            admin_key,
            authority,
            _driver: driver,
            backend: ready.backend,
            _files: files,
        }
    }

    /// A call of the API with the admin key; the answer's `data`.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.call_with(&self.admin_key, method, path, body)
    }

    /// The same with another key.
    pub(crate) fn call_with(&self, key: &str, method: &str, path: &str, body: &Value) -> Value {
        self.answer(key, method, path, body)["data"].take()
    }

    /// The whole answer, with its `meta`.
    pub(crate) fn answer(&self, key: &str, method: &str, path: &str, body: &Value) -> Value {
        let bearer = format!("Bearer {key}");
        let text = if method == "GET" {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [("Authorization", bearer.as_str())];
        let (status, answer) =
            exchange(&self.authority, method, path, &headers, &text).expect("an answer");
        let said = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {said}"
        );
        // Nothing comes back from a deletion.
        serde_json::from_str(&said).unwrap_or_default()
    }

    /// Posts alerts in one body; their ids, a repeated alert's more than once.
    pub(crate) fn alerts(&self, payloads: Vec<Value>) -> Vec<String> {
        let body = Value::Array(payloads);
        let answer = self.answer(&self.admin_key, "POST", "/v1/ingest/generic", &body);
        let views = answer["meta"]["alerts"].as_array().cloned();
        let views = views.or_else(|| answer["data"].as_array().cloned());
        let id = |view: &Value| view["alert_uuid"].as_str().expect("an id").to_owned();
        views.expect("a list").iter().map(id).collect()
    }

    /// Registers an agent at a URL; its id and a key of its own.
    pub(crate) fn agent(&self, name: &str, url: &str) -> (String, String) {
        let request = json!({ "name": name, "webhook_url": url, "trigger_filter": {} });
        let agent = self.call("POST", "/v1/agents", &request);
        let uuid = agent["uuid"].as_str().expect("an id").to_owned();
        let request = json!({
            "name": name, "key_type": "agent", "scopes": AGENT_SCOPES, "agent_uuid": uuid,
        });
        let key = self.call("POST", "/v1/api-keys", &request);
        (uuid, key["key"].as_str().expect("a key").to_owned())
    }

    /// Goes to a page of the window without loading it anew, as a link in it would.
    pub(crate) fn walk_to(&self, path: &str) {
        let script = format!(
            "const link = document.createElement('a'); link.href = {}; \
             document.body.append(link); link.click(); link.remove(); return 1",
            Value::from(path)
        );
        self.browser.execute(&script).expect("the page walks");
    }

    /// Posts an alert; its id.
    pub(crate) fn alert(&self, payload: &Value) -> String {
        let answer = self.call("POST", "/v1/ingest/generic", payload);
        answer["alert_uuid"].as_str().expect("an id").to_owned()
    }

    /// Posts an alert that differs from the others by its title and address.
    pub(crate) fn plain_alert(&self, title: &str, severity: &str) -> String {
        let host = title.to_lowercase().replace(' ', "-");
        self.alert(&json!({
            "title": title,
            "severity": severity,
            "source_ip": "185.220.101.47",
            "domain": format!("{host}.example.com"),
        }))
    }

    /// Waits until a text is on the page.
    pub(crate) fn sees(&self, text: &str) {
        let script = format!(
            "return document.body.innerText.includes({});",
            Value::from(text)
        );
        if let Err(error) = self.browser.wait_for(Until::Js(&script), SOON) {
            panic!("{text:?} was never shown: {error:#}");
        }
    }

    /// Waits until a script answers with something.
    pub(crate) fn until(&self, script: &str) -> Value {
        self.browser
            .wait_for(Until::Js(script), SOON)
            .unwrap_or_else(|e| panic!("{e:#}"))
    }

    /// Whether a script answers with something before long.
    pub(crate) fn comes(&self, script: &str) -> bool {
        self.browser.wait_for(Until::Js(script), SOON).is_ok()
    }

    /// Ends the backend as a crash would.
    pub(crate) fn crash(&mut self) {
        self.backend.0.kill().expect("it ran");
        self.backend.0.wait().expect("it ends");
    }

    /// Keeps what the window shows, to be looked at.
    pub(crate) fn keep(&self, name: &str) {
        let path = output_dir().join(format!("ui-{name}.png"));
        self.browser.screenshot(&path).expect("a screenshot");
    }

    /// What the console said that should not be there: our own pages break no rule of the policy.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let lines = self.browser.console().expect("the console");
        let ours =
            |line: &String| line.contains("Content Security Policy") || line.contains("panicked");
        lines.into_iter().filter(ours).collect()
    }
}

fn start_backend(files: &TempDir, arguments: &[&str]) -> Ready {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let program = from_environment("CALSETA_BIN", root.join("target/debug/calseta"));
    let dist = from_environment("CALSETA_UI_DIST", root.join("ui/dist"));
    let mut child = Command::new(&program)
        .env(KEY_STORE.0, KEY_STORE.1)
        .args(["serve", "--ui", "--json", "--no-limits", "--port", "0"])
        .args(arguments)
        .arg("--data-dir")
        .arg(files.path().join("data"))
        .env("CALSETA_UI_DIST", dist)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let stdout = child.stdout.take().expect("piped");
    let backend = Backend(child);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let line = BufReader::new(stdout).lines().next().and_then(Result::ok);
        // Nobody listens any more when the deadline has passed.
        drop(sender.send(line));
    });
    let line = receiver
        .recv_timeout(START)
        .ok()
        .flatten()
        .expect("the backend's ready line");
    Ready {
        backend,
        line: serde_json::from_str(&line).expect("the ready line is JSON"),
    }
}

/// Where screenshots go.
fn output_dir() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    from_environment("CALSETA_TEST_OUTPUT", root.join("target/test-output"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's only configuration is its environment"
)]
fn from_environment(name: &str, default: PathBuf) -> PathBuf {
    std::env::var(name).map_or(default, PathBuf::from)
}
