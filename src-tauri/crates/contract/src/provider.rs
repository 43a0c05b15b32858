//! Enrichment providers.

use calseta_domain::{ProviderId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Patch;

/// A provider as the API shows it; credentials never.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the wire's own independent flags"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderView {
    /// The provider.
    pub uuid: ProviderId,
    /// Its stable name.
    pub provider_name: String,
    /// Its name for people.
    pub display_name: String,
    /// What it knows.
    pub description: Option<String>,
    /// Whether it came with the product.
    pub is_builtin: bool,
    /// Whether it is asked.
    pub is_active: bool,
    /// What it can be asked about.
    pub supported_indicator_types: Vec<String>,
    /// Where it is asked.
    pub base_url: String,
    /// `api_key`, `no_auth` and so on.
    pub auth_type: String,
    /// Whether a credential is stored.
    pub has_credentials: bool,
    /// missing, set or invalid.
    pub key_state: String,
    /// Active and with what it needs.
    pub is_configured: bool,
    /// live, mock or off.
    pub mode: String,
    /// `none_needed`, granted or pending: whether its address may be reached.
    pub grant: String,
    /// Requests at once.
    pub max_in_flight: u32,
    /// Seconds an answer is kept, by indicator type.
    pub cache_ttl_by_type: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `PATCH /v1/enrichment-providers/{uuid}`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ProviderPatch {
    /// Whether it is asked; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub is_active: Patch<bool>,
    /// `{api_key: "…"}` and so on: replaces all; `null` removes them.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub auth_config: Patch<Map<String, Value>>,
    /// Where it is asked; `null` goes back to the catalogue's.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub base_url: Patch<String>,
    /// live, mock or off; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub mode: Patch<String>,
    /// A human key allows an address in a private range.
    #[serde(default)]
    pub allow_private: bool,
}
