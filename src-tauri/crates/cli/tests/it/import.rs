//! `calseta import`: what a v1.1.0 server holds is here afterwards, once, and nothing is made up.

use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::calseta::{Console, Ran, run};
use crate::import_world::{uuid, world};
use crate::old_server::{Answer, KEY, OldServer};

const RULES: &str = "/v1/detection-rules";
const DOCUMENTS: &str = "/v1/context-documents";
const AGENTS: &str = "/v1/agents";
const PROVIDERS: &str = "/v1/enrichment-providers";
const EXTRACTIONS: &str = "/v1/enrichment-field-extractions";

/// An import of everything from a server.
pub(crate) async fn import(dir: &TempDir, from: &str, more: &[&str]) -> Ran {
    import_with(dir, from, KEY, more).await
}

async fn import_with(dir: &TempDir, from: &str, key: &str, more: &[&str]) -> Ran {
    let dir = dir.path().to_str().expect("UTF-8");
    let mut arguments = vec!["import", "--data-dir", dir, "--from", from, "--key", key];
    arguments.extend(more);
    run(&arguments).await
}

pub(crate) fn outcomes(ran: &Ran, kind: &str) -> Vec<String> {
    let lines = ran.of(kind).into_iter();
    lines
        .map(|line| line["outcome"].as_str().expect("a word").to_owned())
        .collect()
}

pub(crate) async fn total(console: &Console, path: &str) -> Value {
    let (status, body) = console
        .call(Method::GET, &format!("{path}?page_size=1"), None)
        .await;
    assert_eq!(status, 200, "{path}: {body}");
    body["meta"]["total"].clone()
}

#[tokio::test]
async fn rules_and_documents_come_over_as_they_were() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world()).await);
    let console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "rules,documents"]).await;
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);

    let rule = console.find(RULES, "name", "Tor sign-in").await;
    assert_eq!(rule["source_rule_id"], "rule-1");
    assert_eq!(rule["mitre_techniques"], json!(["T1078"]));
    assert_eq!(rule["documentation"], "# Goal\nFind it.");
    let off = console.find(RULES, "name", "By hand").await;
    assert_eq!(off["is_active"], false, "what was off there is off here");
    let stub = &ran.line("rule", "rule-1")["outcome"];
    assert_eq!(
        stub, "already_there",
        "a stub of the same rule is no second one"
    );

    let document = console.find(DOCUMENTS, "title", "Identity runbook").await;
    let document = document["uuid"].as_str().unwrap();
    let document = console.get(&format!("{DOCUMENTS}/{document}")).await;
    assert_eq!(document["content"], "# Identity runbook");
    assert_eq!(document["targeting_rules"]["match_any"][0]["op"], "gte");
    let why = ran.why("document", "Forgotten notes");
    assert!(why.contains("applies to none here"), "{why}");
    assert!(ran.of("alert").is_empty(), "only what was asked for");
    for line in ["workflows: 2", "API keys: 1", "secrets (", "activity,"] {
        assert!(
            ran.stderr.contains(line),
            "what did not come: {line}: {}",
            ran.stderr
        );
    }
    let asked = server.asked();
    assert!(
        asked.iter().all(|line| line.starts_with("GET ")),
        "there it only reads"
    );
}

#[tokio::test]
async fn agents_come_over_switched_off_and_say_what_they_need() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world()).await);
    let console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "agents"]).await;
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let agent = console.find(AGENTS, "name", "Triage bot").await;
    assert_eq!(
        agent["is_active"], false,
        "nobody is told before a person says so"
    );
    assert_eq!(agent["has_auth_header"], false);
    assert_eq!(agent["trigger_on_severities"], json!(["High", "Critical"]));
    assert_eq!(agent["timeout_seconds"], 20);
    let why = ran.why("agent", "Triage bot");
    assert!(
        why.contains("needs its secret") && why.contains("X-Agent-Key"),
        "{why}"
    );
    assert!(
        !ran.stdout.contains("whsec_"),
        "its new secret is for its owner alone"
    );
    let by_hand = json!({"name": "By hand", "webhook_url": "https://agents.example.org/hook"});
    let (_, made) = console.call(Method::POST, AGENTS, Some(&by_hand)).await;
    let secret = made["data"]["signing_secret"].as_str().unwrap_or_default();
    assert!(
        secret.starts_with("whsec_"),
        "the control: the answer has it: {made}"
    );
}

