//! Removing for good, over the API.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::wait_for;
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_alerts_go_when_their_number_is_typed() -> Result<()> {
    let world = World::fresh().await?;
    for n in 0..7 {
        world.alert(&json!({"title": format!("alert {n}")})).await?;
    }
    let (admin, path) = (world.backend.admin(), "/v1/alerts/delete-all");
    let ask = async |confirm: &str| {
        let body = json!({"confirm": confirm});
        world
            .backend
            .call(admin, Method::POST, path, Some(&body))
            .await
    };
    let (status, body) = ask("delete 8 alerts").await?;
    ensure!(status == 422, "{body}");
    let said = body["error"]["message"].as_str().context("a message")?;
    ensure!(said.contains("delete 7 alerts"), "{said}");
    let (status, body) = ask("delete 7 alerts").await?;
    ensure!(status == 202 && body["data"]["alerts"] == 7, "{body}");
    wait_for("they are gone", || async {
        let state = world.backend.get("/v1/retention").await?;
        let alerts = world.backend.get("/v1/alerts").await?;
        let gone = state["deleting_all"].is_null() && alerts == json!([]);
        Ok(gone.then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purged_alert_is_not_found_by_anything_that_looks_for_it() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let uuid = world
        .alert(&json!({"title": "zebrafish credentials", "src_ip": "203.0.113.99"}))
        .await?;
    agent.recorder.wait(1).await?;
    wait_for("it is indexed", || async {
        let found = world.backend.get("/v1/alerts?q=zebrafish").await?;
        Ok((found != json!([])).then_some(()))
    })
    .await?;
    let path = format!("/v1/alerts/{uuid}/purge");
    let purged = world
        .backend
        .post(&path, &json!({"reason": "held a password"}))
        .await?;
    ensure!(
        purged["deliveries"] == 1 && purged["indicators"] == 1,
        "{purged}"
    );
    let (admin, one) = (world.backend.admin(), format!("/v1/alerts/{uuid}"));
    let (status, _) = world.backend.call(admin, Method::GET, &one, None).await?;
    ensure!(status == 404);
    for empty in [
        "/v1/alerts?q=zebrafish".to_owned(),
        "/v1/indicators".to_owned(),
        format!("/v1/agents/{}/deliveries", agent.uuid),
    ] {
        let found = world.backend.get(&empty).await?;
        ensure!(found == json!([]), "{empty}: {found}");
    }
    let activity = world
        .backend
        .get(&format!("/v1/activity?alert_uuid={uuid}"))
        .await?;
    let rows = activity.as_array().context("a list")?;
    ensure!(rows.len() > 1, "that it was there stays: {activity}");
    ensure!(!activity.to_string().contains("zebrafish"), "{activity}");
    ensure!(
        activity.to_string().contains("held a password"),
        "{activity}"
    );
    Ok(())
}
