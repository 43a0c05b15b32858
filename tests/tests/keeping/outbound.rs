//! What left the machine is written down, and the settings that bound it are obeyed at once.

use anyhow::{Result, ensure};
use calseta_tests::backend::wait_for;
use calseta_tests::raw;
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

async fn noted(world: &World, query: &str) -> Result<Vec<Value>> {
    let rows = world.backend.get(&format!("/v1/egress{query}")).await?;
    Ok(rows.as_array().cloned().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_delivery_is_in_the_log_of_outgoing_requests_which_agents_may_not_read() -> Result<()>
{
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    world.alert(&json!({"title": "for the agent"})).await?;
    agent.recorder.wait(1).await?;
    let row = wait_for("the delivery is noted", || async {
        Ok(noted(&world, "?for=agent&allowed=true").await?.pop())
    })
    .await?;
    ensure!(
        row["outcome"] == "answered" && row["status_code"] == 200,
        "{row}"
    );
    ensure!(
        row["class"] == "loopback" && row["host"] == "127.0.0.1",
        "{row}"
    );
    ensure!(
        row.get("path").is_none() && row.get("url").is_none(),
        "{row}"
    );
    ensure!(noted(&world, "?allowed=false").await?.is_empty());
    let key = json!({"name": "a", "key_type": "agent", "scopes": ["admin"]});
    let key = world.backend.post("/v1/api-keys", &key).await?;
    let (status, body) = world
        .backend
        .call(
            key["key"].as_str().unwrap_or(""),
            Method::GET,
            "/v1/egress",
            None,
        )
        .await?;
    ensure!(
        status == 403 && body["error"]["code"] == "HUMAN_KEY_REQUIRED",
        "{body}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_an_air_gap_providers_are_not_asked_and_agents_here_still_are() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let on = json!({"network": {"air_gapped": true}});
    world.backend.patch("/v1/settings", &on).await?;
    let provider = json!({
        "provider_name": "far", "display_name": "Far", "supported_indicator_types": ["ip"],
        "http_config": {"steps": [{"name": "get", "method": "GET",
            "url": "https://provider.example.com/{{indicator.value}}"}]},
        "malice_rules": {}, "is_active": true,
    });
    let made = world
        .backend
        .post("/v1/enrichment-providers", &provider)
        .await?;
    ensure!(made["uuid"].is_string(), "{made}");
    let uuid = world
        .alert(&json!({"title": "T", "destination_ip": "185.220.101.34"}))
        .await?;
    world.settled(&uuid).await?;
    agent.recorder.wait(1).await?;
    let refused = wait_for("the refusal is noted", || async {
        Ok(noted(&world, "?for=provider").await?.pop())
    })
    .await?;
    ensure!(
        refused["allowed"] == false && refused["outcome"] == "air_gapped",
        "{refused}"
    );
    ensure!(refused["host"] == "provider.example.com", "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_name_is_answered_to_once_a_human_has_added_it() -> Result<()> {
    let world = World::fresh().await?;
    let to = world.backend.address();
    let ask = async |host: &str, origin: Option<&str>| {
        let mut headers = vec![
            format!("Host: {host}"),
            format!("Authorization: Bearer {}", world.backend.admin()),
        ];
        headers.extend(origin.map(|origin| format!("Origin: {origin}")));
        let request = raw::request("GET", "/v1/settings", &headers, b"");
        anyhow::Ok(raw::send(to, &request).await?.status)
    };
    let name = format!("host.docker.internal:{}", to.port());
    ensure!(ask(&name, None).await? == 403, "the control");
    let add = json!({"network": {"extra_hosts": "host.docker.internal"}});
    world.backend.patch("/v1/settings", &add).await?;
    wait_for("the name is admitted", || async {
        Ok((ask(&name, None).await? == 200).then_some(()))
    })
    .await?;
    ensure!(
        ask("host.docker.internal:1", None).await? == 403,
        "another port"
    );
    ensure!(
        ask(&format!("x.{name}"), None).await? == 403,
        "another name"
    );
    let origin = format!("http://{name}");
    ensure!(
        ask(&name, Some(&origin)).await? == 403,
        "a page of that name"
    );
    for bad in ["10.0.0.1", "localhost", "a b"] {
        let patch = json!({"network": {"extra_hosts": bad}});
        let (status, _) = world
            .backend
            .call(
                world.backend.admin(),
                Method::PATCH,
                "/v1/settings",
                Some(&patch),
            )
            .await?;
        ensure!(status == 422, "{bad}: {status}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_is_granted_as_a_part_of_the_local_one_and_nothing_else() -> Result<()> {
    let world = World::fresh().await?;
    let grant = |host: &str| json!({"scheme": "http", "host": host, "port": 9000, "for": "agent"});
    let made = world
        .backend
        .post("/v1/egress/grants", &grant("10.1.0.0/16"))
        .await?;
    ensure!(
        made["host"] == "10.1.0.0/16" && made["class"] == "private",
        "{made}"
    );
    for bad in [
        "0.0.0.0/0",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "10.1.2.3/16",
        "10.0.0.0/99",
    ] {
        let (status, body) = world
            .backend
            .call(
                world.backend.admin(),
                Method::POST,
                "/v1/egress/grants",
                Some(&grant(bad)),
            )
            .await?;
        ensure!(status == 422, "{bad}: {body}");
    }
    // A URL inside it needs no further word.
    let agent = json!({"name": "lan", "webhook_url": "http://10.1.2.3:9000/hook"});
    let outside = json!({"name": "lan", "webhook_url": "http://10.2.2.3:9000/hook"});
    let admin = world.backend.admin();
    let (status, body) = world
        .backend
        .call(admin, Method::POST, "/v1/agents", Some(&agent))
        .await?;
    ensure!(
        status == 201 && body["data"]["grant"] == "granted",
        "{body}"
    );
    let (status, body) = world
        .backend
        .call(admin, Method::POST, "/v1/agents", Some(&outside))
        .await?;
    ensure!(status == 422, "the control: {body}");
    Ok(())
}
