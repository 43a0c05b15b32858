//! Faults of alerts: lists, details, lifecycle, activity, findings.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fault::How::ShownBy;
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        13,
        "1.5",
        "Lists have no tie-breaker: pages repeat and skip alerts of one moment.",
        shown!(pages_neither_repeat_nor_skip_alerts_of_one_moment),
    ),
    fault(
        14,
        "1.5",
        "An alert's detail shows the database's own number of its rule.",
        shown!(an_alert_shows_no_internal_number),
    ),
    fault(
        15,
        "1.5",
        "A private address puts the pseudo-provider _validation among the failed ones.",
        shown!(a_private_address_is_no_failed_provider),
    ),
    fault(
        16,
        "1.5",
        "The answer to PATCH lacks the rule and the documents, and says there are none.",
        shown!(a_changed_alert_is_answered_whole),
    ),
    fault(
        17,
        "1.5",
        "added_count counts indicators that the alert already had.",
        shown!(adding_indicators_counts_what_is_new),
    ),
    fault(
        18,
        "1.5",
        "Activity shows the database's own numbers of alert, workflow and rule.",
        shown!(activity_shows_no_internal_number),
    ),
    fault(
        19,
        "1.5",
        "PATCH of an indicator with an empty body resets its verdict.",
        shown!(an_empty_change_of_an_indicator_changes_nothing),
    ),
    fault(
        26,
        "2.1",
        "Lists cannot be filtered by the verdict, which is computed on reading.",
        shown!(lists_are_searched_by_verdict),
    ),
    fault(
        27,
        "2.2",
        "An alert closed a second time keeps the time of its first closing.",
        shown!(a_second_closing_has_its_own_time),
    ),
    fault(
        29,
        "2.4",
        "Findings posted at once overwrite one another.",
        ShownBy(
            "tests/tests/main_job/findings.rs",
            "fifty_findings_at_once_from_fifty_keys_are_fifty_findings",
        ),
    ),
    fault(
        30,
        "2.6",
        "The relationship graph costs one query for each indicator.",
        ShownBy(
            "src-tauri/crates/store/tests/it/alerts.rs",
            "the_graph_shows_the_newest_other_alerts_of_every_indicator",
        ),
    ),
    fault(
        122,
        "12",
        "The agent's payload is shown as the answer of the API, not as the webhook.",
        shown!(the_payload_that_is_shown_is_the_webhook),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_alerts_are_gone() -> Result<()> {
    show(FAULTS).await
}

/// Walks a list to its end; the uuids in order. Each page gives the query of the next.
async fn walk(
    world: &World,
    first: &str,
    next: impl Fn(&Value, usize) -> Option<String>,
) -> Result<Vec<String>> {
    let (mut path, mut found, mut page) = (first.to_owned(), Vec::new(), 1);
    loop {
        let admin = world.backend.admin();
        let (status, body) = world.backend.call(admin, Method::GET, &path, None).await?;
        ensure!(status == 200, "{path}: {body}");
        let rows = body["data"].as_array().context("a list")?;
        let uuids = rows.iter().filter_map(|row| row["uuid"].as_str());
        found.extend(uuids.map(str::to_owned));
        page += 1;
        match next(&body["meta"], page).filter(|_| !rows.is_empty() && page < 100) {
            Some(following) => path = following,
            None => return Ok(found),
        }
    }
}

async fn pages_neither_repeat_nor_skip_alerts_of_one_moment(world: &World) -> Result<()> {
    const ALERTS: usize = 25;
    let mut made = BTreeSet::new();
    for n in 0..ALERTS {
        let alert = json!({
            "title": format!("one moment {n}"), "severity": "Low", "tags": ["one-moment"],
            "occurred_at": "2026-03-01T12:00:00Z",
        });
        made.insert(world.alert(&alert).await?);
    }
    for sort in [
        "",
        "&sort_by=severity",
        "&sort_by=occurred_at&sort_order=asc",
    ] {
        let at = |page: usize| format!("/v1/alerts?tags=one-moment&page_size=7&page={page}{sort}");
        let by_page = walk(world, &at(1), |_, page| Some(at(page))).await?;
        ensure!(by_page.len() == ALERTS, "{sort}: {} alerts", by_page.len());
        ensure!(
            by_page.into_iter().collect::<BTreeSet<_>>() == made,
            "{sort}"
        );
    }
    let first = "/v1/alerts?tags=one-moment&page_size=7&cursor=";
    let by_cursor = walk(world, first, |meta, _| {
        let cursor = meta["next_cursor"].as_str()?;
        Some(format!("{first}{cursor}"))
    })
    .await?;
    ensure!(by_cursor.len() == ALERTS, "by cursor: {}", by_cursor.len());
    ensure!(
        by_cursor.into_iter().collect::<BTreeSet<_>>() == made,
        "by cursor"
    );
    Ok(())
}

/// The paths of keys that look like a row's number.
fn internal_numbers(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = format!("{path}/{name}");
                if field.is_number() && (name == "id" || name.ends_with("_id")) {
                    found.push(path.clone());
                }
                internal_numbers(field, &path, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                internal_numbers(item, path, found);
            }
        }
        _ => {}
    }
}

