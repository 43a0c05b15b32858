//! The real backend binary, started on a temporary data directory, and an HTTP client for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long anything that should happen at once may take, on a machine that does much else.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// How often a condition is looked at again.
const POLL_EVERY: Duration = Duration::from_millis(20);

/// The headless binary: `CALSETA_BIN`, else the dev build beside the test.
pub fn calseta_bin() -> PathBuf {
    binary("CALSETA_BIN", "calseta")
}

/// The control build: `CALSETA_FAULTS_BIN`, else the dev build beside the test.
pub fn faults_bin() -> PathBuf {
    binary("CALSETA_FAULTS_BIN", "calseta-faults")
}

/// A program of the build: the variable's, else the one beside this test.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' one place that reads settings"
)]
pub fn binary(variable: &str, name: &str) -> PathBuf {
    if let Ok(path) = std::env::var(variable) {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a test has a path");
    let dir = test
        .parent()
        .and_then(Path::parent)
        .expect("a test lies in <profile>/deps");
    dir.join(name)
}

/// Where tests leave what a person may want to look at.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' one place that reads settings"
)]
pub fn output_dir() -> PathBuf {
    let dir = std::env::var("CALSETA_TEST_OUTPUT")
        .map_or_else(|_| binary("-", "..").join("test-output"), PathBuf::from);
    std::fs::create_dir_all(&dir).expect("the output folder can be made");
    dir
}

/// What every started program is told: its master key stays in its directory, never in the
/// keychain of whoever runs the tests.
pub const KEY_STORE: (&str, &str) = ("CALSETA_KEY_STORE", "file");

/// How a backend is started.
#[derive(Debug, Clone)]
pub struct BackendOptions {
    /// The program.
    pub program: PathBuf,
    /// The data directory.
    pub data_dir: PathBuf,
    /// More arguments of `serve`.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// A program and its arguments that start the program: a tracer, or a namespace of its own.
    pub inside: Vec<String>,
}

impl BackendOptions {
    /// The shipped program on a directory, any free port, without rate limits; it logs warnings.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            program: calseta_bin(),
            data_dir: data_dir.to_owned(),
            arguments: vec!["--no-limits".to_owned()],
            // A line a request would bury what a failed test says.
            environment: vec![("CALSETA_LOG".to_owned(), "warn".to_owned())],
            inside: Vec::new(),
        }
    }

    /// The command that starts the program, up to its own arguments.
    fn command(&self) -> Command {
        let Some((outer, arguments)) = self.inside.split_first() else {
            return Command::new(&self.program);
        };
        let mut command = Command::new(outer);
        command.args(arguments).arg(&self.program);
        command
    }
}

/// A running backend. Killed when dropped.
#[derive(Debug)]
pub struct Backend {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub base_url: String,
    /// The first admin key; only of a directory's first start without `--ui`.
    pub admin_key: Option<String>,
    /// The whole ready line.
    pub ready: Value,
    client: reqwest::Client,
}

impl Backend {
    /// Starts the shipped program on a fresh directory.
    pub async fn fresh(data_dir: &Path) -> Result<Self> {
        Self::start(&BackendOptions::new(data_dir)).await
    }

    /// Starts and waits for the ready line.
    pub async fn start(options: &BackendOptions) -> Result<Self> {
        let mut child = options
            .command()
            .arg("serve")
            .arg("--data-dir")
            .arg(&options.data_dir)
            .args(["--port", "0", "--json"])
            .args(&options.arguments)
            .env(KEY_STORE.0, KEY_STORE.1)
            .envs(
                options
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", options.program.display()))?;
        let out = child.stdout.take().context("stdout is piped")?;
        let mut lines = BufReader::new(out).lines();
        let line = tokio::time::timeout(DEADLINE, lines.next_line())
            .await
            .context("the ready line did not come")??
            .context("the backend ended before it was ready")?;
        // The rest of stdout is read, so that the pipe never fills.
        let drain = async move { while let Ok(Some(_)) = lines.next_line().await {} };
        background(drain);
        let ready: Value = serde_json::from_str(&line)?;
        Ok(Self {
            child,
            base_url: ready["base_url"].as_str().context("base_url")?.to_owned(),
            admin_key: ready["admin_key"].as_str().map(str::to_owned),
            ready,
            client: http_client()?,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the backend runs")
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.base_url
            .trim_start_matches("http://")
            .parse()
            .expect("base_url is an address")
    }

    /// The first admin key.
    pub fn admin(&self) -> &str {
        self.admin_key
            .as_deref()
            .expect("this is the directory's first start")
    }

    /// kill -9, and waits until it is gone.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    /// SIGTERM, and waits for a clean exit.
    pub async fn terminate(mut self) -> Result<std::process::ExitStatus> {
        let done = Command::new("kill")
            .arg(self.pid().to_string())
            .status()
            .await?;
        ensure!(done.success(), "kill -TERM failed");
        Ok(tokio::time::timeout(DEADLINE, self.child.wait())
            .await
            .context("it did not stop")??)
    }

    /// One call with a key; status and parsed body (`null` when there is none).
    pub async fn call(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value)> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base_url))
            .bearer_auth(key);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await?;
        let (status, text) = (response.status().as_u16(), response.text().await?);
        let value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text)?
        };
        Ok((status, value))
    }

    /// GET that must succeed; the answer's `data`.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let (status, mut body) = self.call(self.admin(), Method::GET, path, None).await?;
        ensure!(status == 200, "GET {path}: {status} {body}");
        Ok(body["data"].take())
    }

    /// POST that must succeed; the answer's `data`.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.post_as(self.admin(), path, body).await
    }

    /// POST with a key that must succeed; the answer's `data`.
    pub async fn post_as(&self, key: &str, path: &str, body: &Value) -> Result<Value> {
        let (status, mut answer) = self.call(key, Method::POST, path, Some(body)).await?;
        ensure!(
            (200..300).contains(&status),
            "POST {path}: {status} {answer}"
        );
        Ok(answer["data"].take())
    }

    /// PATCH that must succeed; the answer's `data`.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        let (status, mut answer) = self
            .call(self.admin(), Method::PATCH, path, Some(body))
            .await?;
        ensure!(status == 200, "PATCH {path}: {status} {answer}");
        Ok(answer["data"].take())
    }

    /// Registers an agent at a URL; its uuid and signing secret.
    pub async fn register_agent(
        &self,
        name: &str,
        url: &str,
        filter: &Value,
    ) -> Result<(String, String)> {
        let request = json!({"name": name, "webhook_url": url, "trigger_filter": filter});
        let agent = self.post("/v1/agents", &request).await?;
        let text = |field: &str| agent[field].as_str().map(str::to_owned).context("a text");
        Ok((text("uuid")?, text("signing_secret")?))
    }
}

/// A client that ignores the environment's proxies.
pub fn http_client() -> Result<reqwest::Client> {
    install_tls();
    Ok(reqwest::Client::builder()
        .no_proxy()
        .timeout(DEADLINE)
        .build()?)
}

/// The TLS provider that reqwest asks for, once a process.
pub fn install_tls() {
    // A second call finds it installed.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Looks at a condition until it holds; its value.
pub async fn wait_for<T, F, Fut>(what: &str, mut condition: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition().await? {
            return Ok(value);
        }
        if Instant::now() > until {
            bail!("this did not happen within {DEADLINE:?}: {what}");
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}

/// A task that ends with its runtime.
#[expect(
    clippy::disallowed_methods,
    reason = "test servers end with the test's runtime"
)]
pub fn background<F>(task: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    drop(tokio::spawn(task));
}
