//! What a delivery promises: its attempt is on record before the agent sees it, it can be sent
//! again under the same id, and it waits for an agent that is down.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use calseta_tests::backend::http_client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::agent::Agent;
use crate::world::{World, ended, text, wait_ms};

/// Where and with which key the agent asks.
type Api = Arc<OnceLock<(String, String)>>;

async fn deliveries_seen_by_agent(api: &Api) -> Result<Value> {
    let (url, key) = api.get().context("the API is known")?;
    let answer = http_client()?.get(url).bearer_auth(key).send().await?;
    Ok(serde_json::from_str(&answer.text().await?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_attempt_is_on_record_before_the_agent_sees_it() -> Result<()> {
    let (api, seen) = (Api::default(), Arc::new(OnceLock::new()));
    let (asked, noted) = (Arc::clone(&api), Arc::clone(&seen));
    let agent = Agent::start(move |_| {
        let (asked, noted) = (Arc::clone(&asked), Arc::clone(&noted));
        async move {
            match deliveries_seen_by_agent(&asked).await {
                Ok(list) => {
                    noted.get_or_init(|| list);
                    200
                }
                Err(_) => 500,
            }
        }
    })
    .await?;
    let world = World::start().await?;
    let list = format!("{}/v1/deliveries", world.backend.base_url);
    assert!(api.set((list, world.admin.clone())).is_ok());
    let uuid = world.agent(&agent.url, 60).await?;
    world.alert("look at the record").await?;
    world
        .delivery(&uuid, "done", |d| d["state"] == "delivered")
        .await?;
    let seen = seen.get().context("the agent asked")?;
    let delivery = &seen["data"][0];
    assert_eq!(delivery["state"], "in_flight", "seen by the agent: {seen}");
    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1));
    assert!(delivery["attempts"][0]["ended_at"].is_null());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_down_gets_the_same_message_when_it_is_back() -> Result<()> {
    let world = World::start().await?;
    let place = TcpListener::bind("127.0.0.1:0").await?;
    let address = place.local_addr()?;
    drop(place);
    let uuid = world
        .agent(&format!("http://{address}/webhook"), 30)
        .await?;
    world.alert("nobody at home").await?;
    let refused = world
        .delivery(&uuid, "with a failed attempt", |d| ended(d) >= 1)
        .await?;
    assert_eq!(refused["state"], "due");
    assert_eq!(refused["attempts"][0]["outcome"], "connect");
    let wait = wait_ms(&refused)?;
    assert!(
        (4_000..=6_000).contains(&wait),
        "the first retry is due after 5 s ± 20 %, not {wait} ms"
    );
    let agent = Agent::start_on(TcpListener::bind(address).await?, |_| async { 200 })?;
    world.retry_now(&refused).await?;
    let done = world
        .delivery(&uuid, "done", |d| d["state"] == "delivered")
        .await?;
    assert_eq!(done["webhook_id"], refused["webhook_id"]);
    let received = agent.wait(1).await?;
    assert_eq!(received[0].webhook_id, text(&refused, "webhook_id")?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_carries_the_same_id_and_the_same_bytes() -> Result<()> {
    let agent = Agent::start(|before| async move { if before == 0 { 500 } else { 200 } }).await?;
    let world = World::start().await?;
    let uuid = world.agent(&agent.url, 30).await?;
    world.alert("try again").await?;
    let failed = world
        .delivery(&uuid, "with a failed attempt", |d| ended(d) >= 1)
        .await?;
    world.retry_now(&failed).await?;
    let received = agent.wait(2).await?;
    assert_eq!(received[0], received[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn redelivery_repeats_the_message_or_makes_a_new_one() -> Result<()> {
    let agent = Agent::start(|_| async { 200 }).await?;
    let world = World::start().await?;
    let uuid = world.agent(&agent.url, 30).await?;
    world.alert("once more").await?;
    let first = world
        .delivery(&uuid, "done", |d| d["state"] == "delivered")
        .await?;
    let path = format!("/v1/deliveries/{}/redeliver", text(&first, "uuid")?);
    world
        .backend
        .post(&path, &json!({"mode": "as_sent"}))
        .await?;
    let received = agent.wait(2).await?;
    assert_eq!(received[0], received[1], "as_sent is the same message");
    world
        .delivery(&uuid, "done twice", |d| ended(d) == 2)
        .await?;
    let current = world
        .backend
        .post(&path, &json!({"mode": "current"}))
        .await?;
    let received = agent.wait(3).await?;
    assert_ne!(received[2].webhook_id, received[0].webhook_id);
    assert_eq!(received[2].webhook_id, text(&current, "webhook_id")?);
    assert_eq!(received[2].alert, received[0].alert);
    assert!(
        current["generation"].as_u64() > first["generation"].as_u64(),
        "a new message is a new generation: {current}"
    );
    Ok(())
}
