//! The example of an imported provider: two requests bring it, as its page says.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::recorder::{Recorder, Reply};
use calseta_tests::world::{World, repository_text};
use serde_json::{Value, json};

use crate::catalogue::ask;

fn example(name: &str) -> Result<Value> {
    let text = repository_text(&format!("assets/catalog/examples/{name}.json"));
    Ok(serde_json::from_str(&text)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_requests_bring_greynoise() -> Result<()> {
    let world = World::fresh().await?;
    let made = world
        .backend
        .post("/v1/enrichment-providers", &example("greynoise")?)
        .await?;
    ensure!(
        made["is_configured"] == false && made["is_builtin"] == false,
        "{made}"
    );
    let extractions = example("greynoise-extractions")?;
    let bulk = "/v1/enrichment-field-extractions/bulk";
    world.backend.post(bulk, &extractions).await?;
    let server = Recorder::answering(|request| {
        let answer = json!({
            "ip": "45.33.32.156", "noise": true, "riot": false, "classification": "malicious",
            "name": "unknown", "last_seen": "2026-01-01", "message": "Success",
        });
        if request.path == "/v3/community/45.33.32.156" && request.header("key") == "gn-key" {
            Reply::json(&answer)
        } else {
            Reply::status(404)
        }
    })
    .await?;
    let path = format!(
        "/v1/enrichment-providers/{}",
        made["uuid"].as_str().context("uuid")?
    );
    let patch = json!({"base_url": server.url, "auth_config": {"api_key": "gn-key"}});
    let set = world.backend.patch(&path, &patch).await?;
    ensure!(set["is_configured"] == true, "{set}");
    let found = ask(&world, "greynoise", ("ip", "45.33.32.156")).await?;
    ensure!(found["malice"] == "Malicious", "{found}");
    ensure!(found["extracted"]["is_noise"] == true, "{found}");
    ensure!(found["extracted"]["actor_name"] == "unknown", "{found}");
    let unknown = ask(&world, "greynoise", ("ip", "45.33.32.157")).await?;
    ensure!(
        unknown["success"] == true && unknown["malice"] == "Pending",
        "{unknown}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_name_twice_is_refused_and_deleting_takes_its_fields_along() -> Result<()> {
    let world = World::fresh().await?;
    let definition = example("greynoise")?;
    let made = world
        .backend
        .post("/v1/enrichment-providers", &definition)
        .await?;
    let bulk = "/v1/enrichment-field-extractions/bulk";
    world
        .backend
        .post(bulk, &example("greynoise-extractions")?)
        .await?;
    let admin = world.backend.admin();
    let call = async |method: reqwest::Method, path: &str, body: Option<&Value>| {
        world.backend.call(admin, method, path, body).await
    };
    let (status, body) = call(
        reqwest::Method::POST,
        "/v1/enrichment-providers",
        Some(&definition),
    )
    .await?;
    ensure!(
        status == 409 && body["error"]["code"] == "DUPLICATE_PROVIDER",
        "{status} {body}"
    );
    let list = "/v1/enrichment-field-extractions?provider_name=greynoise";
    let fields = world.backend.get(list).await?;
    ensure!(
        fields.as_array().is_some_and(|all| all.len() == 8),
        "{fields}"
    );
    let path = format!(
        "/v1/enrichment-providers/{}",
        made["uuid"].as_str().context("uuid")?
    );
    let (status, _) = call(reqwest::Method::DELETE, &path, None).await?;
    ensure!(status == 204, "{status}");
    let (status, body) = call(reqwest::Method::GET, list, None).await?;
    let gone = status == 422 || body["data"] == json!([]);
    ensure!(gone, "its fields went with it: {status} {body}");
    Ok(())
}