fn none_internal(answer: &Value) -> Result<()> {
    let mut found = Vec::new();
    internal_numbers(answer, "", &mut found);
    ensure!(found.is_empty(), "{found:?}");
    // The control: a number would be seen where v1.1.0 had it.
    internal_numbers(&json!([{"detection_rule_id": 7}]), "", &mut found);
    ensure!(found.len() == 1, "{found:?}");
    Ok(())
}

/// An alert with a rule, a document that applies, and a finding.
async fn whole_alert(world: &World, title: &str) -> Result<String> {
    let document = json!({
        "title": title, "document_type": "sop", "content": "c",
        "targeting_rules": {"match_any": [{"field": "tags", "op": "contains", "value": title}]},
    });
    world
        .backend
        .post("/v1/context-documents", &document)
        .await?;
    let alert = json!({"title": title, "rule_id": title, "tags": [title], "src_ip": "203.0.113.5"});
    let uuid = world.alert(&alert).await?;
    world.settled(&uuid).await?;
    let path = format!("/v1/alerts/{uuid}/findings");
    world.backend.post(&path, &json!({"summary": "s"})).await?;
    Ok(uuid)
}

async fn an_alert_shows_no_internal_number(world: &World) -> Result<()> {
    let uuid = whole_alert(world, "numbers").await?;
    let alert = world.backend.get(&format!("/v1/alerts/{uuid}")).await?;
    ensure!(alert["detection_rule"]["uuid"].is_string(), "{alert}");
    none_internal(&alert)
}

async fn activity_shows_no_internal_number(world: &World) -> Result<()> {
    let uuid = whole_alert(world, "activity").await?;
    let activity = world
        .backend
        .get(&format!("/v1/alerts/{uuid}/activity"))
        .await?;
    ensure!(
        activity.as_array().is_some_and(|all| all.len() >= 3),
        "{activity}"
    );
    none_internal(&activity)
}

async fn a_private_address_is_no_failed_provider(world: &World) -> Result<()> {
    let alert = json!({"title": "private", "src_ip": "10.20.30.40", "hostname": "db.internal"});
    let uuid = world.alert(&alert).await?;
    world.settled(&uuid).await?;
    let admin = world.backend.admin();
    let path = format!("/v1/alerts/{uuid}");
    let (_, body) = world.backend.call(admin, Method::GET, &path, None).await?;
    let enrichment = &body["meta"]["enrichment"];
    for list in ["succeeded", "failed"] {
        ensure!(enrichment[list] == json!([]), "{list}: {enrichment}");
    }
    ensure!(
        !body.to_string().contains("_validation"),
        "no pseudo-provider"
    );
    ensure!(
        body["data"]["indicators"]
            .as_array()
            .is_some_and(|all| all.len() == 2),
        "{body}"
    );
    Ok(())
}

async fn a_changed_alert_is_answered_whole(world: &World) -> Result<()> {
    let uuid = whole_alert(world, "whole").await?;
    let (status, body) = world
        .patch_alert(&uuid, &json!({"severity": "Low"}))
        .await?;
    ensure!(status == 200, "{body}");
    ensure!(
        body["data"]["detection_rule"]["source_rule_id"] == "whole",
        "{body}"
    );
    let documents = body["data"]["context_documents"]
        .as_array()
        .context("documents")?;
    ensure!(documents.len() == 1, "{documents:?}");
    ensure!(
        body["meta"]["context_documents_applied"] == 1,
        "{}",
        body["meta"]
    );
    ensure!(
        body["meta"]["detection_rule_matched"] == true,
        "{}",
        body["meta"]
    );
    Ok(())
}

async fn a_second_closing_has_its_own_time(world: &World) -> Result<()> {
    let uuid = world.alert(&json!({"title": "closed twice"})).await?;
    let close = json!({"status": "Closed", "close_classification": "Undetermined"});
    let (_, first) = world.patch_alert(&uuid, &close).await?;
    let path = format!("/v1/alerts/{uuid}/reopen");
    let reopened = world.backend.post(&path, &json!({})).await?;
    ensure!(reopened["closed_at"].is_null(), "{reopened}");
    let (_, second) = world.patch_alert(&uuid, &close).await?;
    let (first, second) = (&first["data"]["closed_at"], &second["data"]["closed_at"]);
    ensure!(
        first.is_string() && second.is_string() && first != second,
        "{first} {second}"
    );
    Ok(())
}

