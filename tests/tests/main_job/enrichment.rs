//! Enrichment through the real guard against servers that play VirusTotal and AbuseIPDB.

use std::path::Path;

use anyhow::{Context as _, Result};
use calseta_tests::backend::{Backend, BackendOptions};
use calseta_tests::recorder::{Recorded, Recorder, Reply};
use calseta_tests::world::{AGENT_SCOPES, World, refused};
use reqwest::Method;
use serde_json::{Value, json};

/// The address of the contract page.
pub(crate) const PUBLIC_IP: &str = "185.220.101.47";
const API_KEY: &str = "vt-secret-9d3f1c7a5b";

/// The two providers' stand-ins.
pub(crate) struct Stubs {
    pub(crate) virustotal: Recorder,
    pub(crate) abuseipdb: Recorder,
}

impl Stubs {
    /// Both know the page's address as malicious and nothing else.
    pub(crate) async fn start() -> Result<Self> {
        Self::answering(virustotal, abuseipdb).await
    }

    pub(crate) async fn answering(
        virustotal: impl Fn(&Recorded) -> Reply + Send + Sync + 'static,
        abuseipdb: impl Fn(&Recorded) -> Reply + Send + Sync + 'static,
    ) -> Result<Self> {
        Ok(Self {
            virustotal: Recorder::answering(virustotal).await?,
            abuseipdb: Recorder::answering(abuseipdb).await?,
        })
    }

    /// Gives both providers a key and the stand-in's address.
    pub(crate) async fn configure(&self, world: &World, api_key: &str) -> Result<()> {
        for (name, stub) in [
            ("virustotal", &self.virustotal),
            ("abuseipdb", &self.abuseipdb),
        ] {
            let set = configure(&world.backend, name, &stub.url, api_key).await?;
            assert_eq!(set["grant"], "granted", "the human who sets it allows it");
            assert_eq!(set["is_configured"], true, "{set}");
        }
        Ok(())
    }
}

/// A provider's record.
pub(crate) async fn provider(backend: &Backend, name: &str) -> Result<Value> {
    let all = backend.get("/v1/enrichment-providers").await?;
    let mut all = all.as_array().cloned().unwrap_or_default().into_iter();
    all.find(|one| one["provider_name"] == name)
        .with_context(|| format!("the catalogue has {name}"))
}

pub(crate) async fn configure(
    backend: &Backend,
    name: &str,
    url: &str,
    api_key: &str,
) -> Result<Value> {
    let uuid = provider(backend, name).await?["uuid"].take();
    let path = format!(
        "/v1/enrichment-providers/{}",
        uuid.as_str().context("uuid")?
    );
    let patch = json!({"base_url": url, "auth_config": {"api_key": api_key}});
    backend.patch(&path, &patch).await
}

/// What VirusTotal says of an address that many engines flag.
pub(crate) fn virustotal_says(malicious: u32) -> Reply {
    Reply::json(&json!({"data": {"attributes": {
        "last_analysis_stats": {"malicious": malicious, "suspicious": 1, "harmless": 60},
        "country": "DE", "as_owner": "Zwiebelfreunde e.V.", "asn": 205_100, "reputation": -20,
    }}}))
}

pub(crate) fn virustotal(request: &Recorded) -> Reply {
    if request.path.ends_with(PUBLIC_IP) {
        virustotal_says(14)
    } else {
        Reply::status(404)
    }
}

pub(crate) fn abuseipdb_says(score: u32) -> Reply {
    Reply::json(&json!({"data": {"abuseConfidenceScore": score, "totalReports": 12}}))
}

pub(crate) fn abuseipdb(request: &Recorded) -> Reply {
    abuseipdb_says(if request.path.contains(PUBLIC_IP) {
        97
    } else {
        0
    })
}

/// An alert of two addresses, one of them private.
fn alert(title: &str) -> Value {
    json!({
        "title": title, "severity": "High",
        "src_ip": "10.0.0.17", "destination_ip": PUBLIC_IP,
    })
}

