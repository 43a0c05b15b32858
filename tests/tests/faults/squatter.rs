//! Somebody else on the port: the product moves aside, says so, tells its agents the right
//! address, and hands the squatter nothing.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{DEADLINE, KEY_STORE, background, calseta_bin, http_client};
use calseta_tests::recorder::Recorder;
use calseta_tests::{goals, namespace};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// The port of the contract's examples.
const PORT: u16 = 8000;

/// Takes the port on one of the loopback addresses and keeps what it is sent.
async fn squat(address: &str) -> Result<Arc<Mutex<Vec<u8>>>> {
    let listener = TcpListener::bind((address, PORT)).await?;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&heard);
    background(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            if let Ok(count) = stream.read(&mut bytes).await {
                let mut heard = keeps.lock().unwrap_or_else(PoisonError::into_inner);
                heard.extend_from_slice(b"connected ");
                heard.extend_from_slice(&bytes[..count]);
            }
        }
    });
    Ok(heard)
}

/// Starts without a port; the process, its ready line and what it said about the port.
async fn start(dir: &std::path::Path) -> Result<(Child, Value, String)> {
    let mut child = Command::new(calseta_bin())
        .args(["serve", "--json", "--no-limits", "--data-dir"])
        .arg(dir)
        .env(KEY_STORE.0, KEY_STORE.1)
        .env("CALSETA_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let out = child.stdout.take().context("stdout is piped")?;
    let err = child.stderr.take().context("stderr is piped")?;
    let mut lines = BufReader::new(out).lines();
    let line = tokio::time::timeout(DEADLINE, lines.next_line()).await??;
    let ready = serde_json::from_str(&line.context("a ready line")?)?;
    let (mut said, mut lines) = (String::new(), BufReader::new(err).lines());
    while !said.contains("listening on") {
        let line = tokio::time::timeout(DEADLINE, lines.next_line()).await??;
        said.push_str(&line.context("it says where it listens")?);
        said.push('\n');
    }
    background(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((child, ready, said))
}

async fn post(base: &str, key: &str, path: &str, body: &Value) -> Result<()> {
    let answer = http_client()?
        .post(format!("{base}{path}"))
        .bearer_auth(key)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await?;
    ensure!(answer.status().is_success(), "{path}: {}", answer.status());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_squatter_on_the_port_is_avoided_and_gets_no_key() -> Result<()> {
    if !namespace::is_inside() {
        let own = "squatter::a_squatter_on_the_port_is_avoided_and_gets_no_key";
        return namespace::again(own, "");
    }
    let mut free = Vec::new();
    // Either loopback address is enough, because a client that says `localhost` may get the other
    // one. The first squatter stays: the second round has both.
    for address in ["::1", "127.0.0.1"] {
        let files = tempfile::tempdir()?;
        let heard = squat(address).await?;
        let (mut child, ready, said) = start(files.path()).await?;
        let base = ready["base_url"].as_str().context("base_url")?.to_owned();
        ensure!(
            !base.ends_with(":8000"),
            "{address} is taken, yet it says {base}"
        );
        ensure!(
            said.contains("8000"),
            "it must say that the port is taken: {said}"
        );
        let key = ready["admin_key"].as_str().context("a key")?.to_owned();
        let agent = Recorder::start().await?;
        let request = json!({"name": "a", "webhook_url": agent.url, "trigger_filter": {}});
        post(&base, &key, "/v1/agents", &request).await?;
        post(
            &base,
            &key,
            "/v1/ingest/generic",
            &json!({"title": "t", "severity": "High"}),
        )
        .await?;
        let told = agent.wait(1).await?.remove(0).json();
        ensure!(
            told["calseta_api_base_url"] == json!(base),
            "an agent is told {}, not {base}",
            told["calseta_api_base_url"]
        );
        child.kill().await?;
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(
            heard.is_empty(),
            "the squatter heard {}",
            String::from_utf8_lossy(&heard)
        );
        free.push(base);
    }
    goals::shown(
        "S17",
        format!("port {PORT} taken on ::1, then on 127.0.0.1 too"),
        format!("moved to {}, 0 bytes to the squatter", free.join(", ")),
        "0 bytes, agents told",
    );
    Ok(())
}
