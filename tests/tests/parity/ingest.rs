//! Faults of ingest: sources, normalisers, repetitions.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::json;

use crate::fault::How::ShownBy;
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        25,
        "1.5",
        "A source's record changes nothing: neither switching it off nor its secret.",
        shown!(a_source_switches_ingest_and_checks_its_secret),
    ),
    fault(
        31,
        "3.2",
        "The window of repetitions runs from the first alert, not from the last sighting.",
        ShownBy(
            "src-tauri/crates/engine/src/stage/tests.rs",
            "the_dedup_window_runs_from_the_last_sighting",
        ),
    ),
    fault(
        32,
        "3.2",
        "A closed alert swallows its recurrences.",
        ShownBy(
            "tests/tests/main_job/dedup.rs",
            "a_closed_alert_does_not_swallow_its_recurrence",
        ),
    ),
    fault(
        33,
        "3.2",
        "Two identical alerts at once become two.",
        ShownBy(
            "tests/tests/main_job/dedup.rs",
            "identical_posts_at_once_make_exactly_one_alert",
        ),
    ),
    fault(
        34,
        "3.3",
        "A generic alert's description is dropped.",
        shown!(a_generic_alert_keeps_its_description),
    ),
    fault(
        35,
        "3.3",
        "A rule id that is a number raises an error that is swallowed, and no rule is linked.",
        shown!(a_rule_id_may_be_a_number),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_ingest_are_gone() -> Result<()> {
    show(FAULTS).await
}

async fn a_generic_alert_keeps_its_description(world: &World) -> Result<()> {
    let alert = json!({"title": "described", "description": "what happened"});
    let uuid = world.alert(&alert).await?;
    let alert = world.backend.get(&format!("/v1/alerts/{uuid}")).await?;
    ensure!(alert["description"] == "what happened", "{alert}");
    Ok(())
}

async fn a_rule_id_may_be_a_number(world: &World) -> Result<()> {
    let alert = json!({"title": "numbered", "rule_id": 4711});
    let uuid = world.alert(&alert).await?;
    let alert = world.backend.get(&format!("/v1/alerts/{uuid}")).await?;
    ensure!(
        alert["detection_rule"]["source_rule_id"] == "4711",
        "{alert}"
    );
    Ok(())
}

async fn a_source_switches_ingest_and_checks_its_secret(world: &World) -> Result<()> {
    let all = world.backend.get("/v1/sources").await?;
    let mut all = all.as_array().context("a list")?.iter();
    let splunk = all.find(|one| one["source_name"] == "splunk");
    let uuid = splunk
        .and_then(|one| one["uuid"].as_str())
        .context("splunk")?;
    let path = format!("/v1/sources/{uuid}");
    let post = async |headers: &[(&str, &str)]| {
        let body = br#"{"search_name": "s", "result": {"src": "203.0.113.64"}}"#;
        let route = (Method::POST, "/v1/ingest/splunk");
        world.raw(world.backend.admin(), route, headers, body).await
    };
    let plain = post(&[]).await?;
    ensure!(plain.status == 202, "the control: {}", plain.json());
    world
        .backend
        .patch(&path, &json!({"is_active": false}))
        .await?;
    let off = post(&[]).await?;
    ensure!(off.status == 503, "{}: {}", off.status, off.json());
    ensure!(
        off.json()["error"]["code"] == "INGEST_PAUSED",
        "{}",
        off.json()
    );
    ensure!(
        !off.header("retry-after").is_empty(),
        "senders learn when to come again"
    );
    let on = json!({"is_active": true, "webhook_secret": "the-secret-of-splunk"});
    let shown = world.backend.patch(&path, &on).await?;
    ensure!(
        !shown.to_string().contains("the-secret-of-splunk"),
        "{shown}"
    );
    let header = "x-splunk-webhook-secret";
    for (headers, status) in [
        (vec![], 401),
        (vec![(header, "another")], 401),
        (vec![(header, "the-secret-of-splunk")], 202),
    ] {
        let answer = post(&headers).await?;
        ensure!(answer.status == status, "{headers:?}: {}", answer.json());
    }
    Ok(())
}