#[tokio::test]
async fn alerts_come_over_with_payload_state_and_findings() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world()).await);
    let console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "rules,alerts"]).await;
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(outcomes(&ran, "alert"), ["imported"; 4]);
    assert!(ran.of("agent").is_empty(), "only what was asked for");

    let closed = console.find("/v1/alerts", "title", "Phish reported").await;
    let closed = console
        .get(&format!("/v1/alerts/{}", closed["uuid"].as_str().unwrap()))
        .await;
    assert_eq!(closed["status"], "Closed");
    assert_eq!(
        closed["close_classification"],
        "False Positive - Inaccurate Data"
    );
    assert_eq!(
        (&closed["severity"], &closed["tags"]),
        (&json!("High"), &json!(["vip", "phishing"]))
    );
    assert_eq!(closed["occurred_at"], "2026-03-01T10:00:00Z");
    assert_eq!(
        closed["raw_payload"]["severity"], "medium",
        "as its source sent it"
    );
    let findings = closed["agent_findings"].as_array().expect("findings");
    let summaries: Vec<_> = findings.iter().map(|f| &f["summary"]).collect();
    assert_eq!(summaries, ["Looks bad", "Is harmless"]);
    assert_eq!(findings[0]["confidence_level"], "high");
    assert_eq!(findings[0]["claimed_agent_name"], "triage-bot");
    assert_eq!(findings[0]["details"], json!({"hits": 3}));
    let line = ran.line("alert", "Phish reported");
    assert_eq!(
        line["original"]["closed_at"], "2026-03-01T11:00:00+00:00",
        "what cannot be kept is told"
    );

    let escalated = console
        .find("/v1/alerts", "title", "Lateral movement")
        .await;
    assert_eq!(
        (&escalated["status"], &escalated["malice"]),
        (&json!("Escalated"), &json!("Malicious"))
    );
    let linked = console
        .find("/v1/alerts", "title", "Sign-in from Tor")
        .await;
    let linked = console
        .get(&format!("/v1/alerts/{}", linked["uuid"].as_str().unwrap()))
        .await;
    assert_eq!(
        linked["detection_rule"]["name"], "Tor sign-in",
        "it finds its imported rule"
    );
    let uuids: Vec<_> = ran
        .of("alert")
        .iter()
        .map(|line| line["uuid"].clone())
        .collect();
    let listed = console
        .get("/v1/alerts?sort_by=created_at&sort_order=asc")
        .await;
    let listed: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["uuid"].clone())
        .collect();
    assert_eq!(uuids, listed, "oldest first");
}

#[tokio::test]
async fn a_second_run_copies_nothing_and_undoes_nothing() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world()).await);
    let console = Console::start(dir.path()).await;
    let first = import(&dir, &server.base_url, &[]).await;
    assert_eq!(first.exit, 0, "{}{}", first.stdout, first.stderr);
    let lists = [
        "/v1/alerts",
        RULES,
        DOCUMENTS,
        PROVIDERS,
        EXTRACTIONS,
        "/v1/indicator-mappings",
        AGENTS,
    ];
    let mut before = Vec::new();
    for path in lists {
        before.push(total(&console, path).await);
    }
    let escalated = console
        .find("/v1/alerts", "title", "Lateral movement")
        .await;
    let path = format!("/v1/alerts/{}", escalated["uuid"].as_str().unwrap());
    let (status, body) = console
        .call(Method::PATCH, &path, Some(&json!({"status": "Triaging"})))
        .await;
    assert_eq!(status, 200, "{body}");

    let second = import(&dir, &server.base_url, &[]).await;
    assert_eq!(second.exit, 0, "{}{}", second.stdout, second.stderr);
    let imported: Vec<_> = second
        .lines
        .iter()
        .filter(|line| line["outcome"] == "imported")
        .collect();
    assert!(imported.is_empty(), "{imported:?}");
    assert_eq!(outcomes(&second, "alert"), ["already_there"; 4]);
    assert_eq!(outcomes(&second, "finding"), ["already_there"; 2]);
    for (path, before) in lists.iter().zip(before) {
        assert_eq!(total(&console, path).await, before, "{path}");
    }
    let escalated = console.get(&path).await;
    assert_eq!(
        escalated["status"], "Triaging",
        "the analyst's work since stays"
    );

    // The control: under another id the same things are new, so it was the id that kept them single.
    let mut other = world();
    for alert in other.list("/v1/alerts") {
        let uuid = alert["uuid"]
            .as_str()
            .unwrap()
            .replace("7b1f0c5e", "00000001");
        alert["uuid"] = json!(uuid);
        alert["raw_payload"]["title"] =
            json!(format!("Other {}", alert["title"].as_str().unwrap()));
    }
    let server = OldServer::start(other).await;
    let third = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(
        outcomes(&third, "alert")
            .iter()
            .filter(|o| *o == "imported")
            .count(),
        3,
        "{}",
        third.stdout
    );
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world()).await);
    let console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--dry-run"]).await;
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(outcomes(&ran, "alert"), ["skipped"; 4]);
    let why = &ran.line("document", "Identity runbook")["why"];
    assert_eq!(why, "a dry run: it would be imported");
    for path in [
        "/v1/alerts",
        "/v1/detection-rules",
        "/v1/context-documents",
        "/v1/agents",
    ] {
        assert_eq!(total(&console, path).await, 0, "{path}");
    }
    // The control: without the switch it does.
    let ran = import(&dir, &server.base_url, &["--only", "rules"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(total(&console, "/v1/detection-rules").await, 2);
}

#[tokio::test]
async fn agents_that_are_on_are_not_flooded_with_history() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world()).await);
    let console = Console::start(dir.path()).await;
    let agent = json!({"name": "Live one", "webhook_url": "http://127.0.0.1:9/hook"});
    let (status, body) = console.call(Method::POST, "/v1/agents", Some(&agent)).await;
    assert_eq!(status, 201, "{body}");
    let ran = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(ran.exit, 1);
    assert!(
        ran.stderr.contains("Live one") && ran.stderr.contains("--tell-agents"),
        "{}",
        ran.stderr
    );
    assert_eq!(total(&console, "/v1/alerts").await, 0);
    let ran = import(
        &dir,
        &server.base_url,
        &["--only", "alerts", "--tell-agents"],
    )
    .await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(total(&console, "/v1/alerts").await, 4);
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_finished_by_the_next() {
    let broken = |path: &str, before: usize| {
        let alert = format!("/v1/alerts/{}", uuid(102));
        (path == alert && before == 0)
            .then(|| Answer::error(500, "INTERNAL_ERROR", "An unexpected error occurred."))
    };
    let (dir, server) = (
        TempDir::new().unwrap(),
        OldServer::start_with(world(), broken).await,
    );
    let console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(ran.exit, 1, "something is missing");
    let line = ran.line("alert", "Phish reported");
    assert_eq!(line["outcome"], "failed");
    let why = line["why"].as_str().unwrap_or_default();
    assert!(
        why.contains("500") && why.contains("An unexpected error occurred."),
        "{why}"
    );
    assert_eq!(total(&console, "/v1/alerts").await, 3, "the others came");
    let ran = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(ran.line("alert", "Phish reported")["outcome"], "imported");
    assert_eq!(total(&console, "/v1/alerts").await, 4);
}

