//! The command line: what it prints, how it exits, and that stopping loses nothing.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{
    Backend, BackendOptions, DEADLINE, KEY_STORE, background, calseta_bin, wait_for,
};
use calseta_tests::recorder::{Recorder, Reply};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

/// What a command left behind.
struct Ran {
    exit: i32,
    lines: Vec<Value>,
    stderr: String,
}

impl Ran {
    /// The error object, which `--json` puts on stderr's last line.
    fn error(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        let parsed: Value = serde_json::from_str(last)
            .unwrap_or_else(|_| panic!("stderr ends with the error: {}", self.stderr));
        parsed["error"].clone()
    }
}

async fn calseta(arguments: &[&str], stdin: &str) -> Result<Ran> {
    let mut child = Command::new(calseta_bin())
        .env(KEY_STORE.0, KEY_STORE.1)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut input = child.stdin.take().context("stdin is piped")?;
    // A command that reads nothing may be gone already.
    drop(input.write_all(stdin.as_bytes()).await);
    drop(input);
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await??;
    let lines = String::from_utf8(output.stdout)?;
    Ok(Ran {
        exit: output.status.code().context("an exit code")?,
        lines: lines
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .with_context(|| format!("stdout is one JSON object a line: {lines}"))?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is UTF-8")
}

async fn make_key(dir: &Path, scopes: &str) -> Result<String> {
    let arguments = [
        "keys",
        "create",
        "--data-dir",
        text(dir),
        "--name",
        "CI",
        "--scopes",
        scopes,
    ];
    let ran = calseta(&arguments, "").await?;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let [line] = &*ran.lines else {
        anyhow::bail!("one line: {:?}", ran.lines)
    };
    let keys: Vec<&String> = line.as_object().context("an object")?.keys().collect();
    assert_eq!(
        keys,
        [
            "uuid",
            "name",
            "key",
            "key_prefix",
            "key_type",
            "scopes",
            "expires_at"
        ],
        "scripts read these"
    );
    let key = line["key"].as_str().context("a key")?;
    ensure!(key.starts_with("cai_") && key.starts_with(line["key_prefix"].as_str().unwrap_or("-")));
    Ok(key.to_owned())
}

#[tokio::test]
async fn keys_are_made_with_and_without_a_running_app() -> Result<()> {
    let dir = TempDir::new()?;
    let before = make_key(dir.path(), "alerts:read").await?;
    let backend = Backend::fresh(dir.path()).await?;
    let while_running = make_key(dir.path(), "alerts:read,alerts:write").await?;
    for (key, expected) in [(&before, 403), (&while_running, 202)] {
        let (status, _) = backend.call(key, Method::GET, "/v1/alerts", None).await?;
        assert_eq!(status, 200, "the key works");
        let alert = json!({"title": "By key"});
        let (status, body) = backend
            .call(key, Method::POST, "/v1/ingest/generic", Some(&alert))
            .await?;
        assert_eq!(status, expected, "it may do what it was made for: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn a_first_start_shows_a_first_key_even_when_commands_came_before() -> Result<()> {
    let dir = TempDir::new()?;
    let arguments = [
        "ingest",
        "--data-dir",
        text(dir.path()),
        "--source",
        "generic",
        "-",
    ];
    let ran = calseta(&arguments, r#"{"title":"Before the first start"}"#).await?;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let backend = Backend::fresh(dir.path()).await?;
    let key = backend
        .admin_key
        .as_deref()
        .context("nobody was shown a key yet: without one the person is locked out")?;
    let (_, body) = backend.call(key, Method::GET, "/v1/api-keys", None).await?;
    let keys = body["data"].as_array().map(Vec::len);
    assert_eq!(keys, Some(1), "no key exists that nobody has: {body}");
    let alerts = backend.get("/v1/alerts").await?;
    assert_eq!(
        alerts[0]["title"], "Before the first start",
        "nothing was lost"
    );
    Ok(())
}

#[tokio::test]
async fn alerts_are_ingested_from_files_and_lines_running_or_not() -> Result<()> {
    let dir = TempDir::new()?;
    let file = dir.path().join("alert.json");
    std::fs::write(
        &file,
        "{\n  \"title\": \"From a file\",\n  \"severity\": \"High\"\n}\n",
    )?;
    let data = dir.path().join("data");
    let lines = "{\"title\":\"Line one\"}\n\n{\"title\":\"Line two\"}\n";
    let from_file = [
        "ingest",
        "--data-dir",
        text(&data),
        "--source",
        "generic",
        text(&file),
    ];
    let from_stdin = [
        "ingest",
        "--data-dir",
        text(&data),
        "--source",
        "generic",
        "-",
    ];

    let offline = calseta(&from_file, "").await?;
    assert_eq!(
        (offline.exit, offline.lines.len()),
        (0, 1),
        "{}",
        offline.stderr
    );
    assert_eq!(offline.lines[0]["status"], "queued");
    let offline = calseta(&from_stdin, lines).await?;
    assert_eq!(
        (offline.exit, offline.lines.len()),
        (0, 2),
        "{}",
        offline.stderr
    );

    let backend = Backend::fresh(&data).await?;
    let online = calseta(&from_file, "").await?;
    assert_eq!(online.exit, 0, "{}", online.stderr);
    assert_eq!(
        online.lines[0]["status"], "deduplicated",
        "the running app knows what the command stored"
    );
    let online = calseta(&from_stdin, "{\"title\":\"Line three\"}").await?;
    assert_eq!(online.lines[0]["status"], "queued");
    wait_for("the stored alerts were worked on", || async {
        let all = backend.get("/v1/alerts?is_enriched=true").await?;
        Ok((all.as_array().map_or(0, Vec::len) == 4).then_some(()))
    })
    .await?;

    let bundle = "[{\"title\":\"Bundled one\"},{\"title\":\"Bundled two\"}]";
    let ran = calseta(&from_stdin, bundle).await?;
    assert_eq!(ran.lines.len(), 2, "one line an alert: {}", ran.stderr);

    let mixed = "{\"title\":\"Good\"}\n{\"no\":\"title\"}\n";
    let ran = calseta(&from_stdin, mixed).await?;
    assert_eq!(ran.exit, 1, "a refused document is a failure");
    assert_eq!(
        ran.lines.len(),
        1,
        "and the good one is stored all the same"
    );
    assert!(
        ran.stderr.contains("document 2"),
        "it names it: {}",
        ran.stderr
    );
    Ok(())
}

#[tokio::test]
async fn a_directory_in_use_and_a_taken_port_have_their_exit_codes() -> Result<()> {
    let world = World::fresh().await?;
    let dir = text(world.dir.path());
    let serve = ["--json", "serve", "--data-dir", dir, "--port", "0"];
    let ran = calseta(&serve, "").await?;
    assert_eq!(
        ran.exit, 3,
        "another app owns the directory: {}",
        ran.stderr
    );
    assert_eq!(ran.error()["code"], "IN_USE");
    assert!(
        ran.lines.is_empty(),
        "no ready line from an app that is not"
    );

    let other = TempDir::new()?;
    let port = world.backend.address().port().to_string();
    let dir = text(other.path());
    let serve = ["--json", "serve", "--data-dir", dir, "--port", &port];
    let ran = calseta(&serve, "").await?;
    assert_eq!(ran.exit, 1, "a taken port: {}", ran.stderr);
    assert_eq!(ran.error()["code"], "PORT_TAKEN");
    let backend = Backend::fresh(other.path()).await?;
    assert!(
        backend.admin_key.is_some(),
        "the start that failed showed nobody the first key"
    );
    Ok(())
}

#[tokio::test]
async fn a_wrong_call_is_a_usage_error_also_as_json() -> Result<()> {
    let ran = calseta(&["ingest", "--source", "generic"], "").await?;
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("Usage:"),
        "a person is helped: {}",
        ran.stderr
    );
    let ran = calseta(&["--json", "ingest", "--source", "generic"], "").await?;
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    assert_eq!(ran.error()["code"], "USAGE", "and so is a program");
    let dir = TempDir::new()?;
    let empty = [
        "--json",
        "ingest",
        "--data-dir",
        text(dir.path()),
        "--source",
        "generic",
        "-",
    ];
    let ran = calseta(&empty, " \n").await?;
    assert_eq!(ran.exit, 2, "nothing to ingest: {}", ran.stderr);
    let version = Command::new(calseta_bin())
        .env(KEY_STORE.0, KEY_STORE.1)
        .arg("--version")
        .output()
        .await?;
    assert_eq!(version.status.code(), Some(0), "asking for it is no error");
    Ok(())
}

#[tokio::test]
async fn refused_values_and_keys_tell_a_script_what_went_wrong() -> Result<()> {
    let world = World::fresh().await?;
    let dir = text(world.dir.path());
    let unknown = [
        "--json",
        "ingest",
        "--data-dir",
        dir,
        "--source",
        "nowhere",
        "-",
    ];
    let ran = calseta(&unknown, "{\"title\":\"x\"}").await?;
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    let errors: Vec<Value> = ran
        .stderr
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("with --json, stderr is JSON: {}", ran.stderr))?;
    let error = &errors[0]["error"];
    assert_eq!(error["code"], "UNKNOWN_SOURCE");
    assert_eq!(error["details"]["document"], 1, "it names the document");
    let scopes = [
        "--json",
        "keys",
        "create",
        "--data-dir",
        dir,
        "--name",
        "n",
        "--scopes",
        "alerts:reed",
    ];
    let ran = calseta(&scopes, "").await?;
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    let error = ran.error();
    assert_eq!(error["code"], "VALIDATION_ERROR", "{error}");
    assert_eq!(error["details"]["errors"][0]["did_you_mean"], "alerts:read");

    let url = &*world.backend.base_url;
    let agent = [
        "--json",
        "sample-agent",
        "--url",
        url,
        "--key",
        "cai_wrong",
        "--register",
    ];
    let ran = calseta(&agent, "").await?;
    assert_eq!(ran.exit, 4, "refused: {}", ran.stderr);
    assert_eq!(ran.error()["code"], "UNAUTHORIZED");
    Ok(())
}

#[tokio::test]
async fn the_sample_agent_registers_itself_and_answers_an_alert() -> Result<()> {
    let world = World::fresh().await?;
    let mut child = Command::new(calseta_bin())
        .env(KEY_STORE.0, KEY_STORE.1)
        .args([
            "sample-agent",
            "--url",
            &world.backend.base_url,
            "--register",
        ])
        .args(["--key", world.backend.admin()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("piped")?).lines();
    let ready = tokio::time::timeout(DEADLINE, lines.next_line()).await??;
    let ready: Value = serde_json::from_str(&ready.context("a ready line")?)?;
    assert_eq!(ready["ready"], true);
    background(async move { while let Ok(Some(_)) = lines.next_line().await {} });

    let payload = json!({"title": "For the sample agent", "severity": "High"});
    let uuid = world.alert(&payload).await?;
    let path = format!("/v1/alerts/{uuid}");
    let answered = wait_for("the alert is Triaging", || async {
        let alert = world.backend.get(&path).await?;
        Ok((alert["status"] == "Triaging").then_some(alert))
    })
    .await?;
    let findings = answered["agent_findings"].as_array().context("a list")?;
    assert_eq!(findings.len(), 1, "one delivery, one finding");
    assert_eq!(findings[0]["author"]["agent_uuid"], ready["agent_uuid"]);
    assert_eq!(
        findings[0]["verdict"], "inconclusive",
        "no provider was asked"
    );
    let delivery = world
        .deliveries(ready["agent_uuid"].as_str().context("uuid")?)
        .await?
        .remove(0);
    assert_eq!(findings[0]["delivery_uuid"], delivery["uuid"]);
    child.kill().await?;
    Ok(())
}

#[tokio::test]
async fn sigterm_stops_cleanly_and_everything_in_flight_is_kept() -> Result<()> {
    const ALERTS: usize = 20;
    let dir = TempDir::new()?;
    let backend = Backend::fresh(dir.path()).await?;
    let admin = backend.admin().to_owned();
    // Refused for now, so that the deliveries are still owed when the app stops.
    let up = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_up = std::sync::Arc::clone(&up);
    let recorder = Recorder::answering(move |_| {
        let up = is_up.load(std::sync::atomic::Ordering::SeqCst);
        Reply::status(if up { 200 } else { 503 })
    })
    .await?;
    backend
        .register_agent("Restarted agent", &recorder.url, &json!({}))
        .await?;
    let mut accepted = Vec::new();
    for n in 0..ALERTS {
        let payload = json!({"title": format!("Alert {n}"), "severity": "High"});
        let view = backend.post("/v1/ingest/generic", &payload).await?;
        accepted.push(view["alert_uuid"].as_str().context("uuid")?.to_owned());
    }
    let status = backend.terminate().await?;
    assert_eq!(status.code(), Some(0), "SIGTERM is a normal end");
    assert!(
        !dir.path().join("runtime.json").exists(),
        "no app, no address of one"
    );

    up.store(true, std::sync::atomic::Ordering::SeqCst);
    let before = recorder.seen().len();
    let again = Backend::start(&BackendOptions::new(dir.path())).await?;
    let delivered = |seen: &[calseta_tests::recorder::Recorded]| {
        accepted.iter().all(|uuid| {
            let mut after = seen[before..].iter();
            after.any(|one| one.json()["alert"]["uuid"] == json!(uuid))
        })
    };
    // The schedule would retry the refused ones later; a person does not wait.
    let path = "/v1/deliveries?page_size=100";
    let (_, list) = again.call(&admin, Method::GET, path, None).await?;
    for delivery in list["data"].as_array().into_iter().flatten() {
        let uuid = delivery["uuid"].as_str().context("uuid")?;
        let path = format!("/v1/deliveries/{uuid}/retry-now");
        let (status, body) = again.call(&admin, Method::POST, &path, None).await?;
        ensure!(status < 500, "{body}");
    }
    wait_for(
        "every alert reaches the agent after the restart",
        || async { Ok(delivered(&recorder.seen()).then_some(())) },
    )
    .await?;
    let (_, list) = again
        .call(&admin, Method::GET, "/v1/alerts?page_size=100", None)
        .await?;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(ALERTS));
    Ok(())
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_alone() -> Result<()> {
    /// Where SQLite keeps `user_version`, the schema's number, in its file's header.
    const USER_VERSION: std::ops::Range<usize> = 60..64;
    let dir = TempDir::new()?;
    Backend::fresh(dir.path()).await?.terminate().await?;
    let file = dir.path().join("calseta.db");
    let mut bytes = std::fs::read(&file)?;
    bytes[USER_VERSION].copy_from_slice(&9_999_u32.to_be_bytes());
    std::fs::write(&file, &bytes)?;
    let serve = [
        "--json",
        "serve",
        "--data-dir",
        text(dir.path()),
        "--port",
        "0",
    ];
    let ran = calseta(&serve, "").await?;
    assert_eq!(
        ran.exit, 4,
        "an old program must not touch it: {}",
        ran.stderr
    );
    assert_eq!(ran.error()["code"], "REFUSED");
    assert!(std::fs::read(&file)? == bytes, "not a byte was changed");
    Ok(())
}
