//! A burst of alerts from many connections, and who was told "accepted".

use std::net::SocketAddr;

use anyhow::Result;
use calseta_tests::bench::load::{self, Connection};
use serde_json::Value;
use tokio::task::JoinSet;

/// Alerts of a burst.
pub(crate) const ALERTS: u32 = 300;
/// Connections of a burst.
pub(crate) const CONNECTIONS: u32 = 16;

/// An alert whose 202 was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) uuid: String,
    pub(crate) is_high: bool,
}

/// Starts a burst. Each lane gives what was accepted until it ended or the backend was gone.
pub(crate) fn start(address: SocketAddr, key: &str, round: u32) -> JoinSet<Vec<Accepted>> {
    let mut lanes = JoinSet::new();
    for lane in 0..CONNECTIONS {
        let key = key.to_owned();
        lanes.spawn(async move {
            let mut accepted = Vec::new();
            // A broken connection is what a kill looks like from here.
            drop(post(address, &key, (round, lane), &mut accepted).await);
            accepted
        });
    }
    lanes
}

async fn post(
    address: SocketAddr,
    key: &str,
    (round, lane): (u32, u32),
    accepted: &mut Vec<Accepted>,
) -> Result<()> {
    let mut connection = Connection::open(address, key).await?;
    let numbers = (lane..ALERTS).step_by(CONNECTIONS as usize);
    for n in numbers {
        let body = load::body(round, n);
        let (status, answer) = connection.ask("POST", "/v1/ingest/generic", &body).await?;
        if status != 202 {
            continue;
        }
        let answer: Value = serde_json::from_slice(answer)?;
        let sent: Value = serde_json::from_slice(&body)?;
        accepted.push(Accepted {
            uuid: answer["data"]["alert_uuid"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            is_high: matches!(sent["severity"].as_str(), Some("High" | "Critical")),
        });
    }
    Ok(())
}

/// Waits for all lanes.
pub(crate) async fn accepted(lanes: JoinSet<Vec<Accepted>>) -> Vec<Accepted> {
    lanes.join_all().await.into_iter().flatten().collect()
}
