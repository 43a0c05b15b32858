//! Where the master key is: in the desktop's keychain when there is one, else in a file. The
//! keychain is a real Secret Service on a bus of its own, unlocked as a login would.

mod session;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, wait_for};
use calseta_tests::canary::{files, leaks};
use calseta_tests::recorder::Recorder;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use session::Session;

const CANARY: &str = "canary~keychain/4Vb8+Nm2Qw6Er";

/// How a backend is started that may use the desktop's keychain.
fn options(data: &TempDir, session: Option<&Session>) -> BackendOptions {
    let mut options = BackendOptions::new(data.path());
    let mut set = |name: &str, value: &str| {
        options
            .environment
            .push((name.to_owned(), value.to_owned()));
    };
    set("CALSETA_KEY_STORE", "auto");
    let nowhere = "unix:path=/nonexistent/bus";
    set(
        "DBUS_SESSION_BUS_ADDRESS",
        session.map_or(nowhere, |session| &session.address),
    );
    options
}

/// Registers an agent whose header is a secret; its recorder.
async fn agent(backend: &Backend) -> Result<Recorder> {
    let recorder = Recorder::start().await?;
    let request = json!({"name": "a", "webhook_url": recorder.url, "auth_header": CANARY});
    backend.post("/v1/agents", &request).await?;
    Ok(recorder)
}

async fn tell(backend: &Backend, key: &str, title: &str) -> Result<()> {
    let alert = json!({"title": title});
    let (status, body) = backend
        .call(key, Method::POST, "/v1/ingest/generic", Some(&alert))
        .await?;
    ensure!(status == 202, "{status} {body}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_keychain_the_key_is_there_and_in_no_file() -> Result<()> {
    let (data, home) = (TempDir::new()?, TempDir::new()?);
    let session = Session::start(home.path()).await?;
    let backend = Backend::start(&options(&data, Some(&session))).await?;
    let key = backend.admin().to_owned();
    let recorder = agent(&backend).await?;
    tell(&backend, &key, "before").await?;
    recorder.wait(1).await?;
    backend.terminate().await?;
    ensure!(
        !data.path().join("master.key").exists(),
        "there is no key file"
    );
    for path in files(data.path())? {
        let found = leaks(&std::fs::read(&path)?, &[("the header", CANARY.to_owned())]);
        ensure!(found.is_empty(), "{} holds it", path.display());
    }
    // A later start finds the key where it was put.
    let backend = Backend::start(&options(&data, Some(&session))).await?;
    tell(&backend, &key, "after").await?;
    let seen = recorder.wait(2).await?;
    ensure!(
        seen[1].header("authorization") == CANARY,
        "the secret still opens"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_keychain_does_not_open_the_secrets() -> Result<()> {
    let (data, home, other) = (TempDir::new()?, TempDir::new()?, TempDir::new()?);
    let session = Session::start(home.path()).await?;
    let backend = Backend::start(&options(&data, Some(&session))).await?;
    let key = backend.admin().to_owned();
    let recorder = agent(&backend).await?;
    backend.terminate().await?;
    drop(session);
    let session = Session::start(other.path()).await?;
    match Backend::start(&options(&data, Some(&session))).await {
        // Either it does not start without the key, or it starts and sends nothing in its name.
        Err(_) => {}
        Ok(backend) => {
            tell(&backend, &key, "without").await?;
            let attempt = wait_for("an attempt is over", || async {
                let path = "/v1/deliveries";
                let (_, body) = backend.call(&key, Method::GET, path, None).await?;
                let attempt = body["data"][0]["attempts"][0].clone();
                Ok(attempt["ended_at"].is_string().then_some(attempt))
            })
            .await?;
            ensure!(attempt["outcome"] != "ok", "{attempt}");
            ensure!(
                recorder.seen().is_empty(),
                "nothing was sent without its header"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_bus_the_key_is_in_a_file_for_its_owner_alone() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let data = TempDir::new()?;
    let backend = Backend::start(&options(&data, None)).await?;
    let recorder = agent(&backend).await?;
    tell(&backend, backend.admin(), "with a file").await?;
    ensure!(recorder.wait(1).await?[0].header("authorization") == CANARY);
    let file = data.path().join("master.key");
    let mode = std::fs::metadata(&file)
        .context("master.key")?
        .permissions()
        .mode();
    ensure!(mode & 0o777 == 0o600, "{mode:o}");
    Ok(())
}
