//! Sources of one's own on the generic plugin: a field map and mappings, no code. The samples are
//! what Wazuh, `CrowdStrike` and Suricata send.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::world::{World, refused, repository_text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::samples::{compare, samples};

/// Fewer would leave out a shape.
const MIN_A_SOURCE: usize = 2;

fn asset(source: &str, name: &str) -> Result<Value> {
    let text = repository_text(&format!("assets/samples/{source}/{name}.json"));
    Ok(serde_json::from_str(&text)?)
}

/// A world that has the source with its field map and its mappings.
async fn with(source: &str) -> Result<World> {
    let world = World::fresh().await?;
    let request = json!({
        "source_name": source, "display_name": source, "field_map": asset(source, "field_map")?,
    });
    let made = world.backend.post("/v1/sources", &request).await?;
    ensure!(made["plugin"] == "generic", "{made}");
    for mapping in asset(source, "mappings")?.as_array().context("a list")? {
        world
            .backend
            .post("/v1/indicator-mappings", mapping)
            .await?;
    }
    Ok(world)
}

async fn check(source: &str) -> Result<()> {
    let world = with(source).await?;
    let all = samples(source);
    ensure!(
        all.len() >= MIN_A_SOURCE,
        "{source} has {} samples",
        all.len()
    );
    for sample in all {
        let path = format!("/v1/ingest/{source}");
        let admin = world.backend.admin();
        let answer = world
            .raw(admin, (Method::POST, &path), &[], sample.text.as_bytes())
            .await?;
        ensure!(answer.status == 202, "{}: {}", sample.name, answer.json());
        let view = answer.json()["data"].take();
        let uuid = view["alert_uuid"].as_str().context("alert_uuid")?;
        let shown = world.settled(uuid).await?;
        compare(&sample.name, &sample.expected, &shown);
        for (expected, field) in [("description", "description"), ("url", "source_url")] {
            if !sample.expected[expected].is_null() {
                let name = &sample.name;
                assert_eq!(shown[field], sample.expected[expected], "{name}: {field}");
            }
        }
        ensure!(shown["source_name"] == source, "{shown}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wazuh_is_read_through_a_field_map() -> Result<()> {
    check("wazuh").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crowdstrike_is_read_through_a_field_map() -> Result<()> {
    check("crowdstrike").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suricata_is_read_through_a_field_map() -> Result<()> {
    check("suricata").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_title_that_the_map_names_a_payload_is_refused_and_kept() -> Result<()> {
    let world = with("suricata").await?;
    let admin = world.backend.admin();
    let payload = json!({"alert": {"severity": 1}, "title": "not where the map looks"});
    let answer = world
        .backend
        .call(admin, Method::POST, "/v1/ingest/suricata", Some(&payload))
        .await?;
    refused(&answer, (422, "INVALID_PAYLOAD"));
    let message = answer.1["error"]["message"].as_str().unwrap_or_default();
    ensure!(
        message.contains("alert.signature"),
        "it names the path: {message}"
    );
    let sources = world.backend.get("/v1/sources").await?;
    let mut sources = sources.as_array().context("a list")?.iter();
    let source = sources.find(|one| one["source_name"] == "suricata");
    let uuid = source
        .and_then(|one| one["uuid"].as_str())
        .context("the source")?;
    let path = format!("/v1/sources/{uuid}/rejects");
    let rejects = world.backend.get(&path).await?;
    ensure!(
        rejects.as_array().is_some_and(|all| all.len() == 1),
        "{rejects}"
    );
    // The map is mended, and what was refused comes in.
    let patch = json!({"field_map": {"title": "title"}});
    world
        .backend
        .patch(&format!("/v1/sources/{uuid}"), &patch)
        .await?;
    let reject = rejects[0]["uuid"].as_str().context("uuid")?;
    let replay = format!("{path}/{reject}/replay");
    let (status, body) = world
        .backend
        .call(admin, Method::POST, &replay, None)
        .await?;
    ensure!((200..300).contains(&status), "{status} {body}");
    let alerts = world.backend.get("/v1/alerts?source_name=suricata").await?;
    ensure!(alerts[0]["title"] == "not where the map looks", "{alerts}");
    Ok(())
}
