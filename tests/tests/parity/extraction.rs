//! Faults of indicator extraction: mappings, passes, spelling.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::world::World;
use serde_json::{Value, json};

use crate::fault::How::{Open, ShownBy};
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        20,
        "1.5",
        "A mapping of any type and target is stored, and ignored at extraction.",
        Open("POST /v1/indicator-mappings"),
    ),
    fault(
        21,
        "1.5",
        "A system mapping's type can be changed although it is read-only.",
        Open("PATCH /v1/indicator-mappings/{uuid}"),
    ),
    fault(
        36,
        "3.4",
        "Mappings reach neither arrays nor keys with dots.",
        Open("raw-payload mappings"),
    ),
    fault(
        37,
        "3.4",
        "No source fills the normalised fields, so that the second pass finds nothing.",
        ShownBy(
            "src-tauri/crates/domain/tests/samples.rs",
            "every_source_fills_fields_that_only_the_seeded_mappings_turn_into_indicators",
        ),
    ),
    fault(
        38,
        "3.4",
        "The fingerprint uses mappings as they were at start-up, and never the third pass.",
        Open("raw-payload mappings"),
    ),
    fault(
        39,
        "3.4",
        "Values are neither validated nor brought to one spelling.",
        shown!(an_indicator_has_one_spelling_and_is_checked),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_extraction_are_gone() -> Result<()> {
    show(FAULTS).await
}

/// An alert's indicators as `type value`, in order of the text.
pub(crate) async fn indicators(world: &World, alert: &Value) -> Result<Vec<String>> {
    let uuid = world.alert(alert).await?;
    let list = world
        .backend
        .get(&format!("/v1/alerts/{uuid}/indicators"))
        .await?;
    let all = list.as_array().context("a list")?;
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or("-").to_owned();
    let mut found: Vec<String> = all
        .iter()
        .map(|one| format!("{} {}", text(one, "type"), text(one, "value")))
        .collect();
    found.sort();
    Ok(found)
}

async fn an_indicator_has_one_spelling_and_is_checked(world: &World) -> Result<()> {
    let hash = "44d88612fea8a8f36de82e1278abb02f1c2d4f5e6a7b8c9d0e1f2a3b4c5d6e7f";
    let spelled = json!({"title": "spelled", "indicators": [
        {"type": "domain", "value": "EVIL[.]example.COM."},
        {"type": "domain", "value": "evil.example.com"},
        {"type": "hash_sha256", "value": hash.to_uppercase()},
        {"type": "hash_sha256", "value": &hash[..63]},
        {"type": "ip", "value": "2001:0DB8:0:0::1"},
        {"type": "ip", "value": "999.1.1.1"},
        {"type": "email", "value": "Mail@Example.COM"},
    ]});
    let found = indicators(world, &spelled).await?;
    let count = |kind: &str| found.iter().filter(|one| one.starts_with(kind)).count();
    ensure!(
        found.contains(&"domain evil.example.com".to_owned()),
        "{found:?}"
    );
    ensure!(
        count("domain ") == 1,
        "two spellings are one indicator: {found:?}"
    );
    ensure!(found.contains(&format!("hash_sha256 {hash}")), "{found:?}");
    ensure!(
        count("hash_sha256 ") == 1,
        "63 characters are no hash: {found:?}"
    );
    ensure!(found.contains(&"ip 2001:db8::1".to_owned()), "{found:?}");
    ensure!(count("ip ") == 1, "999 is no octet: {found:?}");
    ensure!(count("email ") == 1, "{found:?}");
    Ok(())
}
