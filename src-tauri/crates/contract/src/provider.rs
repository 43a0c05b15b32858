//! Enrichment providers.

use std::collections::BTreeMap;

use calseta_domain::{IndicatorType, ProviderId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Patch;

/// A provider as the API shows it; credentials never.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the wire's own independent flags"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// How much may be asked; the provider's own limits.
    pub quota: QuotaView,
    /// How it is asked: `{steps, url_templates_by_type}`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub http_config: Value,
    /// Where its tokens come from, with `oauth2_client_credentials`: `{token_url, scope}`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub oauth2: Option<Value>,
    /// How answers become a verdict: `{rules, default_verdict, not_found_verdict}`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub malice_rules: Option<Value>,
    /// The credentials that it takes, by field name.
    pub auth_fields: Vec<String>,
    /// The environment variables that the first start reads credentials from, by field name.
    pub env_var_mapping: BTreeMap<String, String>,
    /// Seconds an answer is kept when its type is not in `cache_ttl_by_type`.
    pub default_cache_ttl_seconds: u32,
    /// Seconds an answer is kept, by indicator type.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub cache_ttl_by_type: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `PATCH /v1/enrichment-providers/{uuid}`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderPatch {
    /// Whether it is asked; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_active: Patch<bool>,
    /// `{api_key: "…"}` and so on: replaces all; `null` removes them.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<std::collections::BTreeMap<String, crate::schema::Credential>>))]
    pub auth_config: Patch<Map<String, Value>>,
    /// Where it is asked; `null` goes back to the catalogue's.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub base_url: Patch<String>,
    /// live, mock or off; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::ProviderMode))]
    pub mode: Patch<String>,
    /// Own providers only; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 200, pattern = r"\S"))]
    pub display_name: Patch<String>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub description: Patch<String>,
    /// Own providers only; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<calseta_domain::IndicatorType>, min_items = 1))]
    pub supported_indicator_types: Patch<Vec<String>>,
    /// Own providers only; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub http_config: Patch<Value>,
    /// Own providers only; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::ProviderAuth))]
    pub auth_type: Patch<String>,
    /// Own providers only; `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub oauth2: Patch<Value>,
    /// `null` clears: every answer is then Pending.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub malice_rules: Patch<Value>,
    /// 0..=86400; `null` goes back to 3600.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, maximum = 86_400))]
    pub default_cache_ttl_seconds: Patch<u32>,
    /// Type to 0..=86400 seconds; `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub cache_ttl_by_type: Patch<Map<String, Value>>,
    /// How much may be asked; `null` for no limit.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<QuotaView>))]
    pub quota: Patch<QuotaView>,
    /// 1..=32 requests at once; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, maximum = 32))]
    pub max_in_flight: Patch<u32>,
    /// A human key allows an address in a private range.
    #[serde(default)]
    pub allow_private: bool,
}

/// How much a provider may be asked. A limit of `null` is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaView {
    /// Lookups a minute, 1..=100000.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000))]
    pub per_minute: Option<u32>,
    /// Lookups a day (UTC), 1..=100000000.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000_000))]
    pub per_day: Option<u32>,
}

/// Only from an object: a derived reader would take a list of two for one, too.
impl TryFrom<Map<String, Value>> for QuotaView {
    type Error = serde_json::Error;

    fn try_from(map: Map<String, Value>) -> Result<Self, Self::Error> {
        let limit = |name: &str| {
            let given = map.get(name).cloned().unwrap_or_default();
            Option::<u32>::deserialize(given)
        };
        Ok(Self {
            per_minute: limit("per_minute")?,
            per_day: limit("per_day")?,
        })
    }
}

