//! Agents: who is told about which alerts.

use calseta_domain::breaker::{Cause, Health};
use calseta_domain::{AgentId, DeliveryId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Patch;

/// Body of `POST /v1/agents`, with v1.1.0's names accepted beside the page's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentRequest {
    /// 1..=255 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 255, pattern = r"\S")
    )]
    pub name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where alerts are posted. Required, under this or v1.1.0's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
    /// v1.1.0's name of `webhook_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
    /// The value of the Authorization header. Stored sealed, never returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 4096,
            pattern = r"^[^\x00-\x08\x0A-\x1F\x7F]+$"
        )
    )]
    pub auth_header: Option<String>,
    /// v1.1.0: another header's name; with `auth_header_value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_header_name: Option<String>,
    /// v1.1.0: that header's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 4096,
            pattern = r"^[^\x00-\x08\x0A-\x1F\x7F]+$"
        )
    )]
    pub auth_header_value: Option<String>,
    /// `{min_severity, source_names, tags}`, and `{match_any, match_all}` as an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub trigger_filter: Option<Value>,
    /// v1.1.0: only these sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_on_sources: Option<Vec<String>>,
    /// v1.1.0: only these severities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<calseta_domain::Severity>>))]
    pub trigger_on_severities: Option<Vec<String>>,
    /// An attempt's total deadline, 1..=300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 300))]
    pub timeout_seconds: Option<u32>,
    /// 0..=10. Stored and echoed; the durable schedule decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 10))]
    pub retry_count: Option<u32>,
    /// Attempts at once, 1..=32; 4 when absent. 1 keeps the order as well as can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 32))]
    pub max_in_flight: Option<u32>,
    /// Whether it is told anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// A human key allows an address in a private range.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_private: bool,
}

/// Body of `PATCH /v1/agents/{uuid}`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentPatch {
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 255, pattern = r"\S"))]
    pub name: Patch<String>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub description: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub webhook_url: Patch<String>,
    /// v1.1.0's name of `webhook_url`.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub endpoint_url: Patch<String>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, min_length = 1, max_length = 4096, pattern = r"^[^\x00-\x08\x0A-\x1F\x7F]+$"))]
    pub auth_header: Patch<String>,
    /// v1.1.0's form: the header's name, with its value beside it. `null` clears both.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub auth_header_name: Patch<String>,
    /// v1.1.0's form: the header's value. `null` clears both.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, min_length = 1, max_length = 4096, pattern = r"^[^\x00-\x08\x0A-\x1F\x7F]+$"))]
    pub auth_header_value: Patch<String>,
    /// v1.1.0's list of sources; `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub trigger_on_sources: Patch<Vec<String>>,
    /// v1.1.0's list of severities; `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<calseta_domain::Severity>>))]
    pub trigger_on_severities: Patch<Vec<String>>,
    /// `null` clears: the agent receives all alerts.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub trigger_filter: Patch<Value>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, maximum = 300))]
    pub timeout_seconds: Patch<u32>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, maximum = 10))]
    pub retry_count: Patch<u32>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_active: Patch<bool>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, maximum = 32))]
    pub max_in_flight: Patch<u32>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub documentation: Patch<String>,
    /// A human key allows an address in a private range.
    #[serde(default)]
    pub allow_private: bool,
}

/// An agent as the API shows it. No secret is ever in it but `signing_secret`, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentView {
    /// The agent.
    pub uuid: AgentId,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Where alerts are posted.
    pub webhook_url: String,
    /// Whether a header with a secret is sent.
    pub has_auth_header: bool,
    /// That header's name.
    pub auth_header_name: Option<String>,
    /// The filter in normal form; an empty object lets everything through.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub trigger_filter: Map<String, Value>,
    /// An attempt's total deadline.
    pub timeout_seconds: u32,
    /// Stored and echoed.
    pub retry_count: u32,
    /// Whether it is told anything.
    pub is_active: bool,
    /// `none_needed`, granted or pending (a human has to allow the address).
    pub grant: String,
    /// closed, open, `half_open` or disabled: its breaker.
    pub health: String,
    /// For people.
    pub documentation: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Deprecated alias of `webhook_url`.
    pub endpoint_url: String,
    /// Deprecated: the filter's sources.
    pub trigger_on_sources: Vec<String>,
    /// Deprecated: v1.1.0's exact severities.
    pub trigger_on_severities: Vec<String>,
    /// `whsec_…`: only in the answer that made or rotated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
    /// How long it takes from a delivery to its finding; absent until three were answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_finding: Option<TimeToFinding>,
    /// Attempts at once.
    #[serde(default = "default_in_flight")]
    pub max_in_flight: u32,
    /// How its breaker stands, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerView>,
    /// What waits for it or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<BacklogView>,
}

