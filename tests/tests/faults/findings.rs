//! Crowds: findings posted at once are all kept, each under its key.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::http_client;
use calseta_tests::goals;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::agent::Agent;
use crate::world::{World, text};

/// Findings posted at once.
const CROWD: usize = 50;

/// Posts one finding a key, all released at the same moment.
async fn post_at_once(world: &World, alert: &str, keys: &[String]) -> Result<()> {
    let together = Arc::new(Barrier::new(keys.len()));
    let url = format!("{}/v1/alerts/{alert}/findings", world.backend.base_url);
    let mut posts = JoinSet::new();
    for (n, key) in keys.iter().enumerate() {
        let (together, url, key) = (Arc::clone(&together), url.clone(), key.clone());
        let client = http_client()?;
        posts.spawn(async move {
            let body = json!({"summary": format!("conclusion {n}"), "confidence": 0.5});
            together.wait().await;
            let answer = client
                .post(url)
                .bearer_auth(key)
                .header("content-type", "application/json")
                .body(body.to_string())
                .send()
                .await?;
            Ok::<_, anyhow::Error>(answer.status().as_u16())
        });
    }
    while let Some(status) = posts.join_next().await {
        let status = status??;
        ensure!(status == 201, "a finding was answered {status}");
    }
    Ok(())
}

async fn findings(world: &World, alert: &str) -> Result<Vec<Value>> {
    let path = format!("/v1/alerts/{alert}/findings");
    let list = world.backend.get(&path).await?;
    list.as_array().cloned().context("a list")
}

fn distinct(findings: &[Value], of: impl Fn(&Value) -> String) -> usize {
    findings.iter().map(of).collect::<HashSet<_>>().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_findings_from_fifty_keys_are_fifty_with_their_authors() -> Result<()> {
    let world = World::start().await?;
    let alert = world.alert("many opinions").await?;
    let (mut keys, mut uuids) = (Vec::new(), HashSet::new());
    for n in 0..CROWD {
        let request = json!({
            "name": format!("agent {n}"), "key_type": "agent",
            "scopes": ["alerts:read", "alerts:write"],
        });
        let made = world.backend.post("/v1/api-keys", &request).await?;
        keys.push(text(&made, "key")?);
        uuids.insert(text(&made, "uuid")?);
    }
    post_at_once(&world, &alert, &keys).await?;
    let kept = findings(&world, &alert).await?;
    assert_eq!(kept.len(), CROWD, "every finding is kept");
    assert_eq!(distinct(&kept, |f| f["summary"].to_string()), CROWD);
    let authors: HashSet<String> = kept
        .iter()
        .map(|finding| text(&finding["author"], "key_uuid"))
        .collect::<Result<_>>()?;
    assert_eq!(authors, uuids, "each finding's author is its key");
    for finding in &kept {
        let n = finding["summary"].as_str().unwrap_or_default();
        let n = n.trim_start_matches("conclusion ");
        assert_eq!(
            finding["author"]["name"],
            json!(format!("agent {n}")),
            "no finding is filed under another's name"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_findings_from_one_key_are_fifty() -> Result<()> {
    let world = World::start().await?;
    let alert = world.alert("one talkative agent").await?;
    let keys = vec![world.admin.clone(); CROWD];
    post_at_once(&world, &alert, &keys).await?;
    let kept = findings(&world, &alert).await?;
    assert_eq!(
        kept.len(),
        CROWD,
        "without a key for repetition none is one"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_posted_again_for_one_delivery_is_one_finding() -> Result<()> {
    const TIMES: usize = 3;
    let agent = Agent::start(|_| async { 200 }).await?;
    let world = World::start().await?;
    world.agent(&agent.url, 30).await?;
    let alert = world.alert("said three times").await?;
    let webhook = agent.wait(1).await?.remove(0).webhook_id;
    let url = format!("{}/v1/alerts/{alert}/findings", world.backend.base_url);
    let body = json!({"summary": "the same conclusion", "confidence": 0.9}).to_string();
    let mut uuids = HashSet::new();
    for _ in 0..TIMES {
        let answer = http_client()?
            .post(&url)
            .bearer_auth(&world.admin)
            .header("content-type", "application/json")
            .header("webhook-id", &webhook)
            .body(body.clone())
            .send()
            .await?;
        ensure!(answer.status() == 201, "answered {}", answer.status());
        let answer: Value = serde_json::from_str(&answer.text().await?)?;
        uuids.insert(text(&answer["data"], "uuid")?);
    }
    let kept = findings(&world, &alert).await?;
    goals::shown(
        "W11",
        format!("one finding posted {TIMES} times for one delivery"),
        format!("{} stored, {} uuid", kept.len(), uuids.len()),
        "1",
    );
    assert_eq!((kept.len(), uuids.len()), (1, 1), "{kept:?}");
    Ok(())
}
