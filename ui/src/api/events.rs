//! The event log, by long poll: the same call works in the window and in a browser.

use calseta_contract::event::EventBatch;
use serde_json::Value;

use super::Failure;
use super::request::get;

/// How long the backend may hold an empty answer back; its own maximum.
const WAIT_SECONDS: u32 = 25;

/// Where the log stands now.
pub(crate) async fn latest_event() -> Result<i64, Failure> {
    let envelope = get::<EventBatch, Value>("/v1/events?wait_seconds=0").await?;
    Ok(envelope.data.next_after)
}

/// What happened after `seq`; waits for something to happen.
pub(crate) async fn wait_for_events(seq: i64) -> Result<EventBatch, Failure> {
    let path = format!("/v1/events?after={seq}&wait_seconds={WAIT_SECONDS}");
    Ok(get::<EventBatch, Value>(&path).await?.data)
}
