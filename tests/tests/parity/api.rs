//! Faults of the API at large: statuses, PATCH, limits, keys.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions};
use calseta_tests::raw;
use calseta_tests::world::{World, refused};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::fault::How::ShownBy;
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        1,
        "1.1",
        "A bad sort order is 400 and a bad body 422, under one code.",
        ShownBy(
            "tests/tests/bad_input/auth.rs",
            "bad_ids_and_filters_are_422",
        ),
    ),
    fault(
        2,
        "1.1",
        "A method that a path does not have is answered 404.",
        ShownBy(
            "tests/tests/bad_input/auth.rs",
            "other_methods_are_405_and_other_paths_404",
        ),
    ),
    fault(
        3,
        "1.1",
        "PATCH ignores null, so that nothing can be cleared.",
        shown!(null_clears_descriptions_filters_and_headers),
    ),
    fault(
        4,
        "1.2",
        "A body sent in chunks escapes the size limit.",
        ShownBy(
            "tests/tests/bad_input/limits.rs",
            "a_body_over_the_limit_is_413_whether_declared_or_not",
        ),
    ),
    fault(
        5,
        "1.2",
        "Keys may be guessed without limit.",
        ShownBy(
            "tests/tests/bad_input/auth.rs",
            "guessing_keys_is_limited_and_a_good_key_never_waits",
        ),
    ),
    fault(
        6,
        "1.2",
        "Requests that are refused as 401 or 403 are not counted by the limiter.",
        ShownBy(
            "tests/tests/bad_input/auth.rs",
            "guessing_keys_is_limited_and_a_good_key_never_waits",
        ),
    ),
    fault(
        7,
        "1.2",
        "X-Forwarded-For lets a client choose the bucket it is counted in.",
        shown!(a_forwarded_address_buys_no_more_guesses),
    ),
    fault(
        8,
        "1.4",
        "A key's prefix has four random characters and must be unique, so that two keys collide.",
        shown!(a_key_s_prefix_is_long_and_only_a_hint),
    ),
    fault(
        9,
        "1.4",
        "A scope of any name is stored.",
        shown!(a_scope_that_does_not_exist_is_refused),
    ),
    fault(
        10,
        "1.4",
        "A failed authentication and a key's life leave no record that anybody can see.",
        shown!(failed_authentication_and_keys_are_on_record),
    ),
    fault(
        11,
        "1.4",
        "Every request pays for a password hash of 200 ms on the event loop.",
        shown!(a_key_is_kept_as_the_hash_of_random_bits),
    ),
    fault(
        12,
        "1.5",
        "The last admin key can be revoked, also with itself.",
        shown!(the_last_admin_key_stays),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_s_faults_are_gone() -> Result<()> {
    show(FAULTS).await
}

async fn null_clears_descriptions_filters_and_headers(world: &World) -> Result<()> {
    let backend = &world.backend;
    let agent = json!({
        "name": "to be cleared", "webhook_url": "http://127.0.0.1:9/w", "description": "d",
        "auth_header": "Bearer x", "trigger_filter": {"min_severity": "High"}, "documentation": "d",
    });
    let document = json!({
        "title": "t", "document_type": "sop", "content": "c", "description": "d",
        "targeting_rules": {"match_any": [{"field": "severity", "op": "eq", "value": "Low"}]},
    });
    let rule = json!({
        "name": "r", "source_name": "generic", "source_rule_id": "cleared", "severity": "Low",
        "documentation": "d",
    });
    let cleared = [
        (
            "/v1/agents",
            agent,
            vec![
                "description",
                "documentation",
                "auth_header",
                "trigger_filter",
            ],
        ),
        (
            "/v1/context-documents",
            document,
            vec!["description", "targeting_rules"],
        ),
        (
            "/v1/detection-rules",
            rule,
            vec!["severity", "documentation"],
        ),
    ];
    for (path, request, fields) in cleared {
        let made = backend.post(path, &request).await?;
        let path = format!("{path}/{}", made["uuid"].as_str().context("uuid")?);
        let patch: Value = fields
            .iter()
            .map(|field| ((*field).to_owned(), Value::Null))
            .collect();
        let after = backend.patch(&path, &patch).await?;
        for field in fields {
            let is = match field {
                "auth_header" => after["has_auth_header"] == json!(false),
                "trigger_filter" => after[field] == json!({}),
                _ => after[field].is_null(),
            };
            ensure!(is, "{path}: {field} is not cleared: {after}");
        }
    }
    Ok(())
}

async fn a_forwarded_address_buys_no_more_guesses(_: &World) -> Result<()> {
    const GUESSES: u32 = 60;
    let dir = TempDir::new()?;
    let mut options = BackendOptions::new(dir.path());
    options
        .arguments
        .retain(|argument| argument != "--no-limits");
    let backend = Backend::start(&options).await?;
    let to = backend.address();
    let mut limited = 0;
    for n in 0..GUESSES {
        let mut headers = raw::usual(to, &format!("cai_{n:043}"));
        headers.push(format!("X-Forwarded-For: 198.51.100.{n}"));
        let answer = raw::send(to, &raw::request("GET", "/v1/alerts", &headers, &[])).await?;
        limited += u32::from(answer.status == 429);
    }
    ensure!(
        limited >= GUESSES / 4,
        "only {limited} of {GUESSES} guesses were limited"
    );
    Ok(())
}

async fn a_key_s_prefix_is_long_and_only_a_hint(world: &World) -> Result<()> {
    let request = json!({"name": "k", "scopes": ["alerts:read"]});
    for _ in 0..4 {
        let made = world.backend.post("/v1/api-keys", &request).await?;
        let key = made["key"].as_str().context("key")?;
        let prefix = made["key_prefix"].as_str().context("key_prefix")?;
        ensure!(key.len() == 47, "256 random bits: {} characters", key.len());
        ensure!(prefix.len() == 12 && key.starts_with(prefix), "{prefix}");
        // What collided in v1.1.0 is now no name of a key: a key is found by the whole of it.
        let other = format!("{prefix}{}", "A".repeat(key.len() - prefix.len()));
        let (status, _) = world
            .backend
            .call(&other, Method::GET, "/v1/alerts", None)
            .await?;
        ensure!(status == 401, "a prefix opens nothing: {status}");
    }
    Ok(())
}

async fn a_scope_that_does_not_exist_is_refused(world: &World) -> Result<()> {
    let request = json!({"name": "k", "scopes": ["alerts:read", "alert:write"]});
    let admin = world.backend.admin();
    let answer = world
        .backend
        .call(admin, Method::POST, "/v1/api-keys", Some(&request))
        .await?;
    let details = refused(&answer, (422, "VALIDATION_ERROR"));
    let error = &details["errors"][0];
    ensure!(error["did_you_mean"] == "alerts:write", "{error}");
    Ok(())
}

/// Whether a file of this directory holds these bytes.
pub(crate) fn holds(dir: &Path, wanted: &[u8]) -> Result<bool> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path)?;
            if bytes.windows(wanted.len()).any(|window| window == wanted) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

