//! Callers of every kind, and requests that every route takes.

use anyhow::{Context as _, Result};
use calseta_server::RouteListing;
use calseta_tests::raw::{self, Answer};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

/// Every scope but admin, which has them all.
pub(crate) const SCOPES: &[&str] = &[
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

/// A uuid of nothing.
pub(crate) const NOBODY: &str = "0195d3c0-0000-7000-8000-000000000000";

/// Every scope, `admin` too.
pub(crate) fn all_scopes() -> Vec<&'static str> {
    [SCOPES, &["admin"]].concat()
}

/// A new key; the key itself and its uuid.
pub(crate) async fn key(world: &World, request: &Value) -> Result<(String, String)> {
    let made = world.backend.post("/v1/api-keys", request).await?;
    let text = |name: &str| made[name].as_str().map(str::to_owned).context("a text");
    Ok((text("key")?, text("uuid")?))
}

/// A key that was good and is not any more.
pub(crate) async fn revoked(world: &World) -> Result<String> {
    let request = json!({"name": "revoked", "scopes": all_scopes()});
    let (key, uuid) = key(world, &request).await?;
    let (admin, path) = (world.backend.admin(), format!("/v1/api-keys/{uuid}"));
    world
        .backend
        .call(admin, Method::DELETE, &path, None)
        .await?;
    Ok(key)
}

/// A route's path with something in every place.
pub(crate) fn filled(path: &str) -> String {
    let part = |part: &str| match part {
        "{source}" => "generic".to_owned(),
        "{page}" => "alerts".to_owned(),
        one if one.starts_with('{') && one.contains("uuid") => NOBODY.to_owned(),
        one if one.starts_with('{') => "1".to_owned(),
        one => one.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Calls a route with what it takes.
pub(crate) async fn call(
    world: &World,
    route: &RouteListing,
    authorization: Option<&str>,
) -> Result<Answer> {
    let to = world.backend.address();
    let mut headers = vec![format!("Host: {to}")];
    headers.extend(authorization.map(|value| format!("Authorization: {value}")));
    let body = match route.request_example {
        Some(example) => example,
        None if route.takes_json => "{}",
        None => "",
    };
    if !body.is_empty() {
        headers.push("Content-Type: application/json".to_owned());
    }
    let path = filled(route.path);
    let request = raw::request(&route.method, &path, &headers, body.as_bytes());
    raw::send(to, &request)
        .await
        .with_context(|| format!("{} {path}", route.method))
}
