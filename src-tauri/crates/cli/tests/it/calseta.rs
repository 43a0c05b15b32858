//! The program: run to its end, or kept running as the console.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use calseta_egress::LocalClient;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long anything may take on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// What a command left behind.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) lines: Vec<Value>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The lines of a kind.
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.lines
            .iter()
            .filter(|line| line["kind"] == kind)
            .collect()
    }

    /// Why that one line came out as it did.
    pub(crate) fn why(&self, kind: &str, name: &str) -> &str {
        self.line(kind, name)["why"].as_str().unwrap_or_default()
    }

    /// The one line of that kind and name.
    pub(crate) fn line(&self, kind: &str, name: &str) -> &Value {
        let mut lines = self
            .of(kind)
            .into_iter()
            .filter(|line| line["name"] == name);
        let line = lines.next();
        assert!(
            lines.next().is_none(),
            "one line for {kind} {name}: {}",
            self.stdout
        );
        line.unwrap_or_else(|| panic!("a line for {kind} {name}: {}{}", self.stdout, self.stderr))
    }
}

/// Runs the program to its end.
pub(crate) async fn run(arguments: &[&str]) -> Ran {
    let child = Command::new(env!("CARGO_BIN_EXE_calseta"))
        .args(arguments)
        .env("CALSETA_KEY_STORE", "file")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output())
        .await
        .expect("it ends in time")
        .expect("its output can be read");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = stdout.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|_| panic!("one JSON object a line: {stdout}"))
    });
    Ran {
        exit: output.status.code().expect("an exit code"),
        lines: lines.collect(),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        stdout,
    }
}

/// A running console. Killed when dropped.
pub(crate) struct Console {
    _child: Child,
    pub(crate) base_url: String,
    client: LocalClient,
}

impl Console {
    /// Starts it on a fresh directory, any free port.
    pub(crate) async fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_calseta"))
            .args([
                "serve",
                "--port",
                "0",
                "--json",
                "--no-limits",
                "--data-dir",
            ])
            .arg(dir)
            .env("CALSETA_KEY_STORE", "file")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let out = child.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(out).lines();
        let line = tokio::time::timeout(DEADLINE, lines.next_line())
            .await
            .expect("it is ready in time")
            .expect("stdout can be read")
            .expect("a ready line");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let text = |name: &str| ready[name].as_str().expect("a text").to_owned();
        let (base_url, key) = (text("base_url"), text("admin_key"));
        Self {
            _child: child,
            client: LocalClient::new(&base_url, key.as_str()).expect("a client"),
            base_url,
        }
    }

    /// One call; status and body.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let body = body.map(Value::to_string).unwrap_or_default().into();
        let answer = self
            .client
            .request(method, path, headers, body, DEADLINE)
            .await
            .expect("an answer");
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status, body)
    }

    /// The status of a GET with a key.
    pub(crate) async fn status_as(&self, key: &str, path: &str) -> u16 {
        let client = LocalClient::new(&self.base_url, key).expect("a client");
        let none = (HeaderMap::new(), bytes::Bytes::new());
        let answer = client.request(Method::GET, path, none.0, none.1, DEADLINE);
        answer.await.expect("an answer").status
    }

    /// GET that must succeed; its `data`.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, mut body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body["data"].take()
    }

    /// The one thing of a list with this field.
    pub(crate) async fn find(&self, path: &str, field: &str, value: &str) -> Value {
        let and = if path.contains('?') { '&' } else { '?' };
        let all = self.get(&format!("{path}{and}page_size=500")).await;
        let all = all.as_array().expect("a list");
        let mut found = all.iter().filter(|thing| thing[field] == value);
        let thing = found
            .next()
            .unwrap_or_else(|| panic!("{path} has {value}: {all:?}"));
        assert!(found.next().is_none(), "{path} has one {value}: {all:?}");
        thing.clone()
    }
}
