//! Faults of agents and deliveries.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, wait_for};
use calseta_tests::recorder::{Recorder, Reply};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fault::How::ShownBy;
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        97,
        "8.1",
        "PATCH cannot clear an agent's header, and half of its pair is a 500.",
        shown!(half_a_header_is_refused_and_null_clears_it),
    ),
    fault(
        98,
        "8.1",
        "A trigger filter of any shape is stored.",
        ShownBy(
            "tests/tests/main_job/filters.rs",
            "an_unknown_field_source_or_severity_is_named_with_the_likely_word",
        ),
    ),
    fault(
        99,
        "8.5",
        "The payload's lists of providers that succeeded and failed are always empty.",
        shown!(the_payload_names_the_providers_that_answered_and_failed),
    ),
    fault(
        100,
        "8.7",
        "A request that the agent refuses is repeated like any other failure.",
        ShownBy(
            "tests/tests/faults/retries.rs",
            "a_refused_message_is_given_up_after_three_attempts",
        ),
    ),
    fault(
        101,
        "8.7",
        "Waits between attempts hold the process, and one slow agent delays all others.",
        ShownBy(
            "tests/tests/faults/hostile.rs",
            "one_hanging_agent_delays_nobody_else",
        ),
    ),
    fault(
        102,
        "8.7",
        "A header that cannot be decrypted is left out, and the webhook sent without it.",
        shown!(without_its_header_nothing_is_sent),
    ),
    fault(
        103,
        "8.7",
        "An agent's answer of any size is stored.",
        shown!(a_huge_answer_is_cut),
    ),
    fault(
        104,
        "8.7",
        "Deliveries are in no answer of the API.",
        shown!(deliveries_are_listed_with_their_attempts),
    ),
    fault(
        105,
        "8.8",
        "A test's payload has its metadata elsewhere than a real one.",
        ShownBy(
            "tests/tests/main_job/contract.rs",
            "a_test_delivery_goes_through_the_real_builder_and_says_that_it_is_one",
        ),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_agents_are_gone() -> Result<()> {
    show(FAULTS).await
}

async fn half_a_header_is_refused_and_null_clears_it(world: &World) -> Result<()> {
    let admin = world.backend.admin();
    for half in [
        json!({"auth_header_name": "X-Key"}),
        json!({"auth_header_value": "v"}),
    ] {
        let mut request = json!({"name": "half", "webhook_url": "http://127.0.0.1:9/w"});
        for (name, value) in half.as_object().context("an object")? {
            request[name] = value.clone();
        }
        let (status, body) = world
            .backend
            .call(admin, Method::POST, "/v1/agents", Some(&request))
            .await?;
        ensure!(
            status == 422 && body["error"]["code"] == "VALIDATION_ERROR",
            "{status} {body}"
        );
    }
    let whole = json!({
        "name": "whole", "webhook_url": "http://127.0.0.1:9/w",
        "auth_header_name": "X-Key", "auth_header_value": "v",
    });
    let made = world.backend.post("/v1/agents", &whole).await?;
    ensure!(made["has_auth_header"] == true, "{made}");
    let path = format!("/v1/agents/{}", made["uuid"].as_str().context("uuid")?);
    let cleared = world
        .backend
        .patch(&path, &json!({"auth_header": null}))
        .await?;
    ensure!(cleared["has_auth_header"] == false, "{cleared}");
    Ok(())
}

async fn the_payload_names_the_providers_that_answered_and_failed(_: &World) -> Result<()> {
    let world = World::fresh().await?;
    let fails = Recorder::answering(|_| Reply::status(400)).await?;
    let answers = crate::enrichment::abuseipdb("DE").await?;
    crate::enrichment::point(&world, &answers).await?;
    let patch = json!({"is_active": true, "base_url": fails.url, "auth_config": {"api_key": "k"}});
    let path = crate::enrichment::provider(&world, "virustotal").await?;
    world.backend.patch(&path, &patch).await?;
    let agent = world.agent(&json!({})).await?;
    world
        .alert(&json!({"title": "both", "src_ip": "45.33.32.9"}))
        .await?;
    let payload = agent.recorder.wait(1).await?.remove(0).json();
    let enrichment = &payload["alert"]["_metadata"]["enrichment"];
    ensure!(
        enrichment["succeeded"] == json!(["abuseipdb"]),
        "{enrichment}"
    );
    ensure!(
        enrichment["failed"] == json!(["virustotal"]),
        "{enrichment}"
    );
    Ok(())
}

async fn without_its_header_nothing_is_sent(_: &World) -> Result<()> {
    let World { backend, dir } = World::fresh().await?;
    let admin = backend.admin().to_owned();
    let recorder = Recorder::start().await?;
    let request = json!({"name": "a", "webhook_url": recorder.url, "auth_header": "Bearer x"});
    let agent = backend.post("/v1/agents", &request).await?;
    let agent = agent["uuid"].as_str().context("uuid")?.to_owned();
    // The control: with the right key of the directory it is sent.
    backend
        .post("/v1/ingest/generic", &json!({"title": "before"}))
        .await?;
    ensure!(
        recorder.wait(1).await?[0].header("authorization") == "Bearer x",
        "the header is sent"
    );
    backend.terminate().await?;
    std::fs::write(dir.path().join("master.key"), [7; 32])?;
    let backend = Backend::start(&BackendOptions::new(dir.path())).await?;
    let alert = json!({"title": "after"});
    let (status, _) = backend
        .call(&admin, Method::POST, "/v1/ingest/generic", Some(&alert))
        .await?;
    ensure!(status == 202, "alerts still come in: {status}");
    let path = format!("/v1/agents/{agent}/deliveries");
    let attempt = wait_for("an attempt is over", || async {
        let (_, body) = backend.call(&admin, Method::GET, &path, None).await?;
        let newest = &body["data"][0];
        let attempt = &newest["attempts"][0];
        let over = newest["alert_title"] == "after" && attempt["ended_at"].is_string();
        Ok(over.then(|| attempt.clone()))
    })
    .await?;
    ensure!(attempt["outcome"] != "ok", "{attempt}");
    ensure!(
        attempt["error"].is_string(),
        "it says what to do: {attempt}"
    );
    ensure!(
        recorder.seen().len() == 1,
        "nothing was sent without its header"
    );
    Ok(())
}

async fn a_huge_answer_is_cut(world: &World) -> Result<()> {
    const EXCERPT_MAX: usize = 16 * 1024;
    let recorder = Recorder::answering(|_| {
        let filler = "x".repeat(3 * 1024 * 1024);
        Reply {
            status: 400,
            ..Reply::json(&json!({"filler": filler}))
        }
    })
    .await?;
    let (uuid, _) = world
        .backend
        .register_agent("huge", &recorder.url, &json!({"tags": ["huge"]}))
        .await?;
    world
        .alert(&json!({"title": "huge answer", "tags": ["huge"]}))
        .await?;
    let attempt = wait_for("an attempt is over", || async {
        let deliveries = world.deliveries(&uuid).await?;
        let attempt = deliveries.first().map(|one| one["attempts"][0].clone());
        Ok(attempt.filter(|attempt| attempt["ended_at"].is_string()))
    })
    .await?;
    let excerpt = attempt["response_excerpt"].as_str().unwrap_or_default();
    ensure!(
        excerpt.len() <= EXCERPT_MAX,
        "{} bytes are kept",
        excerpt.len()
    );
    Ok(())
}

async fn deliveries_are_listed_with_their_attempts(world: &World) -> Result<()> {
    let agent = world.agent(&json!({"tags": ["listed"]})).await?;
    let alert = world
        .alert(&json!({"title": "listed", "tags": ["listed"]}))
        .await?;
    agent.recorder.wait(1).await?;
    let delivery: Value = wait_for("it is delivered", || async {
        let deliveries = world.deliveries(&agent.uuid).await?;
        Ok(deliveries
            .into_iter()
            .find(|one| one["state"] == "delivered"))
    })
    .await?;
    ensure!(delivery["alert_uuid"] == json!(alert), "{delivery}");
    ensure!(delivery["attempts"][0]["status_code"] == 200, "{delivery}");
    let uuid = delivery["uuid"].as_str().context("uuid")?;
    let sent = world
        .raw(
            world.backend.admin(),
            (Method::GET, &format!("/v1/deliveries/{uuid}/body")),
            &[],
            b"",
        )
        .await?;
    ensure!(
        sent.bytes == agent.recorder.seen()[0].body,
        "the exact bytes that were sent"
    );
    Ok(())
}
