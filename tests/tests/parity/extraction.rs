//! Faults of indicator extraction: mappings, passes, spelling.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::world::{World, refused};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fault::How::ShownBy;
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        20,
        "1.5",
        "A mapping of any type and target is stored, and ignored at extraction.",
        shown!(a_mapping_of_an_unknown_type_or_target_is_refused),
    ),
    fault(
        21,
        "1.5",
        "A system mapping's type can be changed although it is read-only.",
        shown!(a_system_mapping_is_only_switched),
    ),
    fault(
        36,
        "3.4",
        "Mappings reach neither arrays nor keys with dots.",
        shown!(mappings_reach_arrays_and_dotted_keys),
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
        shown!(the_fingerprint_follows_the_mappings_of_now),
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

const MAPPINGS: &str = "/v1/indicator-mappings";

async fn a_mapping_of_an_unknown_type_or_target_is_refused(world: &World) -> Result<()> {
    let admin = world.backend.admin();
    for (field, value) in [("indicator_type", "ipv4"), ("extraction_target", "raw")] {
        let mut mapping = json!({
            "field_path": "a.b", "indicator_type": "ip", "extraction_target": "raw_payload",
        });
        mapping[field] = json!(value);
        let answer = world
            .backend
            .call(admin, Method::POST, MAPPINGS, Some(&mapping))
            .await?;
        let details = refused(&answer, (422, "VALIDATION_ERROR"));
        ensure!(details["errors"][0]["path"] == field, "{details}");
    }
    Ok(())
}

async fn a_system_mapping_is_only_switched(world: &World) -> Result<()> {
    let list = world
        .backend
        .get(&format!("{MAPPINGS}?is_system=true"))
        .await?;
    let path = format!("{MAPPINGS}/{}", list[0]["uuid"].as_str().context("uuid")?);
    let admin = world.backend.admin();
    for patch in [
        json!({"indicator_type": "url"}),
        json!({"field_path": "dns_query"}),
        json!({"description": "other"}),
    ] {
        let answer = world
            .backend
            .call(admin, Method::PATCH, &path, Some(&patch))
            .await?;
        refused(&answer, (422, "SYSTEM_MAPPING_READONLY"));
    }
    let off = world
        .backend
        .patch(&path, &json!({"is_active": false}))
        .await?;
    ensure!(off["is_active"] == false, "{off}");
    world
        .backend
        .patch(&path, &json!({"is_active": true}))
        .await?;
    Ok(())
}

async fn map(world: &World, path: &str) -> Result<String> {
    let mapping = json!({
        "source_name": "generic", "field_path": path, "indicator_type": "ip",
        "extraction_target": "raw_payload",
    });
    let made = world.backend.post(MAPPINGS, &mapping).await?;
    Ok(format!(
        "{MAPPINGS}/{}",
        made["uuid"].as_str().context("uuid")?
    ))
}

async fn mappings_reach_arrays_and_dotted_keys(world: &World) -> Result<()> {
    for path in ["hosts.address", "threat.indicator.ip"] {
        map(world, path).await?;
    }
    let alert = json!({
        "title": "mapped", "threat.indicator.ip": "203.0.113.71",
        "hosts": [{"address": "203.0.113.72"}, {"address": ["203.0.113.73"]}],
    });
    let found = indicators(world, &alert).await?;
    let expected = ["ip 203.0.113.71", "ip 203.0.113.72", "ip 203.0.113.73"];
    ensure!(found == expected, "{found:?}");
    Ok(())
}

async fn the_fingerprint_follows_the_mappings_of_now(world: &World) -> Result<()> {
    let post = async |address: &str| {
        let alert = json!({"title": "fingerprinted", "deep": {"address": address}});
        let view = world.ingest("generic", &alert).await?;
        Ok::<_, anyhow::Error>(view["status"].as_str().unwrap_or("-").to_owned())
    };
    let mapping = map(world, "deep.address").await?;
    ensure!(post("203.0.113.81").await? == "queued");
    ensure!(
        post("203.0.113.82").await? == "queued",
        "another address, another alert"
    );
    ensure!(post("203.0.113.81").await? == "deduplicated", "the control");
    // At once, without a restart: the address does not count any more.
    world
        .backend
        .patch(&mapping, &json!({"is_active": false}))
        .await?;
    ensure!(
        post("203.0.113.83").await? == "queued",
        "the first without addresses"
    );
    ensure!(post("203.0.113.84").await? == "deduplicated");
    Ok(())
}
