//! Every sample of every source, from the sender's bytes to the agent's webhook.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use calseta_domain::Timestamp;
use calseta_tests::backend::{Backend, wait_for};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

const SOURCES: [&str; 4] = ["generic", "sentinel", "elastic", "splunk"];
/// Fewer would leave out a vendor's shape.
const MIN_A_SOURCE: usize = 4;

/// A sample: its name for people, its text and what an analyst reads out of it.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) expected: Value,
}

pub(crate) fn samples(source: &str) -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../assets/samples")
        .join(source);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the samples' folder")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.to_string_lossy().ends_with(".json"))
        .filter(|path| path.with_extension("expected.json").exists())
        .collect();
    files.sort();
    let read = |path: PathBuf| std::fs::read_to_string(path).expect("readable");
    files
        .into_iter()
        .map(|file| {
            let stem = file.file_stem().expect("a name").to_string_lossy();
            let expected = read(file.with_extension("expected.json"));
            Sample {
                name: format!("{source}-{stem}"),
                expected: serde_json::from_str(&expected).expect("JSON"),
                text: read(file),
            }
        })
        .collect()
}

fn pairs(list: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = list.as_array().into_iter().flatten();
    list.map(|one| (text(&one["type"]), text(&one["value"])))
        .collect()
}

fn time(value: &Value) -> Option<Timestamp> {
    serde_json::from_value(value.clone()).ok()
}

/// What `GET /v1/alerts/{uuid}` says against what an analyst reads.
pub(crate) fn compare(name: &str, expected: &Value, shown: &Value) {
    assert_eq!(shown["title"], expected["title"], "{name}");
    assert_eq!(shown["severity"], expected["severity"], "{name}");
    assert_eq!(shown["tags"], expected["tags"], "{name}");
    let happened = time(&expected["occurred_at"]).or_else(|| time(&shown["ingested_at"]));
    assert_eq!(
        time(&shown["occurred_at"]),
        happened,
        "{name}: the sender's time, else the time it came in"
    );
    assert_eq!(
        pairs(&shown["indicators"]),
        pairs(&expected["indicators"]),
        "{name}: neither a missed indicator nor an invented one"
    );
    let rule = &shown["detection_rule"];
    if expected["rule"].is_null() {
        assert_eq!(rule, &Value::Null, "{name}");
    } else {
        for field in ["source_rule_id", "name"] {
            assert_eq!(rule[field], expected["rule"][field], "{name}: {field}");
        }
    }
}

/// The payload without what differs from run to run. The sender's own part was compared already.
fn stable(mut payload: Value, occurred_at_is_ours: bool) -> Value {
    let alert = &mut payload["alert"];
    assert!(alert["raw_payload"].take() != Value::Null);
    alert["raw_payload"] = json!("[the sample]");
    alert["uuid"] = json!("[uuid]");
    if occurred_at_is_ours {
        alert["occurred_at"] = json!("[time]");
    }
    let metadata = &mut alert["_metadata"];
    metadata["generated_at"] = json!("[time]");
    metadata["enrichment"]["enriched_at"] = json!("[time]");
    for indicator in payload["indicators"].as_array_mut().into_iter().flatten() {
        indicator["uuid"] = json!("[uuid]");
    }
    payload["calseta_api_base_url"] = json!("[address]");
    payload
}

/// Posts a sender's exact text; the answer's `data`.
async fn post_text(world: &World, path: &str, text: &str) -> Result<(u16, Value)> {
    let admin = world.backend.admin();
    let answer = world
        .raw(admin, (Method::POST, path), &[], text.as_bytes())
        .await?;
    Ok((answer.status, answer.json()))
}

async fn shown(backend: &Backend, uuid: &str) -> Result<Value> {
    let path = format!("/v1/alerts/{uuid}");
    wait_for("the alert is matched", || async {
        let alert = backend.get(&path).await?;
        Ok((alert["is_enriched"] == json!(true)).then_some(alert))
    })
    .await
}

