//! Deliveries: one alert for one agent, with every attempt.

use calseta_domain::{AgentId, AlertId, DeliveryId, FindingId, Timestamp};
use serde::{Deserialize, Serialize};

/// A delivery with its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryView {
    /// The delivery.
    pub uuid: DeliveryId,
    /// The `webhook-id` header of every attempt.
    pub webhook_id: String,
    /// The alert; `null` for a test with a made-up one.
    pub alert_uuid: Option<AlertId>,
    /// The alert's title, to show in a list.
    pub alert_title: Option<String>,
    /// The agent.
    pub agent_uuid: AgentId,
    /// due, `in_flight`, parked, delivered, dead or cancelled.
    pub state: String,
    /// From 1; a later generation carries newer data.
    pub generation: u32,
    /// enriched, manual, redeliver, replay or test.
    pub trigger: String,
    /// SHA-256 in hex of the body.
    pub body_sha256: String,
    /// Its length.
    pub body_bytes: u64,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it was given up.
    pub dead_reason: Option<String>,
    /// When the agent took it.
    pub delivered_at: Option<Timestamp>,
    /// The findings that answer it.
    pub finding_uuids: Vec<FindingId>,
    /// When it was decided on.
    pub created_at: Timestamp,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptView>,
    /// The headers that are sent, secrets masked; only when one delivery is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_headers: Option<std::collections::BTreeMap<String, String>>,
}

/// One attempt, written before its request is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptView {
    /// From 1.
    pub n: u32,
    /// Whether it was to find out whether the agent is back: then it counts against no schedule.
    #[serde(default)]
    pub is_probe: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `null` while it runs.
    pub ended_at: Option<Timestamp>,
    /// ok, http, timeout, connect, tls, blocked, `too_large` or unknown (a crash cut it off).
    pub outcome: Option<String>,
    /// What the agent answered.
    pub status_code: Option<u16>,
    /// The address that answered.
    pub remote_ip: Option<String>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// The answer's first 4 KB, as text.
    pub response_excerpt: Option<String>,
    /// What went wrong, in words.
    pub error: Option<String>,
}

/// Body of `POST /v1/deliveries/{uuid}/redeliver`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedeliverRequest {
    /// `as_sent` (the default): the same bytes and id, a new attempt. `current`: what is known now,
    /// under a new id.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::RedeliverMode>))]
    pub mode: Option<String>,
}
