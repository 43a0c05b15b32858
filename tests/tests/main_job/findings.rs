//! Findings: all of them kept, in both vocabularies, each by its key and only once per repetition.

use anyhow::{Context as _, Result};
use calseta_tests::world::{World, refused};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Keys that post at once.
const KEYS: usize = 50;

async fn stage() -> Result<(World, String)> {
    let world = World::fresh().await?;
    let uuid = world
        .alert(&json!({"title": "Under investigation"}))
        .await?;
    let path = format!("/v1/alerts/{uuid}/findings");
    Ok((world, path))
}

#[tokio::test]
async fn confidence_may_be_a_number_or_v1_1_0_s_word() -> Result<()> {
    let (world, path) = stage().await?;
    for (sent, number, level) in [
        (json!(0.8), json!(0.8), json!("high")),
        (json!(0.5), json!(0.5), json!("medium")),
        (json!(0.49), json!(0.49), json!("low")),
        (json!(0), json!(0.0), json!("low")),
        (json!(1), json!(1.0), json!("high")),
        (json!("medium"), Value::Null, json!("medium")),
        (Value::Null, Value::Null, Value::Null),
    ] {
        let finding = json!({"summary": "s", "confidence": sent});
        let stored = world.backend.post(&path, &finding).await?;
        assert_eq!(
            stored["confidence"], number,
            "a number or null, never a word"
        );
        assert_eq!(stored["confidence_level"], level, "sent {sent}");
    }
    let admin = world.backend.admin();
    for bad in [json!(1.01), json!(-0.1), json!("certain"), json!([])] {
        let finding = json!({"summary": "s", "confidence": bad});
        let answer = world
            .backend
            .call(admin, Method::POST, &path, Some(&finding))
            .await?;
        let details = refused(&answer, (422, "VALIDATION_ERROR"));
        assert_eq!(details["errors"][0]["path"], "confidence", "{bad}");
    }
    let answer = world
        .backend
        .call(admin, Method::POST, &path, Some(&json!({"summary": " "})))
        .await?;
    assert_eq!(
        refused(&answer, (422, "VALIDATION_ERROR"))["errors"][0]["path"],
        "summary"
    );
    Ok(())
}

#[tokio::test]
async fn v1_1_0_s_names_are_understood_and_answered_beside_ours() -> Result<()> {
    let (world, path) = stage().await?;
    let key = world.agent_key("Key's own name", None).await?;
    let finding = json!({
        "agent_name": "Whoever I say", "summary": "Old client", "confidence": "high",
        "recommended_action": "Isolate the host", "evidence": {"pid": 4711},
        "verdict": "malicious",
    });
    let stored = world.backend.post_as(&key, &path, &finding).await?;
    assert_eq!(stored["recommended_actions"], json!(["Isolate the host"]));
    assert_eq!(stored["recommended_action"], "Isolate the host");
    assert_eq!(stored["details"], json!({"pid": 4711}));
    assert_eq!(stored["evidence"], json!({"pid": 4711}));
    assert_eq!(stored["id"], stored["uuid"]);
    assert_eq!(
        stored["author"]["name"], "Key's own name",
        "identity is the key, not what the body says"
    );
    assert_eq!(stored["agent_name"], "Key's own name");
    assert_eq!(stored["claimed_agent_name"], "Whoever I say");
    let listed = world.backend.get(&path).await?;
    assert_eq!(listed[0], stored, "what was answered is what is stored");
    Ok(())
}

#[tokio::test]
async fn a_finding_supersedes_only_an_own_earlier_one() -> Result<()> {
    let (world, path) = stage().await?;
    let (one, two) = (
        world.agent_key("One", None).await?,
        world.agent_key("Two", None).await?,
    );
    let first = world
        .backend
        .post_as(&one, &path, &json!({"summary": "first"}))
        .await?;
    let replacing = json!({"summary": "second thoughts", "supersedes": first["uuid"]});
    let answer = world
        .backend
        .call(&two, Method::POST, &path, Some(&replacing))
        .await?;
    let details = refused(&answer, (422, "VALIDATION_ERROR"));
    assert_eq!(
        details["errors"][0]["path"], "supersedes",
        "another's stays"
    );
    let second = world.backend.post_as(&one, &path, &replacing).await?;
    assert_eq!(second["supersedes"], first["uuid"]);
    let listed = world.backend.get(&path).await?;
    assert_eq!(
        listed.as_array().map(Vec::len),
        Some(2),
        "findings are immutable: both stay"
    );
    Ok(())
}