async fn check_source(source: &str) -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let all = samples(source);
    ensure!(
        all.len() >= MIN_A_SOURCE,
        "{source} has {} samples",
        all.len()
    );
    for (number, sample) in all.iter().enumerate() {
        let (name, verbatim) = (&sample.name, sample.text.trim());
        let path = format!("/v1/ingest/{source}");
        let (status, answer) = post_text(&world, &path, &sample.text).await?;
        assert_eq!(status, 202, "{name}: {answer}");
        let uuid = answer["data"]["alert_uuid"].as_str().context("a uuid")?;
        compare(name, &sample.expected, &shown(&world.backend, uuid).await?);

        let webhook = agent.recorder.wait(number + 1).await?.remove(number);
        let payload = webhook.json();
        assert_eq!(payload["alert"]["uuid"], json!(uuid), "{name}");
        let body = std::str::from_utf8(&webhook.body)?;
        assert!(
            body.contains(&format!("\"raw_payload\":{verbatim},\"_metadata\"")),
            "{name}: the agent gets the sender's text, byte for byte"
        );
        let ours = sample.expected["occurred_at"].is_null();
        snapshot(name, &stable(payload, ours));

        let read_again = format!("/v1/alerts/{uuid}");
        let admin = world.backend.admin();
        let answer = world
            .raw(admin, (Method::GET, &read_again), &[], b"")
            .await?;
        assert!(
            std::str::from_utf8(&answer.bytes)?.contains(verbatim),
            "{name}: the analyst sees the sender's text, byte for byte"
        );
        same_through_alerts(&world, source, sample, uuid).await?;
    }
    Ok(())
}

fn snapshot(name: &str, payload: &Value) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_json_snapshot!(name, payload));
}

/// `POST /v1/alerts` reads the same payload as the same alert: it is counted as a repetition.
async fn same_through_alerts(
    world: &World,
    source: &str,
    sample: &Sample,
    uuid: &str,
) -> Result<()> {
    let (name, verbatim) = (&sample.name, sample.text.trim());
    let body = format!("{{\"source_name\":\"{source}\",\"payload\":{verbatim}}}");
    let (status, answer) = post_text(world, "/v1/alerts", &body).await?;
    if verbatim.starts_with('[') {
        assert_eq!(status, 422, "{name}: a payload is an object: {answer}");
        return Ok(());
    }
    assert_eq!(status, 202, "{name}: {answer}");
    assert_eq!(
        (&answer["data"]["status"], &answer["data"]["alert_uuid"]),
        (&json!("deduplicated"), &json!(uuid)),
        "{name}: the same title, source and indicators were read"
    );
    Ok(())
}

#[tokio::test]
async fn every_generic_sample_is_read_and_delivered_as_an_analyst_reads_it() -> Result<()> {
    check_source(SOURCES[0]).await
}

#[tokio::test]
async fn every_sentinel_sample_is_read_and_delivered_as_an_analyst_reads_it() -> Result<()> {
    check_source(SOURCES[1]).await
}

#[tokio::test]
async fn every_elastic_sample_is_read_and_delivered_as_an_analyst_reads_it() -> Result<()> {
    check_source(SOURCES[2]).await
}

#[tokio::test]
async fn every_splunk_sample_is_read_and_delivered_as_an_analyst_reads_it() -> Result<()> {
    check_source(SOURCES[3]).await
}

#[tokio::test]
async fn numbers_spelling_and_order_of_a_payload_survive() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    // What a parser would lose: big numbers, `1.0`, escapes, blanks, a key given twice.
    let text = r#"{ "title":"Verbatim", "id": 123456789012345678901234567890, "f": 1.0e+2,
        "u": "\u0041\/", "z": 1, "a": 2, "z": 3 }"#;
    let (status, answer) = post_text(&world, "/v1/ingest/generic", text).await?;
    assert_eq!(status, 202, "{answer}");
    let webhook = agent.recorder.wait(1).await?.remove(0);
    assert!(
        std::str::from_utf8(&webhook.body)?.contains(text),
        "evidence is not written anew: {}",
        String::from_utf8_lossy(&webhook.body)
    );
    Ok(())
}

#[tokio::test]
async fn a_vendor_s_bundle_becomes_an_alert_for_each_of_its_entries() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let entries = [
        r#"{ "title": "First of two", "n": 1.0e+2 }"#,
        r#"{"title":"Second of two","n":123456789012345678901234567890}"#,
    ];
    let bundle = format!("[{},\n {}]", entries[0], entries[1]);
    let (status, answer) = post_text(&world, "/v1/ingest/generic", &bundle).await?;
    assert_eq!(status, 202, "{answer}");
    let named = answer["meta"]["alerts"].as_array().map(Vec::len);
    assert_eq!(named, Some(2), "nothing of a bundle is lost without a word");
    let seen = agent.recorder.wait(2).await?;
    for entry in entries {
        let raw = format!("\"raw_payload\":{entry},\"_metadata\"");
        let arrived = seen
            .iter()
            .any(|one| String::from_utf8_lossy(&one.body).contains(&raw));
        assert!(arrived, "each keeps its sender's text: {entry}");
    }
    Ok(())
}
