//! Keys and scopes: every route with every kind of key, from the one list of routes.

use anyhow::{Result, ensure};
use calseta_tests::raw::{self, Answer};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::routes::{NOBODY, Needs, ROUTES, Route, Who};
use crate::world::{Setup, World};

/// Every scope but admin, which has them all.
const SCOPES: &[&str] = &[
    "alerts:read",
    "alerts:write",
    "enrichments:read",
    "agents:read",
    "agents:write",
    "workflows:read",
    "workflows:write",
    "workflows:execute",
    "approvals:write",
];
/// Failed authentications a minute, from the API's description.
const FAILURES_A_MINUTE: usize = 30;

/// Queries with a value that is none.
const BAD_QUERIES: &[&str] = &[
    "/v1/alerts?status=Nope",
    "/v1/alerts?status=open",
    "/v1/alerts?severity=Urgent",
    "/v1/alerts?enrichment_status=x",
    "/v1/alerts?is_enriched=maybe",
    "/v1/alerts?sort_by=x",
    "/v1/alerts?sort_order=up",
    "/v1/alerts?count=some",
    "/v1/alerts?cursor=x",
    "/v1/alerts?page=0",
    "/v1/alerts?page=-1",
    "/v1/alerts?page=99999999999999999999",
    "/v1/alerts?page_size=0",
    "/v1/alerts?page_size=501",
    "/v1/alerts?page_size=x",
    "/v1/alerts?from_time=yesterday",
    "/v1/alerts?to_time=1",
    "/v1/alerts?source_name=nope",
    "/v1/alerts?detection_rule_uuid=1",
    "/v1/alerts/groups?by=weather",
    "/v1/alerts/groups?by=none",
    "/v1/alerts/groups?q=statsu:open",
    "/v1/alerts/0195d3c0-0000-7000-8000-000000000000/related?limit=0",
    "/v1/alerts/0195d3c0-0000-7000-8000-000000000000/related?limit=51",
    "/v1/alerts/0195d3c0-0000-7000-8000-000000000000/agent-payload?agent_uuid=x",
    "/v1/search",
    "/v1/search?q=",
    "/v1/search?q=%20",
    "/v1/deliveries?state=lost",
    "/v1/deliveries?agent_uuid=x",
    "/v1/deliveries?alert_uuid=x",
    "/v1/agents?page=x",
    "/v1/events?after=x",
    "/v1/events?wait_seconds=26",
    "/v1/api-keys?page_size=x",
    "/v1/context-documents?page=x",
    "/v1/detection-rules?page=x",
];

async fn ask(world: &World, route: &Route, authorization: Option<&str>) -> Result<Answer> {
    let to = world.backend.address();
    let mut headers = vec![format!("Host: {to}")];
    headers.extend(authorization.map(|value| format!("Authorization: {value}")));
    if !route.body.is_empty() {
        headers.push("Content-Type: application/json".to_owned());
    }
    let request = raw::request(
        route.method,
        &route.at(NOBODY),
        &headers,
        route.body.as_bytes(),
    );
    raw::send(to, &request).await
}

fn list_of_alerts() -> &'static Route {
    let mut all = ROUTES.iter();
    all.find(|route| route.method == "GET" && route.path == "/v1/alerts")
        .expect("alerts are listed")
}

fn guarded() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.needs != Needs::Nothing)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_keys_are_401_on_every_route() -> Result<()> {
    let world = World::start().await?;
    let all: Vec<&str> = [SCOPES, &["admin"]].concat();
    let (revoked, uuid) = world
        .key(&json!({"name": "revoked", "scopes": all}))
        .await?;
    let listed = list_of_alerts();
    let works = ask(&world, listed, Some(&format!("Bearer {revoked}"))).await?;
    ensure!(
        works.status == 200,
        "the key works until it is revoked: {}",
        works.status
    );
    let path = format!("/v1/api-keys/{uuid}");
    world
        .backend
        .call(world.backend.admin(), reqwest::Method::DELETE, &path, None)
        .await?;
    let past = json!({"name": "expired", "scopes": all, "expires_at": "2020-01-01T00:00:00Z"});
    let (expired, _) = world.key(&past).await?;
    let admin = world.backend.admin();
    let bad = [
        (None, "UNAUTHORIZED"),
        (Some(String::new()), "UNAUTHORIZED"),
        (Some("Bearer".to_owned()), "UNAUTHORIZED"),
        (Some("Bearer ".to_owned()), "UNAUTHORIZED"),
        (Some(format!("Basic {admin}")), "UNAUTHORIZED"),
        (Some(admin.to_owned()), "UNAUTHORIZED"),
        (
            Some(format!("Bearer {}", &admin[..admin.len() - 1])),
            "UNAUTHORIZED",
        ),
        (Some(format!("Bearer {admin}A")), "UNAUTHORIZED"),
        (
            Some(format!("Bearer cai_{}", "A".repeat(43))),
            "UNAUTHORIZED",
        ),
        (
            Some(format!("Bearer {}", admin.to_uppercase())),
            "UNAUTHORIZED",
        ),
        (Some(format!("Bearer {revoked}")), "UNAUTHORIZED"),
        (Some(format!("Bearer {expired}")), "KEY_EXPIRED"),
    ];
    for route in guarded() {
        for (authorization, code) in &bad {
            let answer = ask(&world, route, authorization.as_deref()).await?;
            ensure!(
                answer.status == 401 && answer.code() == *code,
                "{} {} with {authorization:?}: {} {}",
                route.method,
                route.path,
                answer.status,
                answer.code()
            );
            ensure!(
                answer.header("www-authenticate") == Some("Bearer"),
                "{}",
                route.path
            );
        }
    }
    world.is_unharmed().await
}