async fn a_key_is_kept_as_the_hash_of_random_bits(world: &World) -> Result<()> {
    let request = json!({"name": "hashed", "scopes": ["alerts:read"]});
    let made = world.backend.post("/v1/api-keys", &request).await?;
    let key = made["key"].as_str().context("key")?;
    let digest = Sha256::digest(key.as_bytes());
    ensure!(
        holds(world.dir.path(), &digest)?,
        "one SHA-256 finds the key"
    );
    ensure!(
        !holds(world.dir.path(), key.as_bytes())?,
        "the key itself is nowhere"
    );
    for slow in ["$2b$", "$argon2"] {
        ensure!(
            !holds(world.dir.path(), slow.as_bytes())?,
            "no password hash"
        );
    }
    Ok(())
}

async fn failed_authentication_and_keys_are_on_record(world: &World) -> Result<()> {
    let request = json!({"name": "on record", "scopes": ["alerts:read"]});
    let made = world.backend.post("/v1/api-keys", &request).await?;
    let uuid = made["uuid"].as_str().context("uuid")?;
    let admin = world.backend.admin();
    let path = format!("/v1/api-keys/{uuid}");
    world
        .backend
        .call(admin, Method::DELETE, &path, None)
        .await?;
    let key = made["key"].as_str().context("key")?;
    let (status, _) = world
        .backend
        .call(key, Method::GET, "/v1/agents", None)
        .await?;
    ensure!(status == 401, "{status}");
    for (kind, wanted) in [
        ("key.created", uuid),
        ("key.revoked", uuid),
        // Who, from where, and what was asked for.
        ("auth.failed", "127.0.0.1"),
        ("auth.failed", "/v1/agents"),
        (
            "auth.failed",
            made["key_prefix"].as_str().context("key_prefix")?,
        ),
    ] {
        calseta_tests::backend::wait_for(&format!("{kind} {wanted}"), || async {
            let list = world
                .backend
                .get(&format!("/v1/activity?kind={kind}"))
                .await?;
            let all = list.as_array().context("a list")?;
            Ok(all
                .iter()
                .any(|one| one.to_string().contains(wanted))
                .then_some(()))
        })
        .await?;
    }
    Ok(())
}

async fn the_last_admin_key_stays(_: &World) -> Result<()> {
    let world = World::fresh().await?;
    let (admin, backend) = (world.backend.admin(), &world.backend);
    let keys = backend.get("/v1/api-keys").await?;
    let path = format!("/v1/api-keys/{}", keys[0]["uuid"].as_str().context("uuid")?);
    let refusals = [
        (Method::DELETE, None),
        (Method::PATCH, Some(json!({"is_active": false}))),
        (Method::PATCH, Some(json!({"scopes": ["alerts:read"]}))),
    ];
    for (method, body) in &refusals {
        let answer = backend
            .call(admin, method.clone(), &path, body.as_ref())
            .await?;
        refused(&answer, (409, "LAST_ADMIN_KEY"));
    }
    // The control: with a second one the first may go.
    let second = json!({"name": "second", "scopes": ["admin"]});
    let second = backend.post("/v1/api-keys", &second).await?;
    let second = second["key"].as_str().context("key")?;
    let (status, body) = backend.call(second, Method::DELETE, &path, None).await?;
    ensure!(status == 204, "{status} {body}");
    Ok(())
}
