//! Settings: what a person may change while the product runs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Answer of `GET /v1/settings`: every group with its values now; `security` is read-only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettingsView {
    /// Group to key to value.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Object>))]
    pub groups: BTreeMap<String, Map<String, Value>>,
    /// Where the master key is; never the key.
    pub security: SecurityView,
}

/// The state of what protects stored secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecurityView {
    /// `keychain`, `file`, or `unavailable` (then stored secrets must be entered again).
    pub master_key: String,
    /// Grows with each rotation.
    pub master_key_version: u32,
    /// When it was rotated last; `null` when never.
    pub rotated_at: Option<calseta_domain::Timestamp>,
}

/// One setting, for a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettingSchema {
    /// Its group.
    pub group: String,
    /// Its key in the group.
    pub key: String,
    /// `boolean`, `integer` or `string`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is until somebody changes it.
    pub default: Value,
    /// The least value of a number, or the fewest characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// The largest value of a number, or the most characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
    /// The only words it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// What it does, for a person.
    pub text: String,
    /// Whether a change takes effect at the next start only.
    pub needs_restart: bool,
}

/// Answer of `GET /v1/settings/approval-defaults`, as v1.1.0 has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalDefaults {
    /// How approvers are told besides the window: `none`.
    pub notifier: String,
    /// Where they are told.
    pub default_channel: Option<String>,
    /// How long an approval waits.
    pub default_timeout_seconds: u64,
    /// Whether Slack could be used.
    pub slack_configured: bool,
    /// Whether Teams could be used.
    pub teams_configured: bool,
}
