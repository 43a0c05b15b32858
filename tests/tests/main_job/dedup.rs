//! Repetitions: counted while the alert is open, a new alert once it was closed.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use calseta_tests::backend::wait_for;
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Identical posts at once.
const AT_ONCE: usize = 20;

fn beacon() -> Value {
    json!({"title": "Beacon", "severity": "High", "src_ip": "198.51.100.7"})
}

#[tokio::test]
async fn a_repetition_is_counted_and_not_delivered_again() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let first = world.ingest("generic", &beacon()).await?;
    assert_eq!(first["status"], "queued");
    assert_eq!(first["is_duplicate"], false);
    agent.recorder.wait(1).await?;
    for count in 1..=2 {
        let again = world.ingest("generic", &beacon()).await?;
        assert_eq!(again["status"], "deduplicated");
        assert_eq!(again["is_duplicate"], true);
        assert_eq!(again["alert_uuid"], first["alert_uuid"]);
        assert_eq!(again["duplicate_count"], json!(count));
    }
    // A later alert arrives: whatever the repetitions had caused would have come before it.
    world
        .ingest("generic", &json!({"title": "Another alert"}))
        .await?;
    let seen = agent.recorder.wait(2).await?;
    let titles: Vec<Value> = seen
        .iter()
        .map(|one| one.json()["alert"]["title"].take())
        .collect();
    assert_eq!(titles, ["Beacon", "Another alert"], "agents are told once");
    assert_eq!(world.deliveries(&agent.uuid).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_closed_alert_does_not_swallow_its_recurrence() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let first = world.alert(&beacon()).await?;
    agent.recorder.wait(1).await?;
    let closed = json!({"status": "Closed", "close_classification": "Undetermined"});
    assert_eq!(world.patch_alert(&first, &closed).await?.0, 200);
    let second = world.alert(&beacon()).await?;
    assert_ne!(
        second, first,
        "it happens again: somebody has to look again"
    );
    let shown = world.backend.get(&format!("/v1/alerts/{second}")).await?;
    assert_eq!(shown["duplicate_of"], json!(first), "linked to the old one");
    assert_eq!(shown["status"], "Open");
    let seen = agent.recorder.wait(2).await?;
    assert_eq!(seen[1].json()["alert"]["uuid"], json!(second));
    Ok(())
}

#[tokio::test]
async fn identical_posts_at_once_make_exactly_one_alert() -> Result<()> {
    let world = World::fresh().await?;
    let url = format!("{}/v1/ingest/generic", world.backend.base_url);
    let client = calseta_tests::backend::http_client()?;
    let mut posts = JoinSet::new();
    for _ in 0..AT_ONCE {
        let request = client
            .post(&url)
            .bearer_auth(world.backend.admin())
            .header("content-type", "application/json")
            .body(beacon().to_string());
        posts.spawn(async move { request.send().await?.text().await });
    }
    let mut queued = 0;
    let mut uuids = BTreeSet::new();
    while let Some(answer) = posts.join_next().await {
        let answer: Value = serde_json::from_str(&answer??)?;
        let view = &answer["data"];
        queued += usize::from(view["status"] == "queued");
        uuids.insert(view["alert_uuid"].as_str().context("a uuid")?.to_owned());
    }
    assert_eq!(queued, 1, "the check is part of the insert's transaction");
    assert_eq!(uuids.len(), 1, "all were told the same alert");
    let list = world.backend.get("/v1/alerts").await?;
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(list[0]["duplicate_count"], json!(AT_ONCE - 1));
    Ok(())
}

#[tokio::test]
async fn a_worse_repetition_raises_the_alert_and_tells_the_agents_that_now_match() -> Result<()> {
    let world = World::fresh().await?;
    let critical = world.agent(&json!({"min_severity": "Critical"})).await?;
    let uuid = world.alert(&beacon()).await?;
    world.settled(&uuid).await?;
    let mut worse = beacon();
    worse["severity"] = json!("Critical");
    let view = world.ingest("generic", &worse).await?;
    assert_eq!(view["status"], "deduplicated");
    let seen = critical.recorder.wait(1).await?;
    assert_eq!(seen[0].json()["alert"]["severity"], "Critical");
    assert_eq!(seen[0].json()["alert"]["uuid"], json!(uuid));
    let deliveries = wait_for("the delivery is recorded", || async {
        let all = world.deliveries(&critical.uuid).await?;
        Ok((!all.is_empty()).then_some(all))
    })
    .await?;
    assert_eq!(
        deliveries[0]["generation"],
        json!(2),
        "newer facts, a new generation"
    );
    Ok(())
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_first_answer_again() -> Result<()> {
    let world = World::fresh().await?;
    let admin = world.backend.admin();
    let headers = [("idempotency-key", "post-1")];
    let post = (Method::POST, "/v1/ingest/generic");
    let body = beacon().to_string();
    let first = world
        .raw(admin, post.clone(), &headers, body.as_bytes())
        .await?;
    assert_eq!(first.status, 202);
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = world
        .raw(admin, post.clone(), &headers, body.as_bytes())
        .await?;
    assert_eq!(again.status, 202);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(
        again.json()["data"],
        first.json()["data"],
        "a retry is no repetition"
    );
    let other = world
        .raw(admin, post, &headers, br#"{"title":"Other"}"#)
        .await?;
    assert_eq!(other.status, 409, "one key, one request");
    assert_eq!(other.json()["error"]["code"], "IDEMPOTENCY_CONFLICT");
    Ok(())
}
