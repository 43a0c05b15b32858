//! The example agents, run for real: what a reader copies must work.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, DEADLINE, background, http_client, wait_for};
use calseta_tests::recorder::{Recorded, Recorder};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

/// Made once for all tests of this process.
static PYTHON: OnceCell<PathBuf> = OnceCell::const_new();

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/agents/python")
}

async fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output().await?;
    ensure!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// A Python with the example's requirements, as its README makes it. Kept in the build directory
/// until the requirements change.
async fn python() -> Result<&'static PathBuf> {
    PYTHON
        .get_or_try_init(|| async {
            let requirements = folder().join("requirements.txt");
            let wanted = std::fs::read_to_string(&requirements)?;
            let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("example-agent-venv");
            let (stamp, python) = (venv.join("stamp"), venv.join("bin/python"));
            // A Python that was upgraded away leaves a venv that does not run.
            let runs = Command::new(&python).arg("--version").output().await;
            let runs = runs.is_ok_and(|output| output.status.success());
            if runs && std::fs::read_to_string(&stamp).is_ok_and(|kept| kept == wanted) {
                return Ok(python);
            }
            let mut make = Command::new("python3");
            succeed(make.args(["-m", "venv", "--clear"]).arg(&venv)).await?;
            let mut install = Command::new(venv.join("bin/pip"));
            let install = install.args(["install", "--quiet", "--requirement"]);
            succeed(install.arg(&requirements)).await?;
            std::fs::write(&stamp, wanted)?;
            Ok(python)
        })
        .await
}

/// The agent, registered and running.
struct Running {
    backend: Backend,
    webhook_url: String,
    agent_uuid: String,
    _agent: Child,
    _dir: TempDir,
}

