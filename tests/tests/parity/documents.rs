//! Faults of context documents.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::world::{World, refused};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fault::How::NotApplicable;
use crate::fault::{Fault, fault, show, shown};

const CONVERTED: &str = "stays in the request, whose answer then says at once whether the file \
                         can be read; it runs on a thread of its own, few at once, with a deadline";
const CHOSEN: &str = "cannot be seen from outside: rules are judged on documents without their \
                      content, which is read of those that apply";

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        58,
        "6",
        "A document has a version number and no history.",
        shown!(old_versions_are_read_and_restored),
    ),
    fault(
        59,
        "6",
        "An uploaded file is converted inside the request, on the thread that answers others.",
        NotApplicable(CONVERTED),
    ),
    fault(
        60,
        "6",
        "A bad type in a form and malformed JSON are 500; the message repeats the input.",
        shown!(a_bad_document_is_refused_by_field),
    ),
    fault(
        61,
        "6",
        "gte and lte compare severities as numbers, so that they never match.",
        shown!(severities_are_ordered_in_targeting),
    ),
    fault(
        62,
        "6",
        "A document that is not global and has no rules is given to every alert.",
        shown!(without_rules_a_document_matches_nothing),
    ),
    fault(
        63,
        "6",
        "Every evaluation loads all documents with their content.",
        NotApplicable(CHOSEN),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_documents_are_gone() -> Result<()> {
    show(FAULTS).await
}

async fn a_bad_document_is_refused_by_field(world: &World) -> Result<()> {
    let marker = "input-that-is-not-repeated";
    let bad = json!({"title": "t", "document_type": "novel", "content": marker});
    let admin = world.backend.admin();
    let answer = world
        .backend
        .call(admin, Method::POST, "/v1/context-documents", Some(&bad))
        .await?;
    let details = refused(&answer, (422, "VALIDATION_ERROR"));
    ensure!(details["errors"][0]["path"] == "document_type", "{details}");
    ensure!(!answer.1.to_string().contains(marker), "{}", answer.1);
    let broken = world
        .raw(
            admin,
            (Method::POST, "/v1/context-documents"),
            &[],
            b"{\"title\": ",
        )
        .await?;
    ensure!(broken.status == 400, "{}", broken.status);
    ensure!(
        broken.json()["error"]["code"] == "INVALID_JSON",
        "{}",
        broken.json()
    );
    Ok(())
}

/// The titles of the documents that apply to a new alert.
async fn applied(world: &World, alert: &Value) -> Result<Vec<String>> {
    let uuid = world.alert(alert).await?;
    let list = world
        .backend
        .get(&format!("/v1/alerts/{uuid}/context"))
        .await?;
    let all = list.as_array().context("a list")?;
    Ok(all
        .iter()
        .filter_map(|one| one["title"].as_str().map(str::to_owned))
        .collect())
}

async fn severities_are_ordered_in_targeting(world: &World) -> Result<()> {
    for (title, op, value) in [
        ("at least High", "gte", "High"),
        ("at most Low", "lte", "Low"),
    ] {
        let rules = json!({"match_all": [{"field": "severity", "op": op, "value": value}]});
        let document = json!({
            "title": title, "document_type": "sop", "content": "c", "targeting_rules": rules,
        });
        world
            .backend
            .post("/v1/context-documents", &document)
            .await?;
    }
    for (severity, expected) in [
        ("Critical", vec!["at least High"]),
        ("High", vec!["at least High"]),
        ("Medium", vec![]),
        ("Low", vec!["at most Low"]),
        ("Informational", vec!["at most Low"]),
    ] {
        let alert = json!({"title": severity, "severity": severity});
        let found = applied(world, &alert).await?;
        ensure!(found == expected, "{severity}: {found:?}");
    }
    Ok(())
}

async fn without_rules_a_document_matches_nothing(world: &World) -> Result<()> {
    for (title, is_global) in [("aimed at nothing", false), ("for all", true)] {
        let document = json!({
            "title": title, "document_type": "sop", "content": "c", "is_global": is_global,
        });
        world
            .backend
            .post("/v1/context-documents", &document)
            .await?;
    }
    let found = applied(world, &json!({"title": "any", "severity": "Medium"})).await?;
    ensure!(found == ["for all"], "{found:?}");
    Ok(())
}

async fn old_versions_are_read_and_restored(world: &World) -> Result<()> {
    let document = json!({"title": "versioned", "document_type": "sop", "content": "first"});
    let made = world
        .backend
        .post("/v1/context-documents", &document)
        .await?;
    let path = format!(
        "/v1/context-documents/{}",
        made["uuid"].as_str().context("uuid")?
    );
    world
        .backend
        .patch(&path, &json!({"content": "second"}))
        .await?;
    let versions = world.backend.get(&format!("{path}/versions")).await?;
    ensure!(
        versions.as_array().is_some_and(|all| all.len() == 2),
        "{versions}"
    );
    let first = world.backend.get(&format!("{path}/versions/1")).await?;
    ensure!(first["content"] == "first", "{first}");
    let restored = world
        .backend
        .post(&format!("{path}/versions/1/restore"), &json!({}))
        .await?;
    ensure!(
        restored["content"] == "first" && restored["version"] == 3,
        "{restored}"
    );
    Ok(())
}
