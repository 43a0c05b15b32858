//! API keys.

use calseta_domain::{AgentId, ApiKeyId, KeyType, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Patch;

/// Body of `POST /v1/api-keys`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyRequest {
    /// 1..=255 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 255, pattern = r"\S")
    )]
    pub name: String,
    /// At least one of the scopes.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<calseta_domain::Scope>, min_items = 1))]
    pub scopes: Vec<String>,
    /// human (the default) or agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::KeyType>))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// Body of `PATCH /v1/api-keys/{uuid}`. Name, type and expiry do not change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyPatch {
    /// At least one of the scopes; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<calseta_domain::Scope>, min_items = 1))]
    pub scopes: Patch<Vec<String>>,
    /// Sources it may ingest to; `null` or empty for all.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub allowed_sources: Patch<Vec<String>>,
    /// `false` revokes the key, `true` lets a revoked one work again; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_active: Patch<bool>,
}