async fn start() -> Result<Running> {
    let python = python().await?;
    let dir = TempDir::new()?;
    let backend = Backend::fresh(dir.path()).await?;
    // The port is not known before the agent runs, and the agent needs its secret to run.
    let (agent_uuid, secret) = backend
        .register_agent("Python agent", "http://127.0.0.1:9/webhook", &json!({}))
        .await?;
    let request = json!({
        "name": "Python agent", "key_type": "agent", "agent_uuid": agent_uuid,
        "scopes": ["alerts:read", "alerts:write"],
    });
    let key = backend.post("/v1/api-keys", &request).await?;
    let mut agent = Command::new(python)
        .arg(folder().join("agent.py"))
        .args(["--port", "0"])
        .env("CALSETA_URL", &backend.base_url)
        .env("CALSETA_KEY", key["key"].as_str().context("a key")?)
        .env("CALSETA_SIGNING_SECRET", secret)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(agent.stdout.take().context("piped")?).lines();
    let line = tokio::time::timeout(DEADLINE, lines.next_line()).await??;
    let line = line.context("the agent ended at once")?;
    let webhook_url = line
        .strip_prefix("listening on ")
        .context("its address")?
        .to_owned();
    background(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let path = format!("/v1/agents/{agent_uuid}");
    let moved = json!({"webhook_url": webhook_url});
    let patched = backend.patch(&path, &moved).await?;
    ensure!(patched["grant"] == "granted", "{patched}");
    Ok(Running {
        backend,
        webhook_url,
        agent_uuid,
        _agent: agent,
        _dir: dir,
    })
}

#[tokio::test]
async fn the_python_agent_answers_an_alert_with_a_finding_and_moves_it_to_triaging() -> Result<()> {
    let running = start().await?;
    let alert = json!({"title": "Hello, agent", "severity": "High", "src_ip": "185.220.101.47"});
    let view = running.backend.post("/v1/ingest/generic", &alert).await?;
    let path = format!(
        "/v1/alerts/{}",
        view["alert_uuid"].as_str().context("uuid")?
    );
    let answered = wait_for("the agent's answer", || async {
        let alert = running.backend.get(&path).await?;
        Ok((alert["status"] == "Triaging").then_some(alert))
    })
    .await?;
    let [finding] = answered["agent_findings"]
        .as_array()
        .context("a list")?
        .as_slice()
    else {
        anyhow::bail!("one finding: {answered:#}");
    };
    assert_eq!(
        finding["summary"], "Hello, agent: 0 of 1 indicators are bad.",
        "derived from the payload"
    );
    assert_eq!(finding["verdict"], "inconclusive", "no provider was asked");
    assert_eq!(finding["author"]["agent_uuid"], json!(running.agent_uuid));
    let deliveries = format!("/v1/agents/{}/deliveries", running.agent_uuid);
    let delivered = wait_for("the delivery is settled", || async {
        let list = running.backend.get(&deliveries).await?;
        Ok((list[0]["state"] == "delivered").then(|| list[0].clone()))
    })
    .await?;
    assert_eq!(
        finding["delivery_uuid"], delivered["uuid"],
        "the finding says which delivery it answers"
    );
    Ok(())
}

#[tokio::test]
async fn the_python_agent_refuses_a_body_that_was_tampered_with() -> Result<()> {
    let running = start().await?;
    let backend = &running.backend;
    let alert = json!({"title": "To be forged", "severity": "High"});
    let view = backend.post("/v1/ingest/generic", &alert).await?;
    let uuid = view["alert_uuid"].as_str().context("uuid")?;
    let deliveries = format!("/v1/deliveries?alert_uuid={uuid}");
    let delivery = wait_for("the delivery is settled", || async {
        let list = backend.get(&deliveries).await?;
        Ok((list[0]["state"] == "delivered").then(|| list[0].clone()))
    })
    .await?;

    // A recorder in the agent's place is sent the same message, signed with the agent's secret.
    let recorder = Recorder::start().await?;
    let agent = format!("/v1/agents/{}", running.agent_uuid);
    let moved = json!({"webhook_url": recorder.url});
    backend.patch(&agent, &moved).await?;
    let delivery = delivery["uuid"].as_str().context("uuid")?;
    let path = format!("/v1/deliveries/{delivery}/redeliver");
    backend.post(&path, &json!({"mode": "as_sent"})).await?;
    let signed = recorder.wait(1).await?.remove(0);

    let tampered = String::from_utf8(signed.body.clone())?.replace("High", "Low");
    assert_ne!(tampered.as_bytes(), signed.body, "it is a forgery");
    let status = forward(&running.webhook_url, &signed, tampered.as_bytes()).await?;
    assert_eq!(status, 401, "the signature is over the exact bytes");
    let mut unsigned = signed.clone();
    unsigned
        .headers
        .retain(|(name, _)| name != "webhook-signature");
    let status = forward(&running.webhook_url, &unsigned, &signed.body).await?;
    assert_eq!(status, 401, "anybody can post to a port");
    let mut nonsense = unsigned;
    let header = ("webhook-signature".to_owned(), "v1".to_owned());
    nonsense.headers.push(header);
    let status = forward(&running.webhook_url, &nonsense, &signed.body).await?;
    assert_eq!(
        status, 401,
        "a signature without its parts is refused, not a crash"
    );

    let status = forward(&running.webhook_url, &signed, &signed.body).await?;
    assert_eq!(
        status, 200,
        "the real message is taken, also the second time"
    );
    let alert = backend.get(&format!("/v1/alerts/{uuid}")).await?;
    let findings = alert["agent_findings"].as_array().map(Vec::len);
    assert_eq!(findings, Some(1), "and its repetition is stored once");
    Ok(())
}

/// Sends a body with the webhook headers of a recorded request; the status.
async fn forward(url: &str, like: &Recorded, body: &[u8]) -> Result<u16> {
    let mut request = http_client()?.post(url).body(body.to_vec());
    for (name, value) in &like.headers {
        if name.starts_with("webhook-") {
            request = request.header(name, value);
        }
    }
    Ok(request.send().await?.status().as_u16())
}
