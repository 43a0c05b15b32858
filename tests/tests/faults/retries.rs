//! What an agent's answer means for the next attempt.

use anyhow::Result;
use calseta_tests::goals;
use calseta_tests::recorder::{Recorder, Reply};
use serde_json::Value;

use crate::world::{World, ended, text, wait_ms};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// What the jitter may add to the shortest wait after overload.
const JITTER_MS: i64 = MINUTE_MS / 5;

/// One failed attempt at an agent that answers so; its delivery.
async fn first_failure(world: &World, reply: Reply) -> Result<Value> {
    let agent = Recorder::answering(move |_| reply.clone()).await?;
    let uuid = world.agent(&agent.url, 30).await?;
    world.alert(&format!("for {}", agent.url)).await?;
    let failed = world
        .delivery(&uuid, "with a failed attempt", |d| ended(d) >= 1)
        .await?;
    // Its next alerts would only disturb the other cases.
    world
        .backend
        .patch(
            &format!("/v1/agents/{uuid}"),
            &serde_json::json!({"is_active": false}),
        )
        .await?;
    Ok(failed)
}

fn reply(status: u16, headers: &[(&str, &str)]) -> Reply {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Reply {
        headers,
        ..Reply::status(status)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_is_honoured_up_to_an_hour() -> Result<()> {
    let world = World::start().await?;
    let cases = [
        (429, "120", 2 * MINUTE_MS, 2 * MINUTE_MS),
        (503, "90", MINUTE_MS * 3 / 2, MINUTE_MS * 3 / 2),
        (503, "86400", HOUR_MS, HOUR_MS),
        (429, "Sun, 06 Nov 2050 08:49:37 GMT", HOUR_MS, HOUR_MS),
        // Less than the shortest wait after overload is not enough.
        (429, "1", MINUTE_MS, MINUTE_MS + JITTER_MS),
    ];
    for (status, asked, least, most) in cases {
        let failed = first_failure(&world, reply(status, &[("retry-after", asked)])).await?;
        assert_eq!(failed["attempts"][0]["status_code"], status);
        let wait = wait_ms(&failed)?;
        assert!(
            (least..=most).contains(&wait),
            "{status} with Retry-After {asked}: the next attempt is due after {wait} ms, \
             not within {least}..={most}"
        );
    }
    let done = format!(
        "{} answers with Retry-After, seconds and dates",
        cases.len()
    );
    goals::shown("W7", done, "each wait as asked", "60 s to 1 h");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() -> Result<()> {
    let world = World::start().await?;
    let elsewhere = Recorder::start().await?;
    for status in [301, 302, 307, 308] {
        let failed = first_failure(&world, reply(status, &[("location", &elsewhere.url)])).await?;
        assert_eq!(failed["attempts"][0]["status_code"], status);
        assert_eq!(failed["attempts"][0]["outcome"], "http");
        assert_eq!(failed["state"], "due", "a redirect is a failed attempt");
    }
    assert_eq!(elsewhere.seen().len(), 0, "the alert went somewhere else");
    goals::shown("W7", "301, 302, 307, 308", "0 requests elsewhere", "0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_gone_is_disabled() -> Result<()> {
    let world = World::start().await?;
    let agent = Recorder::answering(|_| Reply::status(410)).await?;
    let uuid = world.agent(&agent.url, 30).await?;
    world.alert("gone").await?;
    let dead = world
        .delivery(&uuid, "given up", |d| d["state"] == "dead")
        .await?;
    assert!(text(&dead, "dead_reason")?.contains("410"));
    let shown = world.backend.get(&format!("/v1/agents/{uuid}")).await?;
    assert_eq!(shown["is_active"], false, "410 disables the agent: {shown}");
    // Another agent's delivery shows that the next alert was matched, and not with this one.
    let other = Recorder::start().await?;
    world.agent(&other.url, 30).await?;
    world.alert("after it was gone").await?;
    other.wait(1).await?;
    assert_eq!(agent.seen().len(), 1, "nothing more is sent to it");
    goals::shown("W7", "410", "disabled, 0 further requests", "0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_is_given_up_after_three_attempts() -> Result<()> {
    let world = World::start().await?;
    for status in [400, 413, 422] {
        let agent = Recorder::answering(move |_| Reply::status(status)).await?;
        let uuid = world.agent(&agent.url, 30).await?;
        world.alert(&format!("refused with {status}")).await?;
        for attempt in 1..3 {
            let what = format!("after attempt {attempt} answered {status}");
            let failed = world
                .delivery(&uuid, &what, |d| ended(d) == attempt)
                .await?;
            assert_eq!(failed["state"], "due", "{what}: {failed}");
            world.retry_now(&failed).await?;
        }
        let dead = world
            .delivery(&uuid, "given up", |d| d["state"] == "dead")
            .await?;
        assert_eq!(ended(&dead), 3, "{dead}");
        assert_eq!(agent.seen().len(), 3);
        let path = format!("/v1/agents/{uuid}");
        let shown = world.backend.get(&path).await?;
        assert_eq!(
            shown["is_active"], true,
            "the message was bad, not the agent"
        );
        let off = serde_json::json!({"is_active": false});
        world.backend.patch(&path, &off).await?;
    }
    goals::shown(
        "W7",
        "400, 413, 422",
        "given up after 3 attempts, agent untouched",
        "3",
    );
    Ok(())
}
