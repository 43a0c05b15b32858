//! What an agent's key never does, whatever its scopes.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use calseta_server::operations;
use calseta_tests::world::World;
use serde_json::json;

use crate::caller::{all_scopes, call, key};

/// Every route that writes and is left to agents. All others want a human: deleting, documents,
/// rules, suppressing, changes in bulk, grants, decisions, settings, secrets and keys.
const LEFT_TO_AGENTS: &[(&str, &str)] = &[
    ("POST", "/v1/ingest/{source}"),
    ("POST", "/v1/alerts"),
    ("PATCH", "/v1/alerts/{uuid}"),
    ("POST", "/v1/alerts/{uuid}/dispatch-agent"),
    ("POST", "/v1/alerts/{uuid}/enrich"),
    ("POST", "/v1/alerts/{uuid}/findings"),
    ("POST", "/v1/alerts/{uuid}/indicators"),
    ("POST", "/v1/alerts/{uuid}/notes"),
    ("POST", "/v1/alerts/{uuid}/reopen"),
    // An agent may close an alert, so it may put one off, mark it, and tick what it has done.
    ("PUT", "/v1/alerts/{uuid}/snooze"),
    ("DELETE", "/v1/alerts/{uuid}/snooze"),
    ("PUT", "/v1/alerts/{uuid}/flags"),
    ("PUT", "/v1/alerts/{uuid}/checklist/{document_uuid}/{n}"),
    ("POST", "/v1/alerts/{uuid}/trigger-agents"),
    ("PATCH", "/v1/indicators/{uuid}"),
    ("POST", "/v1/enrichments"),
    ("POST", "/v1/agents"),
    ("PATCH", "/v1/agents/{uuid}"),
    ("POST", "/v1/agents/{uuid}/test"),
    // What a PATCH of is_active does, and the failures are forgotten.
    ("POST", "/v1/agents/{uuid}/enable"),
    ("POST", "/v1/agents/{uuid}/probe"),
    ("POST", "/v1/agents/{uuid}/recover"),
    ("POST", "/v1/agents/preview"),
    ("POST", "/v1/deliveries/{uuid}/cancel"),
    ("POST", "/v1/deliveries/{uuid}/redeliver"),
    ("POST", "/v1/deliveries/{uuid}/retry-now"),
    // What is tried and kept nowhere.
    ("POST", "/v1/indicator-mappings/test-extraction"),
    // The window's, which no key opens.
    ("POST", "/ui/first-key"),
    ("POST", "/ui/session"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_s_key_writes_only_what_is_left_to_it() -> Result<()> {
    let world = World::fresh().await?;
    let request = json!({"name": "agent", "scopes": all_scopes(), "key_type": "agent"});
    let (key, _) = key(&world, &request).await?;
    let left: BTreeSet<_> = LEFT_TO_AGENTS.iter().copied().collect();
    let (mut refused, mut failures) = (0, Vec::new());
    for route in operations() {
        if route.method == "GET" {
            continue;
        }
        let answer = call(&world, &route, Some(&format!("Bearer {key}"))).await?;
        let human_only = answer.status == 403 && answer.code() == "HUMAN_KEY_REQUIRED";
        if human_only == left.contains(&(&*route.method, route.path)) {
            let (method, path) = (&route.method, route.path);
            failures.push(format!(
                "{method} {path}: {} {}",
                answer.status,
                answer.code()
            ));
        }
        refused += usize::from(human_only);
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    ensure!(refused >= 35, "only {refused} routes want a human");
    Ok(())
}
