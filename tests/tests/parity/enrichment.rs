//! Faults of enrichment: providers, their answers and their records.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::recorder::{Recorder, Reply};
use calseta_tests::world::World;
use serde_json::{Value, json};

use crate::fault::How::{Open, ShownBy};
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        40,
        "4.1",
        "A run in which all providers fail takes an earlier verdict away.",
        Open("POST /v1/alerts/{uuid}/enrich"),
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
        Open("POST /v1/enrichment-providers"),
    ),
    fault(
        44,
        "4.2",
        "A provider counts as configured when one of its credentials is there.",
        Open("the provider entra"),
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
        Open("the providers with a base URL"),
    ),
    fault(
        47,
        "4.4",
        "A field extraction's indicator type is ignored.",
        Open("field extractions"),
    ),
    fault(
        48,
        "4.6",
        "A provider's own default time to live is never used.",
        Open("default_cache_ttl_seconds"),
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
        Open("the provider entra"),
    ),
    fault(
        52,
        "4.7",
        "Okta's groups and manager are fetched and not extracted.",
        Open("the provider okta"),
    ),
    fault(
        53,
        "4.7",
        "A seeded extraction has a type that the API refuses.",
        Open("field extractions"),
    ),
    fault(
        54,
        "4.7",
        "Demonstration answers hold fields that a live lookup never gives.",
        Open("the catalogue's demonstration answers"),
    ),
    fault(
        55,
        "4.8",
        "A provider's test shows the client secret and the access token.",
        Open("POST /v1/enrichment-providers/{uuid}/test"),
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
