//! Every route with every kind of key.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use calseta_server::{RouteListing, RouteNeeds, operations};
use calseta_tests::raw::Answer;
use calseta_tests::world::World;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::caller::{SCOPES, all_scopes, call, key, revoked};
use crate::table::description;

/// A key that is good, with one scope.
#[derive(Debug, Clone, Copy)]
struct Good {
    scope: &'static str,
    is_agent: bool,
}

/// What must come of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The route's own answer.
    Admitted,
    /// 403 with this code.
    Refused(&'static str),
}

fn expected(route: &RouteListing, caller: Good) -> Expected {
    let admits = match route.needs {
        RouteNeeds::Nothing | RouteNeeds::AnyKey => true,
        RouteNeeds::Scope(scope) => scope == caller.scope || caller.scope == "admin",
        RouteNeeds::Analyst => false,
    };
    match (admits, route.human_only && caller.is_agent) {
        (false, _) => Expected::Refused("FORBIDDEN"),
        (true, true) => Expected::Refused("HUMAN_KEY_REQUIRED"),
        (true, false) => Expected::Admitted,
    }
}

/// Whether an answer is what the table says, and one that the description knows.
fn judge(route: &RouteListing, caller: Good, answer: &Answer, document: &Value) -> Result<()> {
    let what = format!(
        "{} {} with {caller:?}: {} {}",
        route.method,
        route.path,
        answer.status,
        answer.code()
    );
    match expected(route, caller) {
        Expected::Refused(code) => {
            ensure!(answer.status == 403 && answer.code() == code, "{what}");
            if let (RouteNeeds::Scope(scope), "FORBIDDEN") = (route.needs, code) {
                let named = &answer.json()["error"]["details"]["required_scopes"];
                ensure!(*named == json!([scope]), "{what} names {named}");
            }
        }
        // A session's token is no key: a wrong one is a 401 of the route itself.
        Expected::Admitted if route.path == "/ui/session" => {}
        Expected::Admitted => ensure!(!matches!(answer.status, 401 | 403), "{what}"),
    }
    let method = route.method.to_ascii_lowercase();
    let described = &document["paths"][route.path][&method]["responses"];
    let status = answer.status.to_string();
    ensure!(
        described.get(&status).is_some(),
        "{what}: this status is not described"
    );
    Ok(())
}

async fn walk(world: &World, caller: Good, key: &str, document: &Value) -> Result<()> {
    let mut failures = Vec::new();
    for route in operations() {
        let answer = call(world, &route, Some(&format!("Bearer {key}"))).await?;
        if let Err(error) = judge(&route, caller, &answer, document) {
            failures.push(format!("{error:#}"));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scope_opens_its_routes_and_no_others() -> Result<()> {
    let world = Arc::new(World::fresh().await?);
    let document = Arc::new(description(&world).await?);
    let mut running = JoinSet::new();
    for is_agent in [false, true] {
        for scope in SCOPES {
            let kind = if is_agent { "agent" } else { "human" };
            let request = json!({"name": scope, "scopes": [scope], "key_type": kind});
            let (key, _) = key(&world, &request).await?;
            let (world, document) = (Arc::clone(&world), Arc::clone(&document));
            let caller = Good { scope, is_agent };
            running.spawn(async move { walk(&world, caller, &key, &document).await });
        }
    }
    let mut failures = Vec::new();
    while let Some(done) = running.join_next().await {
        failures.extend(done?.err().map(|error| error.to_string()));
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Alone: what an admin's key does changes what others meet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admin_opens_every_route_but_the_window_s() -> Result<()> {
    for is_agent in [true, false] {
        let world = World::fresh().await?;
        let document = description(&world).await?;
        let kind = if is_agent { "agent" } else { "human" };
        let request = json!({"name": "admin", "scopes": ["admin"], "key_type": kind});
        let (key, _) = key(&world, &request).await?;
        let scope = "admin";
        walk(&world, Good { scope, is_agent }, &key, &document).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_key_no_route_answers() -> Result<()> {
    let world = World::fresh().await?;
    let past = json!({
        "name": "expired", "scopes": all_scopes(), "expires_at": "2020-01-01T00:00:00Z",
    });
    let (expired, _) = key(&world, &past).await?;
    let bad = [
        (None, "UNAUTHORIZED"),
        (
            Some(format!("Bearer cai_{}", "A".repeat(43))),
            "UNAUTHORIZED",
        ),
        (
            Some(format!("Bearer {}", revoked(&world).await?)),
            "UNAUTHORIZED",
        ),
        (Some(format!("Bearer {expired}")), "KEY_EXPIRED"),
    ];
    let mut guarded = 0;
    for route in operations() {
        if route.needs == RouteNeeds::Nothing {
            continue;
        }
        guarded += 1;
        for (authorization, code) in &bad {
            let answer = call(&world, &route, authorization.as_deref()).await?;
            let (method, path) = (&route.method, route.path);
            let (status, said) = (answer.status, answer.code());
            ensure!(
                status == 401 && said == *code,
                "{method} {path}: {status} {said}"
            );
        }
    }
    ensure!(guarded >= 100, "only {guarded} routes ask for a key");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_one_source_ingests_to_no_other() -> Result<()> {
    let world = World::fresh().await?;
    for (allowed, expected) in [("splunk", "SOURCE_NOT_ALLOWED"), ("generic", "")] {
        let request = json!({
            "name": allowed, "scopes": all_scopes(), "allowed_sources": [allowed],
        });
        let (key, _) = key(&world, &request).await?;
        let routes = operations();
        let ingest = routes.iter().filter(|route| {
            let path = route.path;
            route.method == "POST" && (path == "/v1/alerts" || path == "/v1/ingest/{source}")
        });
        let mut asked = 0;
        for route in ingest {
            asked += 1;
            let answer = call(&world, route, Some(&format!("Bearer {key}"))).await?;
            let what = format!("{} with {allowed}: {}", route.path, answer.status);
            ensure!(answer.code() == expected, "{what} {}", answer.code());
            let status = if expected.is_empty() { 202 } else { 403 };
            ensure!(answer.status == status, "{what}");
        }
        ensure!(asked == 2, "both ways in were tried");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_with_one_wrong_scope_would_be_noticed() -> Result<()> {
    let world = World::fresh().await?;
    let document = description(&world).await?;
    let routes = operations();
    let route = routes
        .iter()
        .find(|route| route.operation_id == "list_alerts");
    let right = route.context("the list of alerts")?;
    let mut wrong = right.clone();
    wrong.needs = RouteNeeds::Scope("agents:read");
    for scope in ["alerts:read", "agents:read"] {
        let (key, _) = key(&world, &json!({"name": scope, "scopes": [scope]})).await?;
        let answer = call(&world, right, Some(&format!("Bearer {key}"))).await?;
        let is_agent = false;
        let caller = Good { scope, is_agent };
        ensure!(
            judge(right, caller, &answer, &document).is_ok(),
            "{scope}: the right table"
        );
        ensure!(
            judge(&wrong, caller, &answer, &document).is_err(),
            "{scope}: the wrong table"
        );
    }
    Ok(())
}
