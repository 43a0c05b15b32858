//! Enrichment when a provider does not know, is busy, or refuses: the alert goes on regardless.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use calseta_tests::backend::wait_for;
use calseta_tests::recorder::{Recorded, Reply};
use calseta_tests::world::World;
use serde_json::{Value, json};

use crate::enrichment::{self, PUBLIC_IP, Stubs};

const KEY: &str = "k";

fn alert(title: &str, ip: &str) -> Value {
    json!({"title": title, "severity": "High", "src_ip": ip})
}

/// The first indicator's results by provider.
fn results(object: &Value) -> &Value {
    &object["indicators"][0]["enrichment_results"]
}

#[tokio::test]
async fn not_found_is_an_answer_not_a_failure() -> Result<()> {
    let world = World::fresh().await?;
    let stubs = Stubs::start().await?;
    stubs.configure(&world, KEY).await?;
    let agent = world.agent(&json!({})).await?;
    world
        .alert(&alert("Unknown address", "45.33.32.156"))
        .await?;
    let payload = agent.recorder.wait(1).await?.remove(0).json();
    let result = &results(&payload)["virustotal"];
    assert_eq!(result["success"], true, "a 404 says that it is not known");
    assert_eq!(result["extracted"], json!({"found": false}));
    let enrichment = &payload["alert"]["_metadata"]["enrichment"];
    assert_eq!(enrichment["failed"], json!([]));
    assert_eq!(payload["indicators"][0]["malice"], "Benign", "by AbuseIPDB");
    Ok(())
}

#[tokio::test]
async fn a_busy_provider_is_asked_again_when_it_says() -> Result<()> {
    let world = World::fresh().await?;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let busy_once = move |request: &Recorded| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            let mut reply = Reply::status(429);
            reply
                .headers
                .push(("retry-after".to_owned(), "1".to_owned()));
            reply
        } else {
            enrichment::virustotal(request)
        }
    };
    let stubs = Stubs::answering(busy_once, enrichment::abuseipdb).await?;
    stubs.configure(&world, KEY).await?;
    let uuid = world.alert(&alert("Busy provider", PUBLIC_IP)).await?;
    let shown = world.settled(&uuid).await?;
    assert_eq!(calls.load(Ordering::SeqCst), 2, "asked again, once");
    assert_eq!(results(&shown)["virustotal"]["success"], true);
    assert_eq!(shown["enrichment_status"], "Enriched");
    Ok(())
}

#[tokio::test]
async fn one_failing_provider_makes_it_partial_and_the_alert_goes_out() -> Result<()> {
    let world = World::fresh().await?;
    let stubs = Stubs::answering(enrichment::virustotal, |_| Reply::status(401)).await?;
    stubs.configure(&world, KEY).await?;
    let agent = world.agent(&json!({})).await?;
    let uuid = world.alert(&alert("Key refused", PUBLIC_IP)).await?;
    let payload = agent.recorder.wait(1).await?.remove(0).json();
    let enrichment = &payload["alert"]["_metadata"]["enrichment"];
    assert_eq!(enrichment["succeeded"], json!(["virustotal"]));
    assert_eq!(enrichment["failed"], json!(["abuseipdb"]));
    let failed = &results(&payload)["abuseipdb"];
    assert_eq!(failed["success"], false);
    assert_eq!(failed["extracted"], json!({}));
    let error = failed["error"].as_str().unwrap_or_default();
    assert!(
        error.contains("API key"),
        "a person must know what to do: {error}"
    );
    assert_eq!(payload["indicators"][0]["malice"], "Malicious");
    let shown = world.settled(&uuid).await?;
    assert_eq!(shown["enrichment_status"], "Partial");
    wait_for(
        "the provider's record says that its key is refused",
        || async {
            let provider = enrichment::provider(&world.backend, "abuseipdb").await?;
            Ok((provider["key_state"] == "invalid").then_some(()))
        },
    )
    .await?;
    Ok(())
}

#[tokio::test]
async fn when_all_providers_fail_the_alert_still_reaches_the_agent() -> Result<()> {
    let world = World::fresh().await?;
    let stubs = Stubs::answering(|_| Reply::status(403), |_| Reply::status(400)).await?;
    stubs.configure(&world, KEY).await?;
    let agent = world.agent(&json!({})).await?;
    let uuid = world.alert(&alert("Nobody answers", PUBLIC_IP)).await?;
    let payload = agent.recorder.wait(1).await?.remove(0).json();
    let enrichment = &payload["alert"]["_metadata"]["enrichment"];
    assert_eq!(enrichment["succeeded"], json!([]));
    assert_eq!(enrichment["failed"], json!(["virustotal", "abuseipdb"]));
    assert_eq!(payload["indicators"][0]["malice"], "Pending");
    assert_eq!(world.settled(&uuid).await?["enrichment_status"], "Failed");
    Ok(())
}

#[tokio::test]
async fn without_any_configured_provider_an_alert_is_enriched_at_once() -> Result<()> {
    let world = World::fresh().await?;
    let uuid = world.alert(&alert("Nothing to ask", PUBLIC_IP)).await?;
    let shown = world.settled(&uuid).await?;
    assert_eq!(shown["enrichment_status"], "Enriched");
    assert_eq!(results(&shown), &json!({}));
    Ok(())
}
