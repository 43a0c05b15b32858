//! The event log: long poll, server-sent events, who sees what, and the hash chain.

use anyhow::{Context as _, Result, ensure};
use calseta_domain::Timestamp;
use calseta_store::tables::event;
use calseta_store::{DataDir, Store};
use calseta_tests::backend::{DEADLINE, http_client};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

/// An alert, matched and answered, so that the log has something to say.
async fn story(world: &World, title: &str) -> Result<String> {
    let uuid = world.alert(&json!({"title": title})).await?;
    world.settled(&uuid).await?;
    let path = format!("/v1/alerts/{uuid}/findings");
    world
        .backend
        .post(&path, &json!({"summary": "seen"}))
        .await?;
    Ok(uuid)
}

async fn after(world: &World, key: &str, seq: i64, wait: u32) -> Result<(Vec<Value>, i64)> {
    let path = format!("/v1/events?after={seq}&wait_seconds={wait}");
    let (status, body) = world.backend.call(key, Method::GET, &path, None).await?;
    ensure!(status == 200, "{body}");
    let events = body["data"]["events"].as_array().cloned();
    let next = body["data"]["next_after"].as_i64();
    Ok((events.context("events")?, next.context("next_after")?))
}

fn seqs(events: &[Value]) -> Vec<i64> {
    events
        .iter()
        .filter_map(|event| event["seq"].as_i64())
        .collect()
}

fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect()
}

/// Reads a stream until this many events came; `(id, event, data)` of each.
async fn stream(
    world: &World,
    key: &str,
    last_event_id: Option<&str>,
    count: usize,
) -> Result<Vec<(String, String, Value)>> {
    let url = format!("{}/v1/events?after=0", world.backend.base_url);
    let mut request = http_client()?
        .get(url)
        .bearer_auth(key)
        .header("accept", "text/event-stream");
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    let mut response = request.send().await?;
    ensure!(response.headers()["content-type"] == "text/event-stream");
    let mut text = String::new();
    loop {
        let read: Vec<_> = text.split_inclusive("\n\n").filter_map(parse).collect();
        if read.len() >= count {
            return Ok(read);
        }
        let chunk = tokio::time::timeout(DEADLINE, response.chunk()).await??;
        text.push_str(std::str::from_utf8(&chunk.context("the stream ended")?)?);
    }
}

/// One whole event; a comment or an unfinished one is none.
fn parse(block: &str) -> Option<(String, String, Value)> {
    let block = block.strip_suffix("\n\n")?;
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let data = serde_json::from_str(field("data: ")?).ok()?;
    Some((
        field("id: ")?.to_owned(),
        field("event: ")?.to_owned(),
        data,
    ))
}

