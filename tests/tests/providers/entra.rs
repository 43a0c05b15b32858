//! Entra: one token for many lookups, a user without a manager, and a token that is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::recorder::{Recorded, Recorder, Reply};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

use crate::catalogue::{ask, copy};

const SECRET: &str = "client-secret~8Zq+Vn/5";
const TOKEN: &str = "eyJ0-token-Rt5Yb";

fn is_token(request: &Recorded) -> bool {
    request.path == "/tenant-1/oauth2/v2.0/token"
}

fn graph(request: &Recorded) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    if is_token(request) {
        return Reply::json(&json!({"access_token": TOKEN, "expires_in": 3600}));
    }
    if path.ends_with("/memberOf") {
        let groups = [
            json!({"displayName": "Engineering"}),
            json!({"displayName": "VPN"}),
        ];
        return Reply::json(&json!({"value": groups}));
    }
    if path.ends_with("/manager") {
        return Reply::status(404);
    }
    let user = json!({"id": "id-1", "displayName": "Jorge Martinez", "accountEnabled": true});
    Reply::json(&user)
}

fn credentials() -> Value {
    json!({"tenant_id": "tenant-1", "client_id": "client-1", "client_secret": SECRET})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_token_serves_many_lookups_and_a_missing_manager_loses_nobody() -> Result<()> {
    const USERS: usize = 6;
    let world = World::fresh().await?;
    let server = Recorder::answering(graph).await?;
    copy(&world, "entra", &server.url, &credentials()).await?;
    for n in 0..USERS {
        let account = format!("user{n}@contoso.com");
        let result = ask(&world, "entra_copy", ("account", &account)).await?;
        let extracted = &result["extracted"];
        ensure!(result["success"] == true, "{result}");
        ensure!(extracted["display_name"] == "Jorge Martinez", "{result}");
        ensure!(extracted["account_enabled"] == true, "{result}");
        ensure!(
            extracted["groups"] == json!(["Engineering", "VPN"]),
            "{result}"
        );
        ensure!(
            extracted.get("manager_name").is_none_or(Value::is_null),
            "{result}"
        );
    }
    let (tokens, lookups): (Vec<_>, Vec<_>) = server.seen().into_iter().partition(is_token);
    ensure!(
        tokens.len() == 1,
        "{} tokens for {USERS} users",
        tokens.len()
    );
    let form = String::from_utf8_lossy(&tokens[0].body).into_owned();
    ensure!(
        form.contains("grant_type=client_credentials"),
        "the grant's form"
    );
    ensure!(lookups.len() == 3 * USERS, "{} lookups", lookups.len());
    let bearer = format!("Bearer {TOKEN}");
    ensure!(
        lookups
            .iter()
            .all(|request| request.header("authorization") == bearer)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_refused_is_fetched_anew_once() -> Result<()> {
    let world = World::fresh().await?;
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    let server = Recorder::answering(move |request| {
        if is_token(request) {
            let n = count.fetch_add(1, Ordering::SeqCst);
            return Reply::json(&json!({"access_token": format!("token-{n}"), "expires_in": 3600}));
        }
        // The first token has been withdrawn.
        if request.header("authorization") == "Bearer token-0" {
            return Reply::status(401);
        }
        graph(request)
    })
    .await?;
    copy(&world, "entra", &server.url, &credentials()).await?;
    let result = ask(&world, "entra_copy", ("account", "user@contoso.com")).await?;
    ensure!(result["success"] == true, "{result}");
    let fetched = fetched.load(Ordering::SeqCst);
    ensure!(fetched == 2, "{fetched} tokens");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_client_secret_is_said_and_not_tried_for_ever() -> Result<()> {
    const TRIES_MAX: usize = 4;
    let world = World::fresh().await?;
    let server = Recorder::answering(|_| Reply::status(401)).await?;
    copy(&world, "entra", &server.url, &credentials()).await?;
    let result = ask(&world, "entra_copy", ("account", "user@contoso.com")).await?;
    ensure!(result["success"] == false, "{result}");
    let error = result["error"].as_str().context("an error")?;
    ensure!(
        error.contains("client id and secret") || error.contains("credential"),
        "{error}"
    );
    let tries = server.seen().len();
    ensure!(tries <= TRIES_MAX, "{tries} requests");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_shows_each_step_and_neither_secret_nor_token() -> Result<()> {
    let world = World::fresh().await?;
    // A server that repeats what it was sent, as some do when they refuse.
    let server = Recorder::answering(|request| {
        if is_token(request) {
            return Reply::json(&json!({
                "access_token": TOKEN, "expires_in": 3600,
                "echo": String::from_utf8_lossy(&request.body),
            }));
        }
        let header = request.header("authorization");
        Reply::json(&json!({"id": "id-1", "displayName": "J", "echo": header, "value": []}))
    })
    .await?;
    let path = copy(&world, "entra", &server.url, &credentials()).await?;
    let request = json!({"indicator_type": "account", "indicator_value": "user@contoso.com"});
    let (status, body) = world
        .backend
        .call(
            world.backend.admin(),
            Method::POST,
            &format!("{path}/test"),
            Some(&request),
        )
        .await?;
    ensure!(
        status == 200 && body["data"]["success"] == true,
        "{status} {body}"
    );
    let steps = body["data"]["steps"].as_array().context("steps")?;
    ensure!(
        steps.len() == 4,
        "the token's step and three lookups: {body}"
    );
    let text = body.to_string();
    ensure!(
        text.contains("id-1") && text.contains("client_credentials"),
        "the rest is shown"
    );
    let encoded = "client-secret~8Zq%2BVn%2F5";
    for secret in [SECRET, TOKEN, encoded, "client-secret%7E8Zq%2BVn%2F5"] {
        ensure!(!text.contains(secret), "{secret} is shown: {text}");
    }
    // The control: both were really sent.
    let sent: Vec<String> = server
        .seen()
        .iter()
        .map(|request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            format!("{body}{}", request.header("authorization"))
        })
        .collect();
    ensure!(
        sent.iter().any(|one| one.contains("client-secret")),
        "{sent:?}"
    );
    ensure!(sent.iter().any(|one| one.contains(TOKEN)), "{sent:?}");
    Ok(())
}
