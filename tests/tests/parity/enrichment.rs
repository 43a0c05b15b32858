//! Faults of enrichment: providers, their answers and their records.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::wait_for;
use calseta_tests::recorder::{Recorder, Reply};
use calseta_tests::world::{World, refused};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fault::How::ShownBy;
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        40,
        "4.1",
        "A run in which all providers fail takes an earlier verdict away.",
        shown!(a_failed_run_keeps_the_verdict),
    ),
    fault(
        41,
        "4.1",
        "An alert is Enriched although every provider failed.",
        ShownBy(
            "tests/tests/main_job/enrichment_failures.rs",
            "when_all_providers_fail_the_alert_still_reaches_the_agent",
        ),
    ),
    fault(
        42,
        "4.1",
        "An indicator of an unknown type makes the whole enrichment fail.",
        shown!(an_unknown_type_costs_only_itself),
    ),
    fault(
        43,
        "4.2",
        "The structure of http_config and malice_rules is not checked.",
        shown!(a_provider_s_structure_is_checked),
    ),
    fault(
        44,
        "4.2",
        "A provider counts as configured when one of its credentials is there.",
        shown!(part_of_the_credentials_is_not_configured),
    ),
    fault(
        45,
        "4.3",
        "An optional step's 404 means that the indicator was not found, and loses the rest.",
        ShownBy(
            "src-tauri/crates/domain/src/step/tests.rs",
            "an_optional_steps_not_found_is_not_the_indicators",
        ),
    ),
    fault(
        46,
        "4.3",
        "A base URL in a template is percent-encoded, so that three providers never work.",
        ShownBy(
            "tests/tests/providers/bases.rs",
            "internal_addresses_are_asked_at_the_base_url_as_it_is",
        ),
    ),
    fault(
        47,
        "4.4",
        "A field extraction's indicator type is ignored.",
        shown!(a_field_is_extracted_for_its_type_alone),
    ),
    fault(
        48,
        "4.6",
        "A provider's own default time to live is never used.",
        shown!(a_provider_s_own_time_to_live_counts),
    ),
    fault(
        49,
        "4.6",
        "A changed provider is used by one process, and by the others after a restart.",
        shown!(a_changed_provider_is_used_at_once),
    ),
    fault(
        50,
        "4.6",
        "While providers are reloaded there are none.",
        shown!(a_provider_is_never_missing_while_it_is_changed),
    ),
    fault(
        51,
        "4.7",
        "Entra's missing manager loses the user.",
        ShownBy(
            "tests/tests/providers/entra.rs",
            "one_token_serves_many_lookups_and_a_missing_manager_loses_nobody",
        ),
    ),
    fault(
        52,
        "4.7",
        "Okta's groups and manager are fetched and not extracted.",
        ShownBy(
            "tests/tests/providers/okta.rs",
            "a_user_comes_with_groups_and_manager",
        ),
    ),
    fault(
        53,
        "4.7",
        "A seeded extraction has a type that the API refuses.",
        shown!(every_seeded_extraction_has_a_type_that_the_api_takes),
    ),
    fault(
        54,
        "4.7",
        "Demonstration answers hold fields that a live lookup never gives.",
        shown!(a_demonstration_shows_what_a_live_lookup_extracts),
    ),
    fault(
        55,
        "4.8",
        "A provider's test shows the client secret and the access token.",
        ShownBy(
            "tests/tests/providers/entra.rs",
            "a_test_shows_each_step_and_neither_secret_nor_token",
        ),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_enrichment_are_gone() -> Result<()> {
    show(FAULTS).await
}

/// A provider's path.
pub(crate) async fn provider(world: &World, name: &str) -> Result<String> {
    let all = world.backend.get("/v1/enrichment-providers").await?;
    let mut all = all.as_array().context("a list")?.iter();
    let found = all.find(|one| one["provider_name"] == name);
    let uuid = found.and_then(|one| one["uuid"].as_str());
    Ok(format!(
        "/v1/enrichment-providers/{}",
        uuid.with_context(|| name.to_owned())?
    ))
}

/// A stand-in that knows every address as abused, with this country.
pub(crate) async fn abuseipdb(country: &'static str) -> Result<Recorder> {
    Recorder::answering(move |_| {
        let answer = json!({"data": {"abuseConfidenceScore": 90, "countryCode": country}});
        Reply::json(&answer)
    })
    .await
}

/// Points AbuseIPDB at a stand-in.
pub(crate) async fn point(world: &World, stand_in: &Recorder) -> Result<()> {
    let patch = json!({
        "is_active": true, "base_url": stand_in.url, "auth_config": {"api_key": "k"},
    });
    let path = provider(world, "abuseipdb").await?;
    world.backend.patch(&path, &patch).await.map(drop)
}

/// The result of AbuseIPDB for an address, once the alert's enrichment is over.
pub(crate) async fn looked_up(world: &World, ip: &str) -> Result<Value> {
    let uuid = world.alert(&json!({"title": ip, "src_ip": ip})).await?;
    let alert = world.settled(&uuid).await?;
    Ok(alert["indicators"][0]["enrichment_results"]["abuseipdb"].clone())
}

async fn an_unknown_type_costs_only_itself(world: &World) -> Result<()> {
    let alert = json!({"title": "odd", "indicators": [
        {"type": "mutex", "value": "Global\\x"}, {"type": "ip", "value": "10.9.8.7"}, 7, null,
    ]});
    let uuid = world.alert(&alert).await?;
    let alert = world.settled(&uuid).await?;
    ensure!(alert["enrichment_status"] == "Enriched", "{alert}");
    ensure!(
        alert["indicators"]
            .as_array()
            .is_some_and(|all| all.len() == 1),
        "{alert}"
    );
    Ok(())
}

async fn a_changed_provider_is_used_at_once(world: &World) -> Result<()> {
    let (before, after) = (abuseipdb("DE").await?, abuseipdb("FR").await?);
    point(world, &before).await?;
    let first = looked_up(world, "45.33.32.1").await?;
    point(world, &after).await?;
    let second = looked_up(world, "45.33.32.2").await?;
    ensure!(first["extracted"]["country_code"] == "DE", "{first}");
    ensure!(second["extracted"]["country_code"] == "FR", "{second}");
    let (before, after) = (before.seen().len(), after.seen().len());
    ensure!(
        (before, after) == (1, 1),
        "asked {before} and {after} times"
    );
    Ok(())
}

async fn a_provider_is_never_missing_while_it_is_changed(world: &World) -> Result<()> {
    const ALERTS: u8 = 12;
    let stand_in = abuseipdb("DE").await?;
    point(world, &stand_in).await?;
    for n in 0..ALERTS {
        let ip = format!("45.33.33.{n}");
        let (changed, result) = tokio::join!(point(world, &stand_in), looked_up(world, &ip));
        changed?;
        let result = result?;
        ensure!(result["success"] == true, "alert {n}: {result}");
    }
    Ok(())
}

const EXTRACTIONS: &str = "/v1/enrichment-field-extractions";

async fn a_failed_run_keeps_the_verdict(_: &World) -> Result<()> {
    let world = World::fresh().await?;
    let fails = Arc::new(AtomicBool::new(false));
    let now_fails = Arc::clone(&fails);
    let stand_in = Recorder::answering(move |_| {
        if now_fails.load(Ordering::SeqCst) {
            return Reply::status(400);
        }
        Reply::json(&json!({"data": {"abuseConfidenceScore": 100}}))
    })
    .await?;
    point(&world, &stand_in).await?;
    let alert = world
        .alert(&json!({"title": "judged", "src_ip": "45.33.32.40"}))
        .await?;
    let before = world.settled(&alert).await?;
    ensure!(before["indicators"][0]["malice"] == "Malicious", "{before}");
    fails.store(true, Ordering::SeqCst);
    // No cached answer may stand in for the run.
    let path = provider(&world, "abuseipdb").await?;
    world
        .backend
        .patch(&path, &json!({"auth_config": {"api_key": "k2"}}))
        .await?;
    let path = format!("/v1/alerts/{alert}");
    world
        .backend
        .post(&format!("{path}/enrich"), &json!({}))
        .await?;
    let after = wait_for("the second run is over", || async {
        let after = world.backend.get(&path).await?;
        let over = after["enriched_at"] != before["enriched_at"] && after["is_enriched"] == true;
        Ok(over.then_some(after))
    })
    .await?;
    ensure!(after["indicators"][0]["malice"] == "Malicious", "{after}");
    ensure!(after["malice"] == "Malicious", "{after}");
    Ok(())
}

/// A provider of one's own that asks for `{base}/{value}`.
fn own(name: &str, url: &str) -> Value {
    json!({
        "provider_name": name, "display_name": name, "base_url": url, "auth_type": "no_auth",
        "supported_indicator_types": ["ip", "domain"],
        "http_config": {"steps": [
            {"name": "lookup", "method": "GET", "url": "{{base_url}}/{{indicator.value}}"},
        ]},
    })
}

async fn a_provider_s_structure_is_checked(world: &World) -> Result<()> {
    let admin = world.backend.admin();
    for (field, value) in [
        ("http_config", json!({"steps": []})),
        (
            "http_config",
            json!({"steps": [{"name": "x", "method": "BREW", "url": "http://h/"}]}),
        ),
        (
            "malice_rules",
            json!({"rules": [{"field": "a", "operator": "~", "value": 1}]}),
        ),
    ] {
        let mut request = own("checked", "http://127.0.0.1:9");
        request[field] = value;
        let answer = world
            .backend
            .call(
                admin,
                Method::POST,
                "/v1/enrichment-providers",
                Some(&request),
            )
            .await?;
        let details = refused(&answer, (422, "VALIDATION_ERROR"));
        let path = details["errors"][0]["path"].as_str().unwrap_or_default();
        ensure!(path.starts_with(field), "{details}");
    }
    Ok(())
}

async fn part_of_the_credentials_is_not_configured(world: &World) -> Result<()> {
    let path = provider(world, "entra").await?;
    let part = json!({"auth_config": {"tenant_id": "t"}});
    let set = world.backend.patch(&path, &part).await?;
    ensure!(set["is_configured"] == false, "{set}");
    let whole = json!({
        "auth_config": {"tenant_id": "t", "client_id": "c", "client_secret": "s"},
    });
    let set = world.backend.patch(&path, &whole).await?;
    ensure!(set["is_configured"] == true, "the control: {set}");
    world
        .backend
        .patch(&path, &json!({"auth_config": null}))
        .await?;
    Ok(())
}

/// The results of a provider for the indicators of a new alert, by type.
async fn results(world: &World, name: &str, alert: &Value) -> Result<Value> {
    let uuid = world.alert(alert).await?;
    let alert = world.settled(&uuid).await?;
    let mut by_type = json!({});
    for indicator in alert["indicators"].as_array().context("indicators")? {
        let kind = indicator["type"].as_str().context("type")?;
        by_type[kind] = indicator["enrichment_results"][name].clone();
    }
    Ok(by_type)
}

async fn a_field_is_extracted_for_its_type_alone(world: &World) -> Result<()> {
    let server = Recorder::answering(|_| Reply::json(&json!({"owner": "o"}))).await?;
    world
        .backend
        .post("/v1/enrichment-providers", &own("typed", &server.url))
        .await?;
    let row = json!({
        "provider_name": "typed", "indicator_type": "ip", "source_path": "owner",
        "target_key": "owner",
    });
    world.backend.post(EXTRACTIONS, &row).await?;
    let alert = json!({"title": "typed", "src_ip": "45.33.32.41", "domain": "typed.example.com"});
    let found = results(world, "typed", &alert).await?;
    ensure!(found["ip"]["extracted"]["owner"] == "o", "{found}");
    ensure!(found["domain"]["success"] == true, "{found}");
    ensure!(found["domain"]["extracted"] == json!({}), "{found}");
    Ok(())
}

async fn a_provider_s_own_time_to_live_counts(world: &World) -> Result<()> {
    for (name, seconds, expected) in [("keeps", 600, 1), ("forgets", 0, 2)] {
        let server = Recorder::answering(|_| Reply::json(&json!({}))).await?;
        let mut request = own(name, &server.url);
        request["default_cache_ttl_seconds"] = json!(seconds);
        world
            .backend
            .post("/v1/enrichment-providers", &request)
            .await?;
        for n in 0..2 {
            let alert = json!({"title": format!("{name} {n}"), "src_ip": "45.33.32.42"});
            results(world, name, &alert).await?;
        }
        let asked = server.seen().len();
        ensure!(asked == expected, "{name}: asked {asked} times");
    }
    Ok(())
}

async fn every_seeded_extraction_has_a_type_that_the_api_takes(world: &World) -> Result<()> {
    const TYPES: &[&str] = &[
        "string", "int", "float", "bool", "list", "dict", "any", "number",
    ];
    let path = format!("{EXTRACTIONS}?is_system=true&page_size=500");
    let all = world.backend.get(&path).await?;
    let all = all.as_array().context("a list")?;
    ensure!(all.len() >= 91, "{} seeded extractions", all.len());
    let used: BTreeSet<&str> = all
        .iter()
        .filter_map(|one| one["value_type"].as_str())
        .collect();
    let server = Recorder::start().await?;
    world
        .backend
        .post("/v1/enrichment-providers", &own("every_type", &server.url))
        .await?;
    for kind in used {
        ensure!(TYPES.contains(&kind), "{kind}");
        let row = json!({
            "provider_name": "every_type", "indicator_type": "ip", "source_path": kind,
            "target_key": kind, "value_type": kind,
        });
        world.backend.post(EXTRACTIONS, &row).await?;
    }
    Ok(())
}

async fn a_demonstration_shows_what_a_live_lookup_extracts(_: &World) -> Result<()> {
    let world = World::with(&["--demo"]).await?;
    let path = format!("{EXTRACTIONS}?is_system=true&page_size=500");
    let seeded = world.backend.get(&path).await?;
    let mut keys = BTreeSet::new();
    for row in seeded.as_array().context("a list")? {
        let text = |field: &str| row[field].as_str().unwrap_or("-").to_owned();
        keys.insert((text("provider_name"), text("target_key")));
    }
    let alert = json!({"title": "demo", "src_ip": "45.33.32.43", "user": "jmartinez"});
    let uuid = world.alert(&alert).await?;
    let alert = world.settled(&uuid).await?;
    let mut seen = BTreeSet::new();
    for indicator in alert["indicators"].as_array().context("indicators")? {
        let results = indicator["enrichment_results"]
            .as_object()
            .context("results")?;
        for (name, result) in results {
            for key in result["extracted"].as_object().context("extracted")?.keys() {
                seen.insert((name.clone(), key.clone()));
            }
        }
    }
    let invented: Vec<_> = seen.difference(&keys).collect();
    ensure!(invented.is_empty(), "no live lookup gives {invented:?}");
    ensure!(seen.len() >= 30, "only {} fields are shown", seen.len());
    Ok(())
}
