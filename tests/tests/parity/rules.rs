//! Faults of detection rules.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::world::{World, repository_text};
use serde_json::{Value, json};

use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        22,
        "1.5",
        "A rule's metrics name their window from and to, unlike all other metrics.",
        shown!(a_rule_s_metrics_take_the_names_of_all_metrics),
    ),
    fault(
        56,
        "5",
        "First alerts at once make two stubs of a rule, after which its lookup fails for ever.",
        shown!(first_alerts_at_once_make_one_rule),
    ),
    fault(
        57,
        "5",
        "A rule made from an alert is named by an opaque id although the payload has its name.",
        shown!(a_rule_made_from_an_alert_has_its_human_name),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_rules_are_gone() -> Result<()> {
    show(FAULTS).await
}

async fn first_alerts_at_once_make_one_rule(world: &World) -> Result<()> {
    const AT_ONCE: u8 = 12;
    let posts = (0..AT_ONCE).map(|n| async move {
        let alert = json!({"title": format!("at once {n}"), "rule_id": "at-once"});
        world.alert(&alert).await
    });
    let alerts = futures(posts).await?;
    let mut linked = BTreeSet::new();
    for uuid in alerts {
        let alert = world.backend.get(&format!("/v1/alerts/{uuid}")).await?;
        let rule = alert["detection_rule"]["uuid"].as_str().context("a rule")?;
        linked.insert(rule.to_owned());
    }
    ensure!(linked.len() == 1, "one rule for all: {linked:?}");
    let rules = world
        .backend
        .get("/v1/detection-rules?page_size=500")
        .await?;
    let rules = rules.as_array().context("a list")?;
    let of_it = rules
        .iter()
        .filter(|rule| rule["source_rule_id"] == "at-once");
    ensure!(of_it.count() == 1, "{rules:?}");
    // It goes on being found.
    let alert = json!({"title": "afterwards", "rule_id": "at-once"});
    let uuid = world.alert(&alert).await?;
    let alert = world.backend.get(&format!("/v1/alerts/{uuid}")).await?;
    ensure!(
        linked.contains(alert["detection_rule"]["uuid"].as_str().unwrap_or("-")),
        "{alert}"
    );
    Ok(())
}

/// Runs them at once; all their values.
async fn futures<T: Send>(
    all: impl Iterator<Item = impl Future<Output = Result<T>>>,
) -> Result<Vec<T>> {
    let mut running: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in running.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value?);
            }
        }
        if done.iter().all(Option::is_some) {
            return std::task::Poll::Ready(Ok(()));
        }
        std::task::Poll::Pending
    })
    .await
    .map(|()| done.into_iter().flatten().collect())
}

async fn a_rule_made_from_an_alert_has_its_human_name(world: &World) -> Result<()> {
    for (source, sample) in [
        ("sentinel", "02-incident-with-entities"),
        ("elastic", "01-alert-document-flat"),
    ] {
        let text = repository_text(&format!("assets/samples/{source}/{sample}.json"));
        let payload: Value = serde_json::from_str(&text)?;
        let made = world.ingest(source, &payload).await?;
        let uuid = made["alert_uuid"].as_str().context("alert_uuid")?;
        let alert = world.backend.get(&format!("/v1/alerts/{uuid}")).await?;
        let rule = &alert["detection_rule"];
        let (name, id) = (&rule["name"], &rule["source_rule_id"]);
        ensure!(id.is_string() && name != id, "{source}: {rule}");
        ensure!(
            name.as_str().is_some_and(|name| name.contains(' ')),
            "{source}: {rule}"
        );
    }
    Ok(())
}

async fn a_rule_s_metrics_take_the_names_of_all_metrics(world: &World) -> Result<()> {
    let rule = json!({"name": "measured", "source_name": "generic", "source_rule_id": "m"});
    let rule = world.backend.post("/v1/detection-rules", &rule).await?;
    let path = format!(
        "/v1/detection-rules/{}/metrics",
        rule["uuid"].as_str().context("uuid")?
    );
    let (from, to) = ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z");
    for query in [
        format!("from_time={from}&to_time={to}"),
        format!("from={from}&to={to}"),
    ] {
        let metrics = world.backend.get(&format!("{path}?{query}")).await?;
        ensure!(
            metrics["period_from"] == from && metrics["period_to"] == to,
            "{query}: {metrics}"
        );
    }
    Ok(())
}
