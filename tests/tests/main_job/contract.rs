//! The contract page against the binary: its three commands as printed, its payload key for key.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use calseta_contract::payload::PayloadWorkflow;
use calseta_tests::recorder::{Recorded, Recorder};
use calseta_tests::world::{World, repository_text};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::enrichment::{PUBLIC_IP, Stubs};
use crate::page::{self, Difference};

/// The value of `auth_header` that the page registers.
const AUTH_HEADER: &str = "Bearer your-agent-secret";

/// Runs one of the page's commands in a shell, with what a reader has to fill in.
async fn run(command: &str, fill_in: &[(&str, &str)]) -> Result<(u16, Value)> {
    let mut command = command.to_owned();
    for (printed, actual) in fill_in {
        command = command.replace(printed, actual);
    }
    // Only what is printed back is added; the request itself stays as on the page.
    let line = format!("{command} --silent --show-error --write-out '\\n%{{http_code}}'");
    let output = Command::new("sh").arg("-c").arg(line).output().await?;
    let text = String::from_utf8(output.stdout)?;
    let (body, status) = text
        .rsplit_once('\n')
        .with_context(|| format!("curl said: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((status.parse()?, serde_json::from_str(body)?))
}

fn sentinel_sample() -> Value {
    let text = repository_text("assets/samples/sentinel/01-automation-rule-impossible-travel.json");
    serde_json::from_str(&text).expect("a sample is JSON")
}

/// Host and port as the page writes them, and as they are here. The name stays `localhost`.
fn host(world: &World) -> String {
    format!("localhost:{}", world.backend.address().port())
}

#[tokio::test]
async fn the_three_commands_of_the_page_work_as_printed() -> Result<()> {
    let world = World::fresh().await?;
    let recorder = Recorder::start().await?;
    let [register, finding, status] = <[String; 3]>::try_from(page::commands())
        .map_err(|all| anyhow::anyhow!("the page has three commands, not {}", all.len()))?;
    let host = host(&world);
    let url = format!("{}/webhook", recorder.url);
    let mut fill_in = vec![
        ("localhost:8000", &*host),
        ("cai_your_api_key", world.backend.admin()),
        ("https://your-agent.example.com/webhook", &*url),
    ];
    let (code, agent) = run(&register, &fill_in).await?;
    assert_eq!(
        code, 201,
        "the page's first command registers an agent: {agent}"
    );
    assert_eq!(agent["data"]["webhook_url"], json!(url));

    let view = world.ingest("sentinel", &sentinel_sample()).await?;
    let sent = recorder.wait(1).await?.remove(0).json();
    assert_eq!(
        sent["alert"]["uuid"], view["alert_uuid"],
        "the filter of the page's command lets a High sentinel alert through"
    );
    let uuid = sent["alert"]["uuid"].as_str().context("a uuid")?.to_owned();
    fill_in.push(("{uuid}", &uuid));

    let (code, posted) = run(&finding, &fill_in).await?;
    assert_eq!(
        code, 201,
        "the page's second command posts a finding: {posted}"
    );
    let finding = &posted["data"];
    assert_eq!(finding["confidence"], json!(0.95), "nothing of it is lost");
    assert_eq!(
        finding["recommended_actions"][2],
        "Review recent file access"
    );
    assert_eq!(
        finding["details"]["user_risk"],
        "No recent travel, MFA bypassed"
    );

    for time in ["first", "second"] {
        let (code, alert) = run(&status, &fill_in).await?;
        assert_eq!(
            code, 200,
            "agents repeat themselves, the {time} time too: {alert}"
        );
        assert_eq!(alert["data"]["status"], "Triaging");
    }
    let activity = world
        .backend
        .get(&format!("/v1/alerts/{uuid}/activity"))
        .await?;
    let changes = activity.as_array().into_iter().flatten();
    let changes = changes.filter(|event| event["references"]["status"].is_array());
    assert_eq!(
        changes.count(),
        1,
        "setting what it already has is no event"
    );
    Ok(())
}

#[tokio::test]
async fn the_register_command_works_verbatim_with_the_page_s_own_webhook_url() -> Result<()> {
    let world = World::fresh().await?;
    let host = host(&world);
    let fill_in = [
        ("localhost:8000", &*host),
        ("cai_your_api_key", world.backend.admin()),
    ];
    let (code, agent) = run(&page::commands()[0], &fill_in).await?;
    assert_eq!(code, 201, "registration resolves no name: {agent}");
    let agent = &agent["data"];
    assert_eq!(
        agent["webhook_url"],
        "https://your-agent.example.com/webhook"
    );
    assert_eq!(agent["trigger_filter"]["min_severity"], "High");
    assert_eq!(agent["has_auth_header"], true);
    assert!(
        !agent.to_string().contains("your-agent-secret"),
        "a stored secret is never answered"
    );
    let secret = agent["signing_secret"].as_str().unwrap_or_default();
    assert!(secret.starts_with("whsec_"), "shown here, once: {secret}");
    let path = format!("/v1/agents/{}", agent["uuid"].as_str().context("uuid")?);
    let again = world.backend.get(&path).await?;
    assert!(again.get("signing_secret").is_none(), "and nowhere else");
    Ok(())
}

/// A world in which every section of the payload has something real in it, and the webhook.
async fn everything_in_one_payload() -> Result<(World, Recorded, Value)> {
    let world = World::fresh().await?;
    let stubs = Stubs::start().await?;
    stubs.configure(&world, "key-of-this-test").await?;
    for (title, kind, target) in [
        ("Company-wide escalation", "sop", json!({"is_global": true})),
        (
            "Identity IR Runbook",
            "runbook",
            json!({"targeting_rules": {"match_any": [
                {"field": "tags", "op": "contains", "value": "identity"}
            ]}}),
        ),
        (
            "Malware runbook",
            "runbook",
            json!({"targeting_rules": {"match_any": [
                {"field": "tags", "op": "contains", "value": "malware"}
            ]}}),
        ),
    ] {
        let mut request = json!({
            "title": title, "document_type": kind, "content": "## Scope\nEverybody",
        });
        for (name, value) in target.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        world
            .backend
            .post("/v1/context-documents", &request)
            .await?;
    }
    // The first alert makes the rule known; a person documents it; the second alert carries it.
    let mut payload = sentinel_sample();
    payload["object"]["properties"]["title"] = json!("The alert before");
    let first = world.ingest("sentinel", &payload).await?;
    let first = first["alert_uuid"].as_str().context("a uuid")?.to_owned();
    let rule = world.settled(&first).await?["detection_rule"]["uuid"].take();
    let path = format!("/v1/detection-rules/{}", rule.as_str().context("a rule")?);
    let documented = json!({
        "mitre_tactics": ["TA0001"], "mitre_techniques": ["T1078"],
        "documentation": "## Overview\nDetects impossible travel",
    });
    world.backend.patch(&path, &documented).await?;

    let recorder = Recorder::start().await?;
    let request = json!({
        "name": "Contract agent", "webhook_url": format!("{}/webhook", recorder.url),
        "auth_header": AUTH_HEADER,
    });
    let agent = world.backend.post("/v1/agents", &request).await?;
    world.ingest("sentinel", &sentinel_sample()).await?;
    let webhook = recorder.wait(1).await?.remove(0);
    Ok((world, webhook, agent))
}

/// `path` entries of the table under a heading of docs/differences.md.
fn listed(heading: &str) -> BTreeSet<String> {
    let text = repository_text("docs/differences.md");
    let (_, section) = text
        .split_once(heading)
        .unwrap_or_else(|| panic!("docs/differences.md has no section {heading:?}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect()
}

/// Additions that every payload with an answered provider has.
const ALWAYS_ADDED: &[&str] = &[
    "alert._metadata.enrichment.pending",
    "alert.description",
    "alert.source_url",
    "calseta_api_base_url",
    "indicators[].enrichment_results.*.success",
    "indicators[].uuid",
];
/// Additions that say something out of the ordinary: a failed provider, demo data, a test.
const SOMETIMES_ADDED: &[&str] = &[
    "indicators[].enrichment_results.*.error",
    "indicators[].enrichment_results.*.demo",
    "test",
];

#[tokio::test]
async fn the_webhook_has_every_key_of_the_page_in_its_order_with_its_types() -> Result<()> {
    let (world, webhook, _) = everything_in_one_payload().await?;
    let body = webhook.json();
    let mut page = page::payload();
    // There are no workflows yet: the list is there and empty, and its entries' shape is checked
    // against the type that will write them.
    assert_eq!(body["workflows"], json!([]));
    page["workflows"] = json!([]);
    let difference = Difference::between(&page, &body);
    assert_eq!(
        difference.problems,
        Vec::<String>::new(),
        "agents were written against these keys: {body:#}"
    );
    let added: BTreeSet<String> = ALWAYS_ADDED.iter().map(|a| (*a).to_owned()).collect();
    assert_eq!(difference.additions, added, "an addition must be listed");
    let mut documented = listed("## Additions to the payload");
    for sometimes in SOMETIMES_ADDED {
        assert!(documented.remove(*sometimes), "{sometimes} is documented");
    }
    assert_eq!(documented, added, "the document lists the same");

    let alert = &body["alert"];
    assert_eq!(alert["title"], "Impossible Travel Detected");
    assert_eq!(alert["tags"], json!(["identity", "auth"]));
    let metadata = &alert["_metadata"];
    assert_eq!(
        metadata["enrichment"]["succeeded"],
        json!(["virustotal", "abuseipdb"])
    );
    assert_eq!(metadata["indicator_count"], json!(3));
    assert_eq!(metadata["detection_rule_matched"], json!(true));
    assert_eq!(
        metadata["context_documents_applied"],
        json!(2),
        "the global one and the one for its tag, not the malware runbook"
    );
    let ip = body["indicators"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["value"] == PUBLIC_IP))
        .context("the public address")?;
    assert_eq!(ip["malice"], "Malicious");
    let results = &ip["enrichment_results"];
    let named: Vec<&String> = results.as_object().context("an object")?.keys().collect();
    assert_eq!(named, ["virustotal", "abuseipdb"], "in the page's order");
    assert_eq!(results["virustotal"]["extracted"]["malicious_count"], 14);
    assert_eq!(results["virustotal"]["extracted"]["country"], "DE");
    assert_eq!(
        results["abuseipdb"]["extracted"]["abuse_confidence_score"],
        97
    );
    assert_eq!(
        body["detection_rule"],
        json!({
            "name": "Suspicious Auth - Impossible Travel",
            "mitre_tactics": ["TA0001"], "mitre_techniques": ["T1078"],
            "documentation": "## Overview\nDetects impossible travel",
        })
    );
    let titles: Vec<_> = body["context_documents"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|document| (&document["title"], &document["doc_type"]))
        .collect();
    assert_eq!(
        titles,
        [
            (&json!("Company-wide escalation"), &json!("sop")),
            (&json!("Identity IR Runbook"), &json!("runbook")),
        ]
    );
    assert_eq!(body["calseta_api_base_url"], json!(world.backend.base_url));
    Ok(())
}

#[test]
fn a_workflow_of_the_payload_has_the_page_s_keys_in_its_order() {
    let workflow = PayloadWorkflow {
        uuid: uuid::Uuid::nil(),
        name: "Revoke User Session".to_owned(),
        documentation: "Revokes all active sessions".to_owned(),
        approval_mode: "always".to_owned(),
        risk_level: "high".to_owned(),
    };
    let written = json!({"workflows": [workflow]});
    let page = json!({"workflows": page::payload()["workflows"]});
    let difference = Difference::between(&page, &written);
    assert!(difference.problems.is_empty(), "{difference:?}");
    assert!(difference.additions.is_empty(), "{difference:?}");
}

#[tokio::test]
async fn the_webhook_is_authorised_signed_and_kept_byte_for_byte() -> Result<()> {
    let (world, webhook, agent) = everything_in_one_payload().await?;
    assert_eq!(
        webhook.header("authorization"),
        AUTH_HEADER,
        "the page's auth_header is the value of the Authorization header"
    );
    assert_eq!(webhook.method, "POST");
    assert_eq!(webhook.header("content-type"), "application/json");

    let mut headers = HeaderMap::new();
    for (name, value) in &webhook.headers {
        headers.insert(
            HeaderName::try_from(name.as_str())?,
            HeaderValue::from_str(value)?,
        );
    }
    let secret = agent["signing_secret"].as_str().context("a secret")?;
    let official = standardwebhooks::Webhook::new(secret)?;
    official
        .verify(&webhook.body, &headers)
        .context("the official library must accept the signature over the exact bytes")?;
    let mut tampered = webhook.body.clone();
    tampered[20] ^= 1;
    ensure!(
        official.verify(&tampered, &headers).is_err(),
        "a signature that fits any body says nothing"
    );

    let uuid = agent["uuid"].as_str().context("a uuid")?;
    let delivery = world.deliveries(uuid).await?.remove(0);
    assert_eq!(delivery["webhook_id"], webhook.header("webhook-id"));
    assert_eq!(
        delivery["body_sha256"],
        json!(hex::encode(Sha256::digest(&webhook.body))),
        "what was sent can be proved later"
    );
    let delivery = delivery["uuid"].as_str().context("a uuid")?;
    let path = format!("/v1/deliveries/{delivery}/body");
    let admin = world.backend.admin();
    let kept = world.raw(admin, (Method::GET, &path), &[], b"").await?;
    assert_eq!(
        kept.bytes, webhook.body,
        "the exact bytes, not written anew"
    );
    let shown = world
        .backend
        .get(&format!("/v1/deliveries/{delivery}"))
        .await?;
    assert!(
        !shown.to_string().contains("your-agent-secret"),
        "the record of a delivery masks its secrets"
    );
    Ok(())
}

#[tokio::test]
async fn a_test_delivery_goes_through_the_real_builder_and_says_that_it_is_one() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let path = format!("/v1/agents/{}/test", agent.uuid);
    let tested = world.backend.post(&path, &json!({})).await?;
    assert_eq!(tested["delivered"], true, "{tested}");
    assert_eq!(tested["status_code"], 200);
    let body = agent.recorder.wait(1).await?.remove(0).json();
    assert_eq!(body["test"], true, "an agent must be able to tell");
    let mut page = page::payload();
    page["workflows"] = json!([]);
    page["detection_rule"] = Value::Null;
    let problems = Difference::between(&page, &body).problems;
    assert_eq!(
        problems,
        Vec::<String>::new(),
        "the same shape as a real one"
    );
    Ok(())
}
