//! API keys.

use calseta_domain::{AgentId, ApiKeyId, KeyType, Timestamp};
use serde::{Deserialize, Serialize};

/// Body of `POST /v1/api-keys`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApiKeyRequest {
    /// 1..=255 characters.
    pub name: String,
    /// At least one of the scopes.
    pub scopes: Vec<String>,
    /// human (the default) or agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Sources it may ingest to; `null` or empty for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_sources: Option<Vec<String>>,
    /// The agent whose key it is; `key_type` must be agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_uuid: Option<AgentId>,
}

/// A key as the API shows it; never the key itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyView {
    /// The key's id.
    pub uuid: ApiKeyId,
    /// Its name.
    pub name: String,
    /// Its first 12 characters, to recognise it by; not unique.
    pub key_prefix: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// human or agent.
    pub key_type: KeyType,
    /// Whether it works.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the day.
    pub last_used_at: Option<Timestamp>,
    /// Sources it may ingest to.
    pub allowed_sources: Option<Vec<String>>,
    /// The agent whose key it is.
    pub agent_uuid: Option<AgentId>,
    /// The key: only in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
