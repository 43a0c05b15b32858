//! Secrets: in no file, no log, no answer and no webhook; only in the header they are for.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::wait_for;
use calseta_tests::canary::{files, leaks};
use calseta_tests::raw;
use calseta_tests::recorder::{Recorder, Reply};
use serde_json::{Value, json};

use crate::routes::{NOBODY, ROUTES};
use crate::world::{Setup, World};

/// Where the agent's header and the provider's key are recognised by.
const AGENT_CANARY: &str = "canary~agent/7Q9+zW4xKp2LmN8vRt5YbHj3";
const PROVIDER_CANARY: &str = "canary~provider/5Xc8Vb1Nm4Qw7Er+Ty2UiOp6";
const CHANGED_CANARY: &str = "canary~changed/3Lk6Jh9Gf2Ds5Ap+8Mn1BvCx4";

/// A world in which every secret has been used for what it is for.
async fn used(world: &World) -> Result<(Recorder, Recorder, Vec<(&'static str, String)>)> {
    let agent = Recorder::start().await?;
    let provider = Recorder::answering(|_| Reply::json(&json!({"data": {"isp": "x"}}))).await?;
    let request = json!({"name": "keeper", "webhook_url": agent.url, "auth_header": AGENT_CANARY});
    let made = world.backend.post("/v1/agents", &request).await?;
    let signing = made["signing_secret"]
        .as_str()
        .context("signing_secret")?
        .to_owned();
    let providers = world.backend.get("/v1/enrichment-providers").await?;
    let all = providers.as_array().context("a list")?;
    let abuse = all
        .iter()
        .find(|one| one["provider_name"] == "abuseipdb")
        .context("abuseipdb")?;
    let path = format!(
        "/v1/enrichment-providers/{}",
        abuse["uuid"].as_str().context("uuid")?
    );
    for key in [CHANGED_CANARY, PROVIDER_CANARY] {
        let patch =
            json!({"is_active": true, "base_url": provider.url, "auth_config": {"api_key": key}});
        world.backend.patch(&path, &patch).await?;
    }
    let scopes = json!({"name": "key", "scopes": ["alerts:read", "alerts:write"]});
    let (key, _) = world.key(&scopes).await?;
    let payload = json!({"title": "kept in the store", "severity": "High", "src_ip": "8.8.8.8"});
    let alert = world
        .backend
        .post_as(&key, "/v1/ingest/generic", &payload)
        .await?;
    agent.wait(1).await?;
    let uuid = alert["alert_uuid"].as_str().context("alert_uuid")?;
    let finding = json!({"summary": "seen"});
    world
        .backend
        .post_as(&key, &format!("/v1/alerts/{uuid}/findings"), &finding)
        .await?;
    let secrets = vec![
        ("the agent's header", AGENT_CANARY.to_owned()),
        ("the provider's key", PROVIDER_CANARY.to_owned()),
        ("the provider's key before", CHANGED_CANARY.to_owned()),
        (
            "the signing secret",
            signing.trim_start_matches("whsec_").to_owned(),
        ),
        ("an API key", key),
        ("the admin key", world.backend.admin().to_owned()),
    ];
    Ok((agent, provider, secrets))
}

/// Every GET route on every object there is.
pub(crate) async fn answers(world: &World) -> Result<Vec<(String, Vec<u8>)>> {
    let (to, key) = (world.backend.address(), world.backend.admin());
    let get = async |path: String| -> Result<(String, Vec<u8>)> {
        let answer = raw::send(to, &raw::request("GET", &path, &raw::usual(to, key), &[])).await?;
        Ok((path, answer.body))
    };
    let mut all = Vec::new();
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        let noun = route.path.split("/{uuid}").next().unwrap_or_default();
        let mut ids = vec![NOBODY.to_owned()];
        if noun != route.path {
            let listed: Value = serde_json::from_slice(&get(noun.to_owned()).await?.1)?;
            let rows = listed["data"].as_array().cloned().unwrap_or_default();
            ids.extend(
                rows.iter()
                    .filter_map(|row| row["uuid"].as_str().map(str::to_owned)),
            );
        }
        for id in ids {
            all.push(get(route.at(&id)).await?);
        }
    }
    all.push(get("/v1/events?after=0".to_owned()).await?);
    Ok(all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_nowhere_but_in_the_header_they_are_for() -> Result<()> {
    let world = World::with(Setup {
        log_level: "trace",
        ..Setup::default()
    })
    .await?;
    let (agent, provider, secrets) = used(&world).await?;
    // The controls: each was really in use.
    let delivered = agent.seen();
    ensure!(
        delivered[0].header("authorization") == AGENT_CANARY,
        "the agent's header is sent"
    );
    let asked = provider.wait(1).await?;
    ensure!(
        asked[0].header("key") == PROVIDER_CANARY,
        "the provider's key is sent"
    );
    for webhook in &delivered {
        let found = leaks(&webhook.body, &secrets);
        ensure!(found.is_empty(), "a webhook's body holds {found:?}");
    }
    let answers = answers(&world).await?;
    ensure!(
        answers.len() > 25,
        "only {} answers were read",
        answers.len()
    );
    for (path, body) in &answers {
        let found = leaks(body, &secrets);
        ensure!(found.is_empty(), "GET {path} holds {found:?}");
    }
    let dir = world.data_dir();
    let (mut read, mut stored) = (Vec::new(), false);
    for path in files(&dir)? {
        let bytes = std::fs::read(&path)?;
        let found = leaks(&bytes, &secrets);
        ensure!(found.is_empty(), "{} holds {found:?}", path.display());
        stored |= String::from_utf8_lossy(&bytes).contains("kept in the store");
        read.push(
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        );
    }
    for name in [
        "calseta.db",
        "calseta.db-wal",
        "calseta.db-shm",
        "runtime.json",
        "master.key",
    ] {
        ensure!(
            read.iter().any(|one| one == name),
            "{name} is missing: {read:?}"
        );
    }
    ensure!(
        stored,
        "what is stored was not found where secrets were looked for"
    );
    let log = world.log()?;
    ensure!(
        log.contains("TRACE") && log.len() > 1000,
        "the log is not at its loudest"
    );
    let found = leaks(log.as_bytes(), &secrets);
    ensure!(found.is_empty(), "the log holds {found:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_for_their_owner_alone_whatever_the_umask() -> Result<()> {
    let world = World::start().await?;
    let alert = world.alert("so that there is a write-ahead log").await?;
    world.settled(&alert).await?;
    let mode =
        |path: &Path| -> Result<u32> { Ok(std::fs::metadata(path)?.permissions().mode() & 0o777) };
    let dir = world.data_dir();
    ensure!(
        mode(&dir)? == 0o700,
        "the data directory is {:o}",
        mode(&dir)?
    );
    let all = files(&dir)?;
    ensure!(all.len() >= 5, "{all:?}");
    for path in all {
        ensure!(
            mode(&path)? == 0o600,
            "{} is {:o}",
            path.display(),
            mode(&path)?
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_start_of_a_session_is_not_logged_with_its_token() -> Result<()> {
    let world = World::with(Setup {
        log_level: "trace",
        ..Setup::default()
    })
    .await?;
    let guess = "once_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let wrong_key = format!("cai_{}", "Zq9".repeat(14) + "Z");
    let (status, _) = world
        .backend
        .call(
            &wrong_key,
            reqwest::Method::POST,
            "/ui/session",
            Some(&json!({"token": guess})),
        )
        .await?;
    ensure!(status == 401, "{status}");
    let (status, _) = world
        .backend
        .call(&wrong_key, reqwest::Method::GET, "/v1/alerts", None)
        .await?;
    ensure!(status == 401, "{status}");
    wait_for("the requests are logged", || async {
        Ok(world.log()?.contains("/ui/session").then_some(()))
    })
    .await?;
    let secrets = [("the token", guess.to_owned()), ("the key", wrong_key)];
    let found = leaks(world.log()?.as_bytes(), &secrets);
    ensure!(found.is_empty(), "the log holds {found:?}");
    Ok(())
}
