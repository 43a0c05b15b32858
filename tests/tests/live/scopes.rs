//! Who sees what: a key reads the events of its scopes, and no others.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::wait_for;
use calseta_tests::world::World;
use serde_json::{Value, json};

use crate::changes::Script;
use crate::complete::reader;

/// Scopes with the nouns whose events they may read. `admin` reads all.
const MAY_READ: &[(&str, &[&str])] = &[
    (
        "alerts:read",
        &[
            "alert",
            "finding",
            "document",
            "rule",
            "source",
            "view",
            "suppression",
        ],
    ),
    ("alerts:write", &[]),
    ("enrichments:read", &["indicator", "provider", "extraction"]),
    ("agents:read", &["agent", "delivery"]),
    ("agents:write", &[]),
    ("workflows:read", &["run", "workflow"]),
    ("workflows:write", &[]),
    ("workflows:execute", &[]),
    ("approvals:write", &["approval"]),
];

fn noun(event: &Value) -> &str {
    let kind = event["type"].as_str().unwrap_or_default();
    kind.split_once('.').map_or(kind, |(noun, _)| noun)
}

/// The events of the log that these nouns have.
fn visible(log: &[Value], nouns: &[&str]) -> Vec<Value> {
    let all = log.iter().filter(|event| nouns.contains(&noun(event)));
    all.cloned().collect()
}

async fn key(world: &World, scope: &str) -> Result<String> {
    let request = json!({"name": scope, "scopes": [scope]});
    let made = world.backend.post("/v1/api-keys", &request).await?;
    Ok(made["key"].as_str().context("key")?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_reads_the_events_of_its_scopes_and_no_others() -> Result<()> {
    let world = World::fresh().await?;
    let mut keys = Vec::new();
    for (scope, nouns) in MAY_READ {
        keys.push((*scope, *nouns, key(&world, scope).await?));
    }
    let mut script = Script::new(&world);
    script.run().await?;
    let last = script.expected.last().context("a change")?.clone();
    let all = reader(&world, world.backend.admin());
    let log = wait_for("everything is in the log", || async {
        let log = all.log().await?;
        let done = log.iter().any(|event| event["type"] == last.kind);
        Ok(done.then_some(log))
    })
    .await?;
    let mut seen = 0;
    for (scope, nouns, key) in keys {
        let expected = visible(&log, nouns);
        let key = reader(&world, &key);
        let polled = key.log().await?;
        ensure!(polled == expected, "{scope} polls {polled:?}");
        let streamed = key.resumed(expected.len(), 5).await?;
        ensure!(streamed == expected, "{scope} streams {streamed:?}");
        seen += usize::from(!expected.is_empty());
    }
    ensure!(seen >= 3, "the control: with its scope a key sees events");
    ensure!(
        log.iter().any(|event| noun(event) == "key"),
        "the control: an admin sees what no other scope shows"
    );
    Ok(())
}
