//! A small W3C WebDriver client, so that the browser's view and the desktop window are tested alike.
//!
//! It speaks just enough of the protocol for `ChromeDriver` and `WebKitWebDriver`, over a plain
//! blocking socket: no browser-automation dependency, and [`Session`] can close itself on `Drop`
//! in every outcome. That matters: `WebKitWebDriver` allows one session at a time, so one left
//! open makes the next test fail. Calls block; use a multi-threaded runtime in async tests.

pub mod keys;
mod wire;

use std::fmt;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

pub use self::wire::exchange;
use self::wire::{command, decode_base64};

/// A desktop that prefers dark; headless browsers otherwise prefer light.
const DARK: &str = "--blink-settings=preferredColorScheme=0";
/// How often a condition is looked at again.
const POLL_EVERY: Duration = Duration::from_millis(25);
/// How long a driver may take until it listens.
const DRIVER_START_DEADLINE: Duration = Duration::from_secs(20);
/// An error shows this many characters of the script that failed.
const SCRIPT_CHARS: usize = 400;
/// The key under which the protocol hides an element's id.
const ELEMENT_KEY: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A driver process (`chromedriver`, `WebKitWebDriver`), ended on `Drop`.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    /// Starts `program` on a free loopback port and waits until it listens.
    pub fn start(program: &str) -> Result<Self> {
        Self::start_with(Command::new(program), program)
    }

    /// The same, with environment or arguments of the caller's; `--port=N` is added.
    pub fn start_with(mut command: Command, name: &str) -> Result<Self> {
        let port = free_port()?;
        let child = command
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{name} is needed for this test and did not start"))?;
        let driver = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        let deadline = Instant::now() + DRIVER_START_DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                bail!("{name} did not listen on port {port} within {DRIVER_START_DEADLINE:?}");
            }
            thread::sleep(POLL_EVERY);
        }
        Ok(driver)
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Already gone is as good as ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A loopback port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// What [`Session::wait_for`] waits for.
#[derive(Debug, Clone, Copy)]
pub enum Until<'a> {
    /// An element that matches this selector is there and has a size.
    Css(&'a str),
    /// This script's `return` value is truthy.
    Js(&'a str),
}

/// An element of the page, by the driver's id.
#[derive(Debug, Clone)]
pub struct Element(String);

/// One open browser session; closed on `Drop`, and with it the window.
pub struct Session {
    driver: String,
    id: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({} at {})", self.id, self.driver)
    }
}

/// Capabilities for a headless Chromium with a fresh profile that keeps to itself.
pub fn chromium(profile: &Path, width: u32, height: u32) -> Value {
    json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--force-device-scale-factor=1", "--lang=en-GB", DARK,
                format!("--window-size={width},{height}"),
                format!("--user-data-dir={}", profile.display()),
            ],
        },
    })
}

