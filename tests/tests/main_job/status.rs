//! Status over HTTP: the transitions, closing, reopening, and what PATCH means by null.

use anyhow::Result;
use calseta_tests::world::{World, refused};
use reqwest::Method;
use serde_json::{Value, json};

const STATUSES: [&str; 4] = ["Open", "Triaging", "Escalated", "Closed"];

/// What may follow each status, in the contract's order.
fn allowed(from: &str) -> &'static [&'static str] {
    match from {
        "Open" => &["Triaging", "Escalated", "Closed"],
        "Triaging" => &["Escalated", "Closed"],
        "Escalated" => &["Triaging", "Closed"],
        _ => &[],
    }
}

/// A status change, with what closing needs.
fn to(status: &str) -> Value {
    match status {
        "Closed" => json!({"status": status, "close_classification": "Undetermined"}),
        _ => json!({"status": status}),
    }
}

#[tokio::test]
async fn every_transition_is_allowed_or_refused_as_the_contract_says() -> Result<()> {
    let world = World::fresh().await?;
    for from in STATUSES {
        for target in STATUSES {
            let title = format!("{from} to {target}");
            let uuid = world.alert(&json!({"title": title})).await?;
            if from != "Open" {
                assert_eq!(world.patch_alert(&uuid, &to(from)).await?.0, 200);
            }
            let answer = world.patch_alert(&uuid, &to(target)).await?;
            if from == target || allowed(from).contains(&target) {
                assert_eq!(answer.0, 200, "{title}: {}", answer.1);
                assert_eq!(answer.1["data"]["status"], target, "{title}");
            } else {
                let details = refused(&answer, (409, "INVALID_TRANSITION"));
                assert_eq!(
                    details["allowed"],
                    json!(allowed(from)),
                    "{title}: an agent must learn what it may do instead"
                );
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn closing_needs_a_classification_and_reopening_forgets_it() -> Result<()> {
    let world = World::fresh().await?;
    let uuid = world.alert(&json!({"title": "To be closed"})).await?;
    let answer = world
        .patch_alert(&uuid, &json!({"status": "Closed"}))
        .await?;
    let details = refused(&answer, (422, "VALIDATION_ERROR"));
    let error = &details["errors"][0];
    assert_eq!(error["path"], "close_classification");
    let words = error["allowed"].as_array().map_or(0, Vec::len);
    assert_eq!(words, 7, "it names what it would take: {error}");

    // A classification that is stored already is enough.
    let word = json!({"close_classification": "Duplicate"});
    assert_eq!(world.patch_alert(&uuid, &word).await?.0, 200);
    let (status, body) = world
        .patch_alert(&uuid, &json!({"status": "Closed"}))
        .await?;
    assert_eq!(status, 200, "{body}");
    assert!(body["data"]["closed_at"].is_string());
    let null = world
        .patch_alert(&uuid, &json!({"close_classification": null}))
        .await?;
    refused(&null, (422, "VALIDATION_ERROR"));

    let path = format!("/v1/alerts/{uuid}/reopen");
    let reopened = world.backend.post(&path, &json!({})).await?;
    assert_eq!(reopened["status"], "Open");
    assert_eq!(reopened["closed_at"], Value::Null);
    assert_eq!(reopened["close_classification"], Value::Null);
    let admin = world.backend.admin();
    let again = world.backend.call(admin, Method::POST, &path, None).await?;
    refused(&again, (409, "INVALID_TRANSITION"));
    Ok(())
}

#[tokio::test]
async fn in_a_patch_absent_keeps_and_null_clears_but_not_what_is_required() -> Result<()> {
    let world = World::fresh().await?;
    let uuid = world
        .alert(&json!({"title": "Patched", "severity": "Low", "tags": ["one", "two"]}))
        .await?;
    let (_, body) = world
        .patch_alert(&uuid, &json!({"malice_override": "Benign"}))
        .await?;
    assert_eq!(body["data"]["malice_override"], "Benign");
    assert_eq!(body["data"]["tags"], json!(["one", "two"]), "absent keeps");
    let (_, body) = world
        .patch_alert(&uuid, &json!({"tags": null, "malice_override": null}))
        .await?;
    assert_eq!(body["data"]["tags"], json!([]), "null clears");
    assert_eq!(body["data"]["malice_override"], Value::Null);
    for field in ["status", "severity"] {
        let mut patch = json!({});
        patch[field] = Value::Null;
        let details = refused(
            &world.patch_alert(&uuid, &patch).await?,
            (422, "VALIDATION_ERROR"),
        );
        assert_eq!(details["errors"][0]["path"], field);
    }
    let details = refused(
        &world
            .patch_alert(&uuid, &json!({"status": "Triagin"}))
            .await?,
        (422, "VALIDATION_ERROR"),
    );
    assert_eq!(details["errors"][0]["did_you_mean"], "Triaging");
    Ok(())
}

#[tokio::test]
async fn an_agent_s_verdict_never_outranks_the_analyst_s() -> Result<()> {
    let world = World::fresh().await?;
    let uuid = world.alert(&json!({"title": "Contested"})).await?;
    let key = world.agent_key("agent", None).await?;
    let path = format!("/v1/alerts/{uuid}");
    let set = |word: &str| json!({"malice_override": word});
    let by_agent = |body: Value| {
        let (world, key, path) = (&world, &key, &path);
        async move {
            world
                .backend
                .call(key, Method::PATCH, path, Some(&body))
                .await
        }
    };
    let (_, body) = by_agent(set("Suspicious")).await?;
    assert_eq!(body["data"]["malice_override"], "Suspicious");
    let (_, body) = world.patch_alert(&uuid, &set("Benign")).await?;
    assert_eq!(body["data"]["malice_override"], "Benign");
    let (_, body) = by_agent(set("Malicious")).await?;
    assert_eq!(
        body["data"]["malice_override"], "Benign",
        "a person decided"
    );
    Ok(())
}