async fn adding_indicators_counts_what_is_new(world: &World) -> Result<()> {
    let alert = world
        .alert(&json!({"title": "added to", "src_ip": "203.0.113.61"}))
        .await?;
    let path = format!("/v1/alerts/{alert}/indicators");
    let request = json!({"indicators": [
        {"type": "ip", "value": "203.0.113.61"}, {"type": "ip", "value": "203.0.113.62"},
        {"type": "ip", "value": " 203.0.113.62 "},
    ]});
    let added = world.backend.post(&path, &request).await?;
    ensure!(added["added_count"] == 1, "one of them is new: {added}");
    let again = world.backend.post(&path, &request).await?;
    ensure!(again["added_count"] == 0, "{again}");
    let all = world.backend.get(&path).await?;
    ensure!(all.as_array().is_some_and(|all| all.len() == 2), "{all}");
    Ok(())
}

async fn an_empty_change_of_an_indicator_changes_nothing(world: &World) -> Result<()> {
    let alert = world
        .alert(&json!({"title": "judged", "src_ip": "203.0.113.63"}))
        .await?;
    world.settled(&alert).await?;
    let list = world
        .backend
        .get(&format!("/v1/alerts/{alert}/indicators"))
        .await?;
    let path = format!(
        "/v1/indicators/{}",
        list[0]["uuid"].as_str().context("uuid")?
    );
    let set = world
        .backend
        .patch(&path, &json!({"malice": "Malicious"}))
        .await?;
    ensure!(
        set["malice"] == "Malicious" && set["malice_source"] == "analyst",
        "{set}"
    );
    let kept = world.backend.patch(&path, &json!({})).await?;
    ensure!(kept["malice"] == "Malicious", "absent keeps: {kept}");
    let reset = world.backend.patch(&path, &json!({"malice": null})).await?;
    ensure!(reset["malice"] == "Pending", "null resets: {reset}");
    Ok(())
}

async fn lists_are_searched_by_verdict(world: &World) -> Result<()> {
    let alert = world.alert(&json!({"title": "of a verdict"})).await?;
    world.settled(&alert).await?;
    world
        .patch_alert(&alert, &json!({"malice_override": "Malicious"}))
        .await?;
    let found = async |verdict: &str| -> Result<bool> {
        let list = world
            .backend
            .get(&format!("/v1/alerts?q=verdict:{verdict}"))
            .await?;
        let all = list.as_array().context("a list")?;
        Ok(all.iter().any(|one| one["uuid"] == json!(alert)))
    };
    calseta_tests::backend::wait_for("the search knows the verdict", || async {
        Ok(found("malicious").await?.then_some(()))
    })
    .await?;
    ensure!(
        !found("benign").await?,
        "the control: another verdict does not find it"
    );
    Ok(())
}

/// Without the moment at which it was built, which is all that may differ.
fn timeless(mut body: Value) -> Result<Value> {
    let built = body.pointer_mut("/alert/_metadata/generated_at");
    let built = built.context("generated_at")?;
    ensure!(built.is_string(), "{built}");
    *built = Value::Null;
    Ok(body)
}

async fn the_payload_that_is_shown_is_the_webhook(world: &World) -> Result<()> {
    let agent = world.agent(&json!({"tags": ["shown-payload"]})).await?;
    let payload = json!({
        "title": "shown", "severity": "High", "tags": ["shown-payload"], "src_ip": "203.0.113.44",
        "rule": {"id": "shown-1", "name": "Shown"}, "notes": "a \" quote, ü",
    });
    let alert = world.alert(&payload).await?;
    let delivered = agent.recorder.wait(1).await?;
    let delivered: Value = serde_json::from_slice(&delivered[0].body)?;
    let path = format!("/v1/alerts/{alert}/agent-payload?agent_uuid={}", agent.uuid);
    let shown = world.backend.get(&path).await?;
    let (sent, body) = (timeless(delivered)?, timeless(shown["body"].clone())?);
    ensure!(sent == body, "sent {sent}\nshown {body}");
    let sections = shown["tokens_by_section"].as_array().context("sections")?;
    let named: BTreeSet<_> = sections
        .iter()
        .filter_map(|one| one["section"].as_str())
        .collect();
    let keys: BTreeSet<_> = body.as_object().context("a body")?.keys().collect();
    ensure!(
        named.len() == keys.len() && keys.iter().all(|key| named.contains(key.as_str())),
        "{named:?}"
    );
    // The control: what has changed since is shown as it is now.
    let (status, _) = world
        .patch_alert(&alert, &json!({"severity": "Low"}))
        .await?;
    ensure!(status == 200, "{status}");
    let now = timeless(world.backend.get(&path).await?["body"].clone())?;
    ensure!(
        now != sent,
        "the payload is not built from what is stored now"
    );
    Ok(())
}