/// Attempts at once to one agent when nobody says otherwise.
pub const DEFAULT_IN_FLIGHT: u32 = 4;
/// The most attempts at once to one agent.
pub const MAX_IN_FLIGHT: u32 = 32;

const fn default_in_flight() -> u32 {
    DEFAULT_IN_FLIGHT
}

/// An agent's breaker: why it is not sent everything, and when it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BreakerView {
    /// closed: messages are sent; open: they are parked until a probe is taken; `half_open`: the probe
    /// is under way; disabled: a person switches it on again.
    pub state: Health,
    /// Why it is not closed; `null` while it is.
    pub cause: Option<Cause>,
    /// The same in words.
    pub reason: Option<String>,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// Since when it is not closed.
    pub opened_at: Option<Timestamp>,
    /// When the oldest parked message is tried.
    pub next_probe_at: Option<Timestamp>,
    /// Probes that failed since it opened.
    pub probes: u32,
}

/// What waits for an agent, each counted up to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacklogView {
    /// Due now or later.
    pub due: u64,
    /// Held back by the breaker.
    pub parked: u64,
    /// Given up; recovered by `POST /v1/agents/{uuid}/recover`.
    pub dead: u64,
}

/// Body of `POST /v1/agents/{uuid}/enable`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnableRequest {
    /// Take up what was given up, too.
    #[serde(default)]
    pub recover: bool,
}

/// How long an agent takes, over its last 100 answered deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeToFinding {
    /// Answered deliveries that were counted.
    pub n: u64,
    /// Half took at most this long, in milliseconds.
    pub p50_ms: i64,
    /// Nine in ten took at most this long, in milliseconds.
    pub p90_ms: i64,
}

/// Body of `POST /v1/agents/{uuid}/test`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentTestRequest {
    /// A real alert to send; without it a test alert is made up and marked.
    #[serde(default)]
    pub alert_uuid: Option<calseta_domain::AlertId>,
}

/// Answer to `POST /v1/agents/{uuid}/test`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentTestView {
    /// Whether it answered 2xx.
    pub delivered: bool,
    /// What it answered.
    pub status_code: Option<u16>,
    /// From the connection to the end of the answer.
    pub duration_ms: u64,
    /// Why not, in words.
    pub error: Option<String>,
    /// The delivery's record.
    pub delivery_uuid: DeliveryId,
}

/// Answer of `POST /v1/agents/{uuid}/rotate-secret`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotatedSecretView {
    /// The new signing secret, shown here only.
    pub signing_secret: String,
    /// Until then the earlier secret signs too.
    pub previous_valid_until: Timestamp,
}

/// Answer of `POST /v1/agents/{uuid}/probe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProbeView {
    /// Whether something answered.
    pub reachable: bool,
    /// public, private, loopback or blocked.
    pub class: String,
    /// How long it took.
    pub ms: u64,
    /// Why it did not, in words.
    pub error: Option<String>,
}

/// Body of `POST /v1/agents/preview`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewRequest {
    /// As an agent's.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub trigger_filter: Option<Value>,
    /// 1..=90 days back; 7 when absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 90))]
    pub days: Option<u32>,
}

/// What a trigger filter would have matched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewView {
    /// Alerts that match.
    pub matched: u64,
    /// Alerts looked at.
    pub of: u64,
    /// The newest five that match.
    pub examples: Vec<PreviewAlert>,
    /// The newest three that fail by one clause.
    pub near_misses: Vec<NearMiss>,
    /// What is odd about the filter.
    pub warnings: Vec<String>,
}

/// An alert of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewAlert {
    /// The alert.
    pub alert_uuid: calseta_domain::AlertId,
    /// Its title.
    pub title: String,
}

/// An alert that one clause kept out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NearMiss {
    /// The alert.
    pub alert_uuid: calseta_domain::AlertId,
    /// Its title.
    pub title: String,
    /// The clause in words, with what the alert has.
    pub failing_clause: String,
}