/// What a key with one scope must be answered.
fn judge(route: &Route, scope: &str, answer: &Answer) -> Result<()> {
    let what = format!(
        "{} {} with {scope}: {}",
        route.method, route.path, answer.status
    );
    let admits = match route.needs {
        Needs::Nothing | Needs::AnyKey => true,
        Needs::Scope(needed) => needed == scope || scope == "admin",
        Needs::Analyst => false,
    };
    if admits {
        ensure!(
            !matches!(answer.status, 401 | 403) || route.path == "/ui/session",
            "{what}"
        );
        return Ok(());
    }
    ensure!(
        answer.status == 403 && answer.code() == "FORBIDDEN",
        "{what} {}",
        answer.code()
    );
    if let Needs::Scope(needed) = route.needs {
        let named = &answer.json()["error"]["details"]["required_scopes"];
        ensure!(*named == json!([needed]), "{what} names {named}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_scope_is_403_and_named_on_every_route() -> Result<()> {
    let world = std::sync::Arc::new(World::start().await?);
    let mut running = JoinSet::new();
    for scope in SCOPES.iter().chain(&["admin"]) {
        let (key, _) = world
            .key(&json!({"name": scope, "scopes": [scope]}))
            .await?;
        let world = std::sync::Arc::clone(&world);
        running.spawn(async move {
            for route in &*ROUTES {
                let answer = ask(&world, route, Some(&format!("Bearer {key}"))).await?;
                judge(route, scope, &answer)?;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    world.is_unharmed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agents_key_never_does_what_is_for_humans() -> Result<()> {
    let world = World::start().await?;
    let all: Vec<&str> = [SCOPES, &["admin"]].concat();
    let request = json!({"name": "agent", "scopes": all, "key_type": "agent"});
    let (key, _) = world.key(&request).await?;
    let authorization = format!("Bearer {key}");
    let mut refused = 0;
    for route in &*ROUTES {
        let answer = ask(&world, route, Some(&authorization)).await?;
        let human_only = answer.code() == "HUMAN_KEY_REQUIRED";
        ensure!(
            human_only == (route.who == Who::Humans) && (!human_only || answer.status == 403),
            "{} {}: {} {}",
            route.method,
            route.path,
            answer.status,
            answer.code()
        );
        refused += usize::from(human_only);
    }
    ensure!(refused >= 13, "only {refused} routes are for humans");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_one_source_ingests_to_no_other() -> Result<()> {
    let world = World::start().await?;
    let request = json!({"name": "s", "scopes": ["alerts:write"], "allowed_sources": ["splunk"]});
    let (key, _) = world.key(&request).await?;
    let post = reqwest::Method::POST;
    let alert = json!({"title": "t", "search_name": "s", "result": {"a": "b"}});
    for path in [
        "/v1/ingest/generic",
        "/v1/ingest/sentinel",
        "/v1/ingest/elastic",
    ] {
        let (status, body) = world
            .backend
            .call(&key, post.clone(), path, Some(&alert))
            .await?;
        ensure!(
            status == 403 && body["error"]["code"] == "SOURCE_NOT_ALLOWED",
            "{path}: {body}"
        );
    }
    let wrapped = json!({"source_name": "generic", "payload": alert});
    let (status, body) = world
        .backend
        .call(&key, post.clone(), "/v1/alerts", Some(&wrapped))
        .await?;
    ensure!(
        status == 403 && body["error"]["code"] == "SOURCE_NOT_ALLOWED",
        "{body}"
    );
    let (status, body) = world
        .backend
        .call(&key, post, "/v1/ingest/splunk", Some(&alert))
        .await?;
    ensure!(status == 202, "its own source: {status} {body}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_methods_are_405_and_other_paths_404() -> Result<()> {
    let world = World::start().await?;
    let to = world.backend.address();
    let headers = raw::usual(to, world.backend.admin());
    for route in &*ROUTES {
        let path = route.at(NOBODY);
        for method in ["PUT", "OPTIONS", "QUERY"] {
            let is_there = |other: &&Route| other.path == route.path && other.method == method;
            if ROUTES.iter().any(|other| is_there(&other)) {
                continue;
            }
            let answer = raw::send(to, &raw::request(method, &path, &headers, &[])).await?;
            let what = format!("{method} {path}: {} {}", answer.status, answer.code());
            ensure!(
                answer.status == 405 && answer.code() == "METHOD_NOT_ALLOWED",
                "{what}"
            );
            let allow = answer.header("allow").unwrap_or_default();
            ensure!(allow.contains(route.method), "{what}, Allow: {allow}");
        }
    }
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/nope",
        "/v1/alerts/",
        "/v2/alerts",
        "/ui/nope",
        "/mcp",
        "//v1/alerts",
        "/v1/alerts/../agents",
        "/v1/%61lerts/x/y",
        "/%00",
    ] {
        let answer = raw::send(to, &raw::request("GET", path, &headers, &[])).await?;
        ensure!(
            answer.status == 404 && answer.code() == "NOT_FOUND",
            "{path}: {} {}",
            answer.status,
            answer.code()
        );
    }
    world.is_unharmed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_ids_and_filters_are_422() -> Result<()> {
    let world = World::start().await?;
    let to = world.backend.address();
    let headers = raw::usual(to, world.backend.admin());
    for route in ROUTES.iter().filter(|route| route.path.contains("uuid}")) {
        for bad in [
            "x",
            "1",
            "null",
            "%27",
            "%00",
            "%ff",
            "0195d3c0",
            "..%2f..%2fetc",
        ] {
            let path = route.at(bad);
            let request = raw::request(route.method, &path, &headers, route.body.as_bytes());
            let answer = raw::send(to, &request).await?;
            ensure!(
                answer.status == 422 && answer.code() == "VALIDATION_ERROR",
                "{} {path}: {} {}",
                route.method,
                answer.status,
                answer.code()
            );
        }
    }
    for path in BAD_QUERIES {
        let answer = raw::send(to, &raw::request("GET", path, &headers, &[])).await?;
        ensure!(
            answer.status == 422 && answer.code() == "VALIDATION_ERROR",
            "{path}: {} {}",
            answer.status,
            answer.code()
        );
    }
    for path in [
        "/v1/ingest/nope",
        "/v1/ingest/%ff",
        "/v1/ingest/%00",
        "/v1/ingest/GENERIC",
    ] {
        let request = raw::request("POST", path, &headers, b"{\"title\":\"t\"}");
        let answer = raw::send(to, &request).await?;
        ensure!(
            answer.status == 404 && answer.code() == "UNKNOWN_SOURCE",
            "{path}: {} {}",
            answer.status,
            answer.code()
        );
    }
    world.is_unharmed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_keys_is_limited_and_a_good_key_never_waits() -> Result<()> {
    let setup = Setup {
        limits: true,
        ..Setup::default()
    };
    let world = World::with(setup).await?;
    let (mut unauthorized, mut limited) = (0, 0);
    for n in 0..FAILURES_A_MINUTE * 2 {
        let guess = format!("Bearer cai_{n:043}");
        let answer = ask(&world, list_of_alerts(), Some(&guess)).await?;
        match answer.status {
            401 => unauthorized += 1,
            429 => {
                limited += 1;
                let wait: u64 = answer.header("retry-after").unwrap_or_default().parse()?;
                ensure!((1..=60).contains(&wait), "Retry-After: {wait}");
                ensure!(answer.code() == "RATE_LIMITED", "{}", answer.code());
            }
            other => anyhow::bail!("a guess was answered {other}"),
        }
        let good = world.backend.get("/v1/alerts").await?;
        ensure!(good == Value::Array(Vec::new()), "the good key is served");
    }
    // A few tokens come back while the loop runs.
    ensure!(
        (FAILURES_A_MINUTE..FAILURES_A_MINUTE + 15).contains(&unauthorized),
        "{unauthorized}"
    );
    ensure!(limited >= 15, "only {limited} guesses were limited");
    Ok(())
}