/// Body of `POST /v1/enrichment-providers`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderRequest {
    /// 1..=100 characters of `a-z`, digits and `_`; unique and fixed.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z0-9_]{1,100}$"))]
    pub provider_name: String,
    /// 1..=200 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 200, pattern = r"\S")
    )]
    pub display_name: String,
    /// What it knows.
    #[serde(default)]
    pub description: Option<String>,
    /// At least one of the indicator types.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<calseta_domain::IndicatorType>, min_items = 1))]
    pub supported_indicator_types: Vec<String>,
    /// How it is asked: `{steps, url_templates_by_type}`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub http_config: Value,
    /// What `{{base_url}}` stands for.
    #[serde(default)]
    pub base_url: Option<String>,
    /// `no_auth` (the default), `api_key`, `api_token`, `bearer_token`, `basic_auth` or
    /// `oauth2_client_credentials`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::ProviderAuth>))]
    pub auth_type: Option<String>,
    /// Where its tokens come from, with `oauth2_client_credentials`: `{token_url, scope}`, templates
    /// over the credentials. The token is then `{{auth.access_token}}`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub oauth2: Option<Value>,
    /// Credentials by field name: written, never read.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<std::collections::BTreeMap<String, crate::schema::Credential>>))]
    pub auth_config: Option<Map<String, Value>>,
    /// How answers become a verdict.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub malice_rules: Option<Value>,
    /// 0..=86400; 3600 when absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(maximum = 86_400))]
    pub default_cache_ttl_seconds: Option<u32>,
    /// Type to 0..=86400 seconds.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub cache_ttl_by_type: Option<Map<String, Value>>,
    /// How much may be asked.
    #[serde(default)]
    pub quota: Option<QuotaView>,
    /// 1..=32 requests at once; 4 when absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 32))]
    pub max_in_flight: Option<u32>,
    /// Whether it is asked; `true` when absent.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// A human key allows an address in a private range.
    #[serde(default)]
    pub allow_private: bool,
}

/// One row of `GET /v1/enrichments/providers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderBrief {
    /// Its stable name.
    pub provider_name: String,
    /// Its name for people.
    pub display_name: String,
    /// What it can be asked about.
    pub supported_types: Vec<String>,
    /// Active and with what it needs.
    pub is_configured: bool,
    /// Seconds an answer is kept when its type has no own time.
    pub cache_ttl_seconds: u32,
}

/// Body of `POST /v1/enrichment-providers/{uuid}/test`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderTestRequest {
    /// One of the indicator types.
    #[cfg_attr(feature = "openapi", schema(value_type = calseta_domain::IndicatorType))]
    pub indicator_type: String,
    /// The indicator.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 2048, pattern = r"\S")
    )]
    pub indicator_value: String,
}

/// What a test of a provider came to. Every credential in it is masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderTestView {
    /// Whether it answered ("not found" is an answer).
    pub success: bool,
    /// The provider.
    pub provider_name: String,
    /// The type asked about.
    pub indicator_type: IndicatorType,
    /// The value asked about.
    pub indicator_value: String,
    /// The extracted fields.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub extracted: Option<Map<String, Value>>,
    /// The verdict, when it answered.
    pub malice: Option<calseta_domain::Malice>,
    /// The whole answer, as verdict rules and extractions see it.
    pub raw_response: Option<Value>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// What was sent and answered, step by step.
    pub steps: Vec<ProviderTestStep>,
}

/// One step of a provider's test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderTestStep {
    /// Its name.
    pub step_name: String,
    /// From 0.
    pub step_index: u32,
    /// The value asked about.
    pub indicator_value: String,
    /// The method.
    pub request_method: String,
    /// The URL, credentials masked.
    pub request_url: Option<String>,
    /// The headers, credentials masked.
    pub request_headers: BTreeMap<String, String>,
    /// The query, credentials masked.
    pub request_query_params: BTreeMap<String, String>,
    /// The body, credentials masked; at most 50 KB.
    pub request_body: Option<Value>,
    /// The answer's status.
    pub response_status_code: Option<u16>,
    /// The answer's headers, credentials masked.
    pub response_headers: BTreeMap<String, String>,
    /// The answer's body, credentials masked; at most 50 KB.
    pub response_body: Option<Value>,
    /// How long it took.
    pub duration_ms: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// Whether it was optional and left out.
    pub skipped: bool,
}