#[tokio::test]
async fn an_alert_is_known_again_when_its_idempotency_key_is_forgotten() {
    let dir = TempDir::new().unwrap();
    let console = Console::start(dir.path()).await;
    let alerts = &["--only", "alerts"];
    let server = OldServer::start(world()).await;
    let ran = import(&dir, &server.base_url, alerts).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    // Another payload under the same ids: a key of this week would be refused, so what knows them is something else.
    let mut changed = world();
    for alert in changed.list("/v1/alerts") {
        alert["raw_payload"]["note"] = json!("changed");
    }
    let server = OldServer::start(changed).await;
    let ran = import(&dir, &server.base_url, alerts).await;
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(outcomes(&ran, "alert"), ["already_there"; 4]);
    assert_eq!(outcomes(&ran, "finding"), ["already_there"; 2]);
    assert_eq!(total(&console, "/v1/alerts").await, 4);

    std::fs::remove_file(dir.path().join("imported-alerts.jsonl")).unwrap();
    let ran = import(&dir, &server.base_url, alerts).await;
    assert_eq!(
        outcomes(&ran, "alert"),
        ["failed"; 4],
        "the control: it was the file"
    );
    assert_eq!(
        total(&console, "/v1/alerts").await,
        4,
        "and no copies even so"
    );
}

#[tokio::test]
async fn own_providers_come_over_with_their_fields_and_without_credentials() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world()).await);
    let console = Console::start(dir.path()).await;
    let kinds = &["--only", "providers,extractions"];
    let ran = import(&dir, &server.base_url, kinds).await;
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let provider = console
        .find(PROVIDERS, "provider_name", "house_reputation")
        .await;
    assert_eq!(provider["has_credentials"], false, "no credential came");
    assert_eq!(provider["is_builtin"], false);
    assert_eq!(provider["cache_ttl_by_type"], json!({"ip": 900}));
    assert_eq!(provider["malice_rules"]["rules"][0]["field"], "score");
    let why = ran.why("provider", "house_reputation");
    assert!(why.contains("needs its secret"), "{why}");
    assert_eq!(ran.line("provider", "virustotal")["outcome"], "skipped");
    assert_eq!(
        ran.of("provider").len(),
        2,
        "what every installation has is not spoken of"
    );
    let own = console
        .find(
            &format!("{EXTRACTIONS}?provider_name=house_reputation"),
            "target_key",
            "score",
        )
        .await;
    assert_eq!(
        (&own["value_type"], &own["is_system"]),
        (&json!("int"), &json!(false))
    );
    assert_eq!(outcomes(&ran, "extraction"), ["imported"]);
    let again = import(&dir, &server.base_url, kinds).await;
    assert_eq!(again.exit, 0, "{}", again.stderr);
    assert_eq!(outcomes(&again, "extraction"), ["already_there"]);
    assert_eq!(
        again.line("provider", "house_reputation")["outcome"],
        "already_there"
    );
}
