//! The event log on the wire.

use calseta_domain::{AlertId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// One event. Resume after `seq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventView {
    /// Its place in the log, from 1, without gaps.
    pub seq: i64,
    /// For example `finding.created`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: ActorView,
    /// What it is about.
    pub object: ObjectView,
    /// The alert it belongs to.
    pub alert_uuid: Option<AlertId>,
    /// Field to `[old, new]`, and other facts.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub changed: Map<String, Value>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActorView {
    /// analyst, agent, `human_key`, mcp or system.
    pub kind: String,
    /// A name to show.
    pub name: String,
    /// The key's first 12 characters.
    pub key_prefix: Option<String>,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObjectView {
    /// alert, finding, delivery, agent and so on.
    pub kind: String,
    /// Its id.
    pub uuid: Option<Uuid>,
}

/// Answer of the long poll, `GET /v1/events?after&wait_seconds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventBatch {
    /// Oldest first, at most 500.
    pub events: Vec<EventView>,
    /// Pass it as `after` next time.
    pub next_after: i64,
    /// `after` was older than what is kept: read the lists again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// Answer of a verification of the event log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditView {
    /// Whether every event fits the chain and every anchor fits its event.
    pub intact: bool,
    /// Events read.
    pub events: u64,
    /// The chain's end, SHA-256 in hex.
    pub head: String,
    /// Anchors read.
    pub anchors: u64,
    /// The last event that an anchor covers.
    pub anchored_to: Option<i64>,
    /// The first event that does not fit.
    pub first_bad_seq: Option<i64>,
    /// What is wrong, in words.
    pub problem: Option<String>,
}
