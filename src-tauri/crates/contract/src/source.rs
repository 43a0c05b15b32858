//! Alert sources: who may send, what their payloads mean, and what was refused.

use calseta_domain::{SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Patch;

/// A source as the API shows it; its secret never.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceView {
    /// The source.
    pub uuid: SourceId,
    /// The name in `/v1/ingest/{source_name}`; unique, fixed.
    pub source_name: String,
    /// Its name for people.
    pub display_name: String,
    /// Whose payloads it understands: sentinel, elastic, splunk or generic.
    pub plugin: String,
    /// Whether it came with the product; then it cannot be deleted.
    pub is_builtin: bool,
    /// Whether it takes alerts; inactive answers 503 `INGEST_PAUSED`.
    pub is_active: bool,
    /// Where an own source's payload has what: paths by field.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub field_map: Option<Map<String, Value>>,
    /// A note of how the sender authenticates besides its API key.
    pub auth_type: Option<String>,
    /// Whether payloads must be signed.
    pub has_webhook_secret: bool,
    /// The secret's last characters, to recognise it by.
    pub webhook_secret_hint: Option<String>,
    /// The header in which the signature is expected.
    pub signature_header: Option<String>,
    /// Markdown for people.
    pub documentation: Option<String>,
    /// When an alert came in last.
    pub last_received_at: Option<Timestamp>,
    /// Refused payloads that are kept.
    pub reject_count: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `POST /v1/sources`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceRequest {
    /// 1..=64 characters of `a-z`, digits, `_` and `-`; fixed afterwards.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z0-9_-]{1,64}$"))]
    pub source_name: String,
    /// generic, which is what an absent one means: the other plugins' sources are there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^generic$"))]
    pub plugin: Option<String>,
    /// 1..=255 characters; the name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 255, pattern = r"\S")
    )]
    pub display_name: Option<String>,
    /// Whether it takes alerts; `true` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// `{title, severity, severity_map, occurred_at, description, tags, rule_id, rule_name, url}`: paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub field_map: Option<Map<String, Value>>,
    /// Written, never read: payloads must then be signed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 4_096,
            pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"
        )
    )]
    pub webhook_secret: Option<String>,
    /// A note for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    /// v1.1.0's way to give the secret: its `secret` or `webhook_secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub auth_config: Option<Map<String, Value>>,
    /// Markdown for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
}

/// Body of `PATCH /v1/sources/{uuid}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourcePatch {
    /// `null` goes back to the name.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"\S"))]
    pub display_name: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_active: Patch<bool>,
    /// Own sources only; `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub field_map: Patch<Map<String, Value>>,
    /// `null` removes it: payloads need no signature any more.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, min_length = 1, max_length = 4_096, pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"))]
    pub webhook_secret: Patch<String>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub auth_type: Patch<String>,
    /// v1.1.0's way to give the secret.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub auth_config: Patch<Map<String, Value>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub documentation: Patch<String>,
}

/// A payload that was refused and kept, so that nothing is lost to a wrong mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectView {
    /// The reject.
    pub uuid: calseta_domain::RejectId,
    /// When it came.
    pub at: Timestamp,
    /// The error code that its sender was answered.
    pub code: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Its first 2,000 characters; hostile text is the normal case.
    pub body_excerpt: String,
    /// How long it is.
    pub body_bytes: u64,
    /// The sender's key.
    pub key_prefix: Option<String>,
}
