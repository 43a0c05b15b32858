//! Looking indicators up on demand, and the fields that are extracted from providers' answers.

use calseta_domain::{ExtractionId, IndicatorType, Malice, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::Patch;

/// Body of `POST /v1/enrichments`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrichmentRequest {
    /// One of the indicator types.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::IndicatorType>))]
    pub kind: Option<String>,
    /// The same by v1.1.0's other name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator_type: Option<String>,
    /// The indicator, also defanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The same by v1.1.0's other name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator_value: Option<String>,
}

/// What the providers say of an indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrichmentView {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// The worst verdict of the answers.
    pub malice: Malice,
    /// By provider name.
    pub results: BTreeMap<String, OnDemandResult>,
    /// Why nobody was asked, in words; absent when somebody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When this was put together.
    pub enriched_at: Timestamp,
}

/// One provider's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnDemandResult {
    /// `success`, `failed` or `skipped`.
    pub status: String,
    /// Whether it answered ("not found" is an answer).
    pub success: bool,
    /// The extracted fields.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub extracted: Option<Map<String, Value>>,
    /// Its verdict.
    pub malice: Malice,
    /// When it answered.
    pub enriched_at: Option<Timestamp>,
    /// Why it failed or was not asked.
    pub error_message: Option<String>,
    /// Whether an earlier answer was fresh enough.
    pub cache_hit: bool,
    /// Whether this came from canned demo answers.
    #[serde(default)]
    pub demo: bool,
}

/// A rule that takes a field out of a provider's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtractionView {
    /// The rule.
    pub uuid: ExtractionId,
    /// The provider.
    pub provider_name: String,
    /// For answers about this type.
    pub indicator_type: IndicatorType,
    /// Where the field is in the answer; begins with the step's name when there are several steps.
    pub source_path: String,
    /// Its key in `extracted`.
    pub target_key: String,
    /// string, int, float, number, bool, list, dict or any.
    pub value_type: String,
    /// Whether it is used.
    pub is_active: bool,
    /// Whether it came with the product; then only `is_active` may change.
    pub is_system: bool,
    /// One line about it.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `POST /v1/enrichment-field-extractions`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtractionRequest {
    /// A provider.
    pub provider_name: String,
    /// One of the indicator types.
    #[cfg_attr(feature = "openapi", schema(value_type = calseta_domain::IndicatorType))]
    pub indicator_type: String,
    /// 1..=500 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 500,
            pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"
        )
    )]
    pub source_path: String,
    /// 1..=100 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 100,
            pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"
        )
    )]
    pub target_key: String,
    /// `string` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::ExtractedType>))]
    pub value_type: Option<String>,
    /// `true` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// One line about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Body of `POST /v1/enrichment-field-extractions/bulk`: all of them or none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtractionBulkRequest {
    /// 1..=100 of them.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub extractions: Vec<ExtractionRequest>,
}

/// Body of `PATCH /v1/enrichment-field-extractions/{uuid}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtractionPatch {
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"))]
    pub source_path: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"))]
    pub target_key: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::ExtractedType))]
    pub value_type: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_active: Patch<bool>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub description: Patch<String>,
}