#[tokio::test]
async fn events_come_in_order_and_a_long_poll_waits_for_the_next() -> Result<()> {
    let world = World::fresh().await?;
    let uuid = story(&world, "First").await?;
    let admin = world.backend.admin();
    let (events, next) = after(&world, admin, 0, 0).await?;
    let numbers = seqs(&events);
    let expected: Vec<i64> = (1..=i64::try_from(numbers.len())?).collect();
    assert_eq!(
        numbers, expected,
        "from 1, without gaps: a reader can tell a loss"
    );
    assert_eq!(
        types(&events),
        ["alert.created", "alert.enriched", "finding.created"]
    );
    for event in &events {
        assert_eq!(event["alert_uuid"], json!(uuid));
    }
    assert_eq!(events[2]["actor"]["kind"], "human_key");
    assert_eq!(Some(next), numbers.last().copied());

    let (none, same) = after(&world, admin, next, 0).await?;
    assert!(none.is_empty() && same == next, "without waiting: at once");
    let poll = after(&world, admin, next, 25);
    let post = async {
        let payload = json!({"title": "Second"});
        world.ingest("generic", &payload).await
    };
    let (polled, posted) = tokio::join!(poll, post);
    posted?;
    assert_eq!(
        types(&polled?.0)[0],
        "alert.created",
        "the poll ends with the event"
    );
    Ok(())
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_that_was_read() -> Result<()> {
    let world = World::fresh().await?;
    story(&world, "Streamed").await?;
    let admin = world.backend.admin();
    let all = stream(&world, admin, None, 3).await?;
    for (id, kind, data) in &all {
        assert_eq!(
            data["seq"].to_string(),
            *id,
            "the id is the place in the log"
        );
        assert_eq!(data["type"], json!(kind));
    }
    let rest = stream(&world, admin, Some(&all[0].0), 2).await?;
    assert_eq!(rest, all[1..], "neither repeated nor lost");
    let (last, reader) = (all[2].0.clone(), stream(&world, admin, Some(&all[2].0), 1));
    let post = story(&world, "While streaming");
    let (live, posted) = tokio::join!(reader, post);
    posted?;
    let live = live?;
    assert_eq!(
        live[0].1, "alert.created",
        "an open stream sees what happens"
    );
    assert!(live[0].0.parse::<i64>()? > last.parse::<i64>()?);
    Ok(())
}

#[tokio::test]
async fn a_reader_that_is_ahead_of_the_log_is_told_to_start_over() -> Result<()> {
    let world = World::fresh().await?;
    let path = "/v1/events?after=1000&wait_seconds=0";
    let batch = world.backend.get(path).await?;
    assert_eq!(
        batch["reset"], true,
        "after a restore the log may be shorter"
    );
    Ok(())
}

#[tokio::test]
async fn a_key_sees_only_the_events_that_its_scopes_may_read() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({})).await?;
    let key = world.agent_key("Agent's key", Some(&agent.uuid)).await?;
    story(&world, "Seen by the agent").await?;
    agent.recorder.wait(1).await?;
    let admin = world.backend.admin();
    calseta_tests::backend::wait_for("the delivery's event", || async {
        let (events, _) = after(&world, admin, 0, 0).await?;
        Ok(types(&events).contains(&"delivery.updated").then_some(()))
    })
    .await?;
    let (all, _) = after(&world, admin, 0, 0).await?;
    assert!(
        types(&all).contains(&"key.created"),
        "the admin sees them: {all:?}"
    );
    let (visible, _) = after(&world, &key, 0, 0).await?;
    let hidden = ["key.", "agent.", "delivery.", "settings."];
    for event in types(&visible) {
        assert!(
            !hidden.iter().any(|noun| event.starts_with(noun)),
            "{event} is nothing for a key that may read alerts only"
        );
    }
    assert!(types(&visible).contains(&"finding.created"), "{visible:?}");
    Ok(())
}

#[tokio::test]
async fn the_log_s_hash_chain_holds_and_breaks_when_a_byte_is_changed() -> Result<()> {
    const TITLE: &str = "Title in the chain";
    let world = World::fresh().await?;
    story(&world, TITLE).await?;
    let World { backend, dir } = world;
    let status = backend.terminate().await?;
    ensure!(status.success(), "it stops cleanly: {status}");

    let verify = async |dir: &std::path::Path| -> Result<Result<i64, i64>> {
        let store = Store::open(DataDir::take(dir)?, Timestamp::from_millis(0))?;
        let verdict = store
            .read(|tx| Ok::<_, anyhow::Error>(event::verify(tx)?))
            .await?;
        store.close(Timestamp::from_millis(0)).await;
        Ok(verdict.map(|head| head.seq))
    };
    assert_eq!(verify(dir.path()).await?, Ok(3), "three events, all fit");

    let file = dir.path().join("calseta.db");
    let mut bytes = std::fs::read(&file)?;
    let mut changed = 0;
    let at = |bytes: &[u8]| {
        bytes
            .windows(TITLE.len())
            .position(|w| w == TITLE.as_bytes())
    };
    while let Some(position) = at(&bytes) {
        bytes[position..position + 5].copy_from_slice(b"Other");
        changed += 1;
    }
    ensure!(changed > 0, "the title stands in the file");
    std::fs::write(&file, bytes)?;
    assert_eq!(
        verify(dir.path()).await?,
        Err(1),
        "the first event names the title: who rewrites it is found out"
    );
    Ok(())
}