impl Session {
    /// Opens a session at a driver (`http://127.0.0.1:N`) with `alwaysMatch` capabilities.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers build the value in place"
    )]
    pub fn open(driver_url: &str, capabilities: Value) -> Result<Self> {
        let driver = driver_url.trim_end_matches('/').to_owned();
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let value = command(&driver, "POST", "/session", Some(&body))?;
        let id = value["sessionId"]
            .as_str()
            .context("the driver named no session")?
            .to_owned();
        Ok(Self { driver, id })
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        command(
            &self.driver,
            method,
            &format!("/session/{}{path}", self.id),
            body,
        )
    }

    /// Loads an address.
    pub fn go(&self, url: &str) -> Result<()> {
        self.call("POST", "/url", Some(&json!({ "url": url })))
            .map(drop)
    }

    /// Loads the present address again.
    pub fn reload(&self) -> Result<()> {
        self.call("POST", "/refresh", Some(&json!({}))).map(drop)
    }

    /// The first element that matches a CSS selector; an error when there is none.
    pub fn find(&self, css: &str) -> Result<Element> {
        let body = json!({ "using": "css selector", "value": css });
        let value = self
            .call("POST", "/element", Some(&body))
            .with_context(|| format!("find {css}"))?;
        element(&value)
    }

    /// Every element that matches.
    pub fn find_all(&self, css: &str) -> Result<Vec<Element>> {
        let body = json!({ "using": "css selector", "value": css });
        let found = self.call("POST", "/elements", Some(&body))?;
        found
            .as_array()
            .context("elements are no list")?
            .iter()
            .map(element)
            .collect()
    }

    /// Clicks the first element that matches.
    pub fn click(&self, css: &str) -> Result<()> {
        let found = self.find(css)?;
        self.call(
            "POST",
            &format!("/element/{}/click", found.0),
            Some(&json!({})),
        )
        .with_context(|| format!("click {css}"))
        .map(drop)
    }

    /// The text of the first element that matches, as it is painted.
    pub fn text(&self, css: &str) -> Result<String> {
        let found = self.find(css)?;
        let value = self.call("GET", &format!("/element/{}/text", found.0), None)?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Types into the first element that matches.
    pub fn send_keys(&self, css: &str, text: &str) -> Result<()> {
        let found = self.find(css)?;
        let body = json!({ "text": text });
        self.call("POST", &format!("/element/{}/value", found.0), Some(&body))
            .with_context(|| format!("type into {css}"))
            .map(drop)
    }

    /// Presses keys one after the other, wherever the focus is. See [`keys`].
    pub fn press(&self, text: &str) -> Result<()> {
        let actions: Vec<Value> = text
            .chars()
            .flat_map(|key| {
                [
                    json!({ "type": "keyDown", "value": key.to_string() }),
                    json!({ "type": "keyUp", "value": key.to_string() }),
                ]
            })
            .collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.call("POST", "/actions", Some(&body)).map(drop)
    }

    /// Presses one key while modifiers are held: `chord(&[keys::CONTROL], "k")`.
    pub fn chord(&self, held: &[&str], key: &str) -> Result<()> {
        let event = |kind: &str, value: &str| json!({ "type": kind, "value": value });
        let down = held.iter().map(|modifier| event("keyDown", modifier));
        let up = held.iter().rev().map(|modifier| event("keyUp", modifier));
        let actions: Vec<Value> = down
            .chain([event("keyDown", key), event("keyUp", key)])
            .chain(up)
            .collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.call("POST", "/actions", Some(&body)).map(drop)
    }

    /// Presses keys as a person reads them, one word after the other: `g g`, `Ctrl+k`, `Space`.
    pub fn strike(&self, words: &str) -> Result<()> {
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            let mut parts: Vec<&str> = word.split('+').collect();
            // A plus is a key too.
            let key = parts.pop().filter(|key| !key.is_empty()).unwrap_or("+");
            let held: Vec<&str> = parts.iter().map(|part| keys::named(part)).collect();
            self.chord(&held, keys::named(key))?;
        }
        Ok(())
    }

    /// Runs a function body that calls its last argument with the answer.
    pub fn execute_async(&self, script: &str) -> Result<Value> {
        let body = json!({ "script": script, "args": [] });
        self.call("POST", "/execute/async", Some(&body))
            .with_context(|| clipped(script))
    }

    /// Runs a function body in the page and answers what it `return`s.
    pub fn execute(&self, script: &str) -> Result<Value> {
        let body = json!({ "script": script, "args": [] });
        self.call("POST", "/execute/sync", Some(&body))
            .with_context(|| clipped(script))
    }

    /// Waits for a condition; the error carries the page's text, so that a failure explains itself.
    pub fn wait_for(&self, until: Until<'_>, deadline: Duration) -> Result<Value> {
        let script = match until {
            Until::Css(css) => format!(
                "const found = document.querySelector({}); \
                 return !!found && found.getClientRects().length > 0;",
                Value::from(css)
            ),
            Until::Js(script) => script.to_owned(),
        };
        let end = Instant::now() + deadline;
        loop {
            let seen = self.execute(&script);
            if let Ok(value) = &seen
                && truthy(value)
            {
                return Ok(value.clone());
            }
            if Instant::now() > end {
                let page = self.execute("return document.body && document.body.innerText;");
                let focus = "return document.activeElement?.cloneNode(false).outerHTML";
                let focus = self.execute(focus);
                bail!(
                    "waited {deadline:?} for {until:?}; last: {seen:?}; the focus is on {focus:?}; \
                     the page shows:\n{page:?}"
                );
            }
            thread::sleep(POLL_EVERY);
        }
    }

    /// Sets the window's outer size in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        let body = json!({ "width": width, "height": height });
        self.call("POST", "/window/rect", Some(&body)).map(drop)
    }

    /// Writes what the window shows as PNG.
    pub fn screenshot(&self, path: &Path) -> Result<()> {
        let value = self.call("GET", "/screenshot", None)?;
        let png = decode_base64(value.as_str().context("the screenshot is no text")?)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, png).with_context(|| path.display().to_string())
    }

    /// `ChromeDriver` only: a command of the browser's own tools; its answer.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        self.call("POST", "/goog/cdp/execute", Some(&body))
    }

    /// `ChromeDriver` only: what the page's console said since the last call.
    pub fn console(&self) -> Result<Vec<String>> {
        let log = self.call("POST", "/se/log", Some(&json!({ "type": "browser" })))?;
        let entries = log.as_array().context("the log is no list")?;
        Ok(entries
            .iter()
            .map(|e| format!("{}: {}", e["level"], e["message"]))
            .collect())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The driver may be gone already; then the session is too.
        drop(self.call("DELETE", "", None));
    }
}

/// A script as an error names it: its beginning.
fn clipped(script: &str) -> String {
    script.chars().take(SCRIPT_CHARS).collect()
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn element(value: &Value) -> Result<Element> {
    value[ELEMENT_KEY]
        .as_str()
        .map(|id| Element(id.to_owned()))
        .context("no element in the answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_is_not_truthy() {
        for value in [json!(null), json!(false), json!(0), json!("")] {
            assert!(!truthy(&value), "{value}");
        }
        assert!(truthy(&json!({})));
    }
}