#[tokio::test]
async fn the_webhook_id_links_the_delivery_and_a_repeated_answer_is_stored_once() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let key = world.agent_key("Own key", Some(&agent.uuid)).await?;
    let uuid = world.alert(&json!({"title": "Delivered"})).await?;
    let webhook = agent.recorder.wait(1).await?.remove(0);
    let id = webhook.header("webhook-id");
    let path = format!("/v1/alerts/{uuid}/findings");
    let post = |body: &'static [u8]| {
        let (world, key, path) = (&world, &key, &*path);
        async move {
            let headers = [("webhook-id", id)];
            world.raw(key, (Method::POST, path), &headers, body).await
        }
    };
    let first = post(br#"{"summary":"seen"}"#).await?;
    assert_eq!(first.status, 201);
    let stored = first.json()["data"].take();
    let delivery = world.deliveries(&agent.uuid).await?.remove(0);
    assert_eq!(
        stored["delivery_uuid"], delivery["uuid"],
        "which message it answers"
    );
    assert_eq!(stored["author"]["agent_uuid"], json!(agent.uuid));
    assert_eq!(
        stored["author"]["name"], "Recording agent",
        "its agent's name"
    );
    let again = post(br#"{"summary":"seen"}"#).await?;
    assert_eq!(
        again.json()["data"]["uuid"],
        stored["uuid"],
        "delivered twice, one finding"
    );
    let other = post(br#"{"summary":"something else"}"#).await?;
    assert_ne!(
        other.json()["data"]["uuid"],
        stored["uuid"],
        "a new thought is a new finding"
    );
    let listed = world.backend.get(&path).await?;
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    let shown = world
        .backend
        .get(&format!(
            "/v1/deliveries/{}",
            delivery["uuid"].as_str().context("uuid")?
        ))
        .await?;
    let linked = shown["finding_uuids"].as_array().map_or(0, Vec::len);
    assert_eq!(linked, 2, "the delivery knows what answered it: {shown}");
    Ok(())
}

#[tokio::test]
async fn an_idempotency_key_replays_the_first_answer_and_refuses_another_body() -> Result<()> {
    let (world, path) = stage().await?;
    let admin = world.backend.admin();
    let headers = [("idempotency-key", "finding-1")];
    let post = (Method::POST, &*path);
    let body = br#"{"summary":"once"}"#;
    let first = world.raw(admin, post.clone(), &headers, body).await?;
    assert_eq!(first.status, 201);
    let again = world.raw(admin, post.clone(), &headers, body).await?;
    assert_eq!(again.status, 201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.bytes, first.bytes, "the same answer");
    let other = world
        .raw(admin, post, &headers, br#"{"summary":"twice"}"#)
        .await?;
    assert_eq!(other.status, 409);
    assert_eq!(other.json()["error"]["code"], "IDEMPOTENCY_CONFLICT");
    // Without a key every post is a new one, the same text too.
    for _ in 0..2 {
        world
            .backend
            .post(&path, &json!({"summary": "again"}))
            .await?;
    }
    let listed = world.backend.get(&path).await?;
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    Ok(())
}

#[tokio::test]
async fn fifty_findings_at_once_from_fifty_keys_are_fifty_findings() -> Result<()> {
    let (world, path) = stage().await?;
    let mut keys = Vec::new();
    for n in 0..KEYS {
        keys.push(world.agent_key(&format!("Agent {n}"), None).await?);
    }
    let client = calseta_tests::backend::http_client()?;
    let url = format!("{}{path}", world.backend.base_url);
    let mut posts = JoinSet::new();
    for (n, key) in keys.iter().enumerate() {
        let request = client
            .post(&url)
            .bearer_auth(key)
            .header("content-type", "application/json")
            .body(json!({"summary": format!("finding {n}")}).to_string());
        posts.spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) });
    }
    while let Some(status) = posts.join_next().await {
        assert_eq!(status??, 201, "none is turned away");
    }
    let listed = world.backend.get(&path).await?;
    let listed = listed.as_array().cloned().unwrap_or_default();
    let mut seen: Vec<_> = listed
        .iter()
        .map(|finding| {
            let author = finding["author"]["name"].as_str().unwrap_or_default();
            let summary = finding["summary"].as_str().unwrap_or_default();
            let number = summary.trim_start_matches("finding ");
            assert_eq!(author, format!("Agent {number}"), "each keeps its author");
            summary.to_owned()
        })
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), KEYS, "a lost finding is a lost answer");
    Ok(())
}