fn indicator<'a>(object: &'a Value, value: &str) -> &'a Value {
    let all = object["indicators"].as_array().expect("a list");
    let found = all.iter().find(|one| one["value"] == value);
    found.unwrap_or_else(|| panic!("no indicator {value} in {object:#}"))
}

#[tokio::test]
async fn providers_are_asked_with_their_key_and_the_worst_verdict_wins() -> Result<()> {
    let world = World::fresh().await?;
    let stubs = Stubs::answering(|_| virustotal_says(0), abuseipdb).await?;
    stubs.configure(&world, API_KEY).await?;
    let agent = world.agent(&json!({})).await?;
    let uuid = world.alert(&alert("Two providers disagree")).await?;
    let payload = agent.recorder.wait(1).await?.remove(0).json();

    let asked = stubs.virustotal.seen();
    assert_eq!(asked.len(), 1, "the private address is nobody's business");
    assert_eq!(asked[0].path, format!("/api/v3/ip_addresses/{PUBLIC_IP}"));
    assert_eq!(asked[0].header("x-apikey"), API_KEY);
    let asked = stubs.abuseipdb.seen();
    assert_eq!(asked.len(), 1, "the private address is nobody's business");
    assert!(
        asked[0].path.starts_with("/api/v2/check?"),
        "{}",
        asked[0].path
    );
    assert!(asked[0].path.contains(&format!("ipAddress={PUBLIC_IP}")));
    assert_eq!(asked[0].header("key"), API_KEY);

    let ip = indicator(&payload, PUBLIC_IP);
    assert_eq!(
        ip["malice"], "Malicious",
        "97 % abuse outweighs a clean scan"
    );
    let private = indicator(&payload, "10.0.0.17");
    assert_eq!(private["malice"], "Pending");
    assert_eq!(
        private["enrichment_results"],
        json!({}),
        "skipped is absent"
    );
    let shown = world.settled(&uuid).await?;
    assert_eq!(shown["malice"], "Malicious");
    assert_eq!(shown["enrichment_status"], "Enriched");
    let results = &indicator(&shown, PUBLIC_IP)["enrichment_results"];
    assert_eq!(results["virustotal"]["malice"], "Suspicious");
    assert_eq!(results["abuseipdb"]["malice"], "Malicious");
    assert!(
        results["virustotal"]["extracted"].get("malice").is_none(),
        "extracted fields are the provider's, the verdict stands beside them"
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_is_kept_for_the_next_alert_also_after_a_restart() -> Result<()> {
    let world = World::fresh().await?;
    let stubs = Stubs::start().await?;
    stubs.configure(&world, API_KEY).await?;
    let first = world.alert(&alert("First sighting")).await?;
    assert_eq!(world.settled(&first).await?["malice"], "Malicious");
    let second = world.alert(&alert("Second sighting")).await?;
    assert_eq!(
        world.settled(&second).await?["malice"],
        "Malicious",
        "the kept answer counts for the new alert"
    );
    assert_eq!(stubs.virustotal.seen().len(), 1, "quota is money");

    let World { backend, dir } = world;
    let admin = backend.admin().to_owned();
    backend.terminate().await?;
    let again = Backend::start(&BackendOptions::new(dir.path())).await?;
    let path = "/v1/ingest/generic";
    let third = again
        .post_as(&admin, path, &alert("Third sighting"))
        .await?;
    let path = format!(
        "/v1/alerts/{}",
        third["alert_uuid"].as_str().context("uuid")?
    );
    let shown = calseta_tests::backend::wait_for("the third alert is enriched", || async {
        let (_, body) = again.call(&admin, Method::GET, &path, None).await?;
        Ok((body["data"]["is_enriched"] == json!(true)).then(|| body["data"].clone()))
    })
    .await?;
    assert_eq!(shown["malice"], "Malicious");
    assert_eq!(stubs.virustotal.seen().len(), 1, "the cache is on the disk");
    assert_eq!(stubs.abuseipdb.seen().len(), 1, "the cache is on the disk");
    Ok(())
}

/// Whether any file of a directory has these bytes.
fn stands_in_files(dir: &Path, needle: &str) -> Result<bool> {
    let needle = needle.as_bytes();
    for entry in std::fs::read_dir(dir)? {
        let bytes = std::fs::read(entry?.path())?;
        if bytes.windows(needle.len()).any(|window| window == needle) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test]
async fn a_provider_s_key_is_in_no_answer_and_in_no_file() -> Result<()> {
    let world = World::fresh().await?;
    let stubs = Stubs::start().await?;
    stubs.configure(&world, API_KEY).await?;
    let uuid = world.alert(&alert("A title to be found")).await?;
    world.settled(&uuid).await?;
    let id = provider(&world.backend, "virustotal").await?["uuid"].take();
    let one = format!("/v1/enrichment-providers/{}", id.as_str().context("uuid")?);
    let alert = format!("/v1/alerts/{uuid}");
    let activity = format!("/v1/alerts/{uuid}/activity");
    for path in [
        "/v1/enrichment-providers",
        &one,
        &alert,
        &activity,
        "/v1/events?after=0",
        "/v1/egress/grants",
    ] {
        let answer = world.backend.get(path).await?.to_string();
        assert!(!answer.contains(API_KEY), "{path} answers a secret");
    }
    let dir = world.dir.path();
    assert!(
        stands_in_files(dir, "A title to be found")?,
        "the search must find what does stand there"
    );
    assert!(
        !stands_in_files(dir, API_KEY)?,
        "sealed in file and WAL alike"
    );
    assert!(
        !stands_in_files(dir, world.backend.admin())?,
        "an API key is stored as its hash"
    );
    Ok(())
}

#[tokio::test]
async fn only_a_human_admin_key_changes_a_provider() -> Result<()> {
    let world = World::fresh().await?;
    let id = provider(&world.backend, "virustotal").await?["uuid"].take();
    let path = format!("/v1/enrichment-providers/{}", id.as_str().context("uuid")?);
    let patch = json!({"auth_config": {"api_key": "x"}, "base_url": "http://127.0.0.1:9"});
    let key = world.agent_key("agent", None).await?;
    let answer = world
        .backend
        .call(&key, Method::PATCH, &path, Some(&patch))
        .await?;
    let details = refused(&answer, (403, "FORBIDDEN"));
    assert_eq!(details["required_scopes"], json!(["admin"]));

    // Also with the scope: an agent must not be able to redirect where indicators are sent.
    let mut scopes = AGENT_SCOPES.to_vec();
    scopes.push("admin");
    let request = json!({"name": "agent admin", "key_type": "agent", "scopes": scopes});
    let admin = world.backend.admin();
    let (status, made) = world
        .backend
        .call(admin, Method::POST, "/v1/api-keys", Some(&request))
        .await?;
    if status == 201 {
        let key = made["data"]["key"].as_str().context("a key")?;
        let answer = world
            .backend
            .call(key, Method::PATCH, &path, Some(&patch))
            .await?;
        refused(&answer, (403, "HUMAN_KEY_REQUIRED"));
    } else {
        assert_eq!(
            status, 422,
            "an agent key with admin is refused at birth: {made}"
        );
    }
    let after = provider(&world.backend, "virustotal").await?;
    assert_eq!(after["key_state"], "missing", "nothing was changed");
    Ok(())
}

#[tokio::test]
async fn demo_answers_say_so_in_the_api_and_in_the_payload() -> Result<()> {
    let world = World::with(&["--demo"]).await?;
    let agent = world.agent(&json!({})).await?;
    let uuid = world.alert(&alert("Demo")).await?;
    let payload = agent.recorder.wait(1).await?.remove(0).json();
    let shown = world.settled(&uuid).await?;
    for object in [&payload, &shown] {
        let results = &indicator(object, PUBLIC_IP)["enrichment_results"];
        for name in ["virustotal", "abuseipdb"] {
            let result = &results[name];
            assert_eq!(result["success"], true, "{result}");
            assert_eq!(
                result["demo"], true,
                "canned data must never pass for real: {result}"
            );
        }
    }
    let mode = provider(&world.backend, "virustotal").await?["mode"].take();
    assert_eq!(mode, "mock", "the provider's record says it too");
    Ok(())
}
