//! Indicator field mappings: which fields of a payload hold indicators.

use calseta_domain::{IndicatorType, MappingId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::Patch;

/// A mapping as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MappingView {
    /// The mapping; the nil uuid for a plugin's own field.
    pub uuid: MappingId,
    /// The source it applies to; `null` for all.
    pub source_name: Option<String>,
    /// A normalised field, or a dotted path in the payload, through lists and flat dotted keys.
    pub field_path: String,
    /// The type of what is found there.
    pub indicator_type: IndicatorType,
    /// `normalized`, `raw_payload`, or `source_plugin` for a plugin's own field.
    pub extraction_target: String,
    /// Whether it came with the product.
    pub is_system: bool,
    /// Whether it is used.
    pub is_active: bool,
    /// One line about it.
    pub description: Option<String>,
    /// When it was made; `null` for a plugin's own field.
    pub created_at: Option<Timestamp>,
    /// When it changed last; `null` for a plugin's own field.
    pub updated_at: Option<Timestamp>,
}

/// Body of `POST /v1/indicator-mappings`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MappingRequest {
    /// A known source; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    /// 1..=500 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 512, pattern = r"\S")
    )]
    pub field_path: String,
    /// One of the indicator types.
    #[cfg_attr(feature = "openapi", schema(value_type = calseta_domain::IndicatorType))]
    pub indicator_type: String,
    /// `normalized` (the default) or `raw_payload`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::ExtractionTarget>))]
    pub extraction_target: Option<String>,
    /// `true` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// One line about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 1_000))]
    pub description: Option<String>,
}

/// Body of `PATCH /v1/indicator-mappings/{uuid}`; of a system mapping only `is_active` may change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MappingPatch {
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 512, pattern = r"\S"))]
    pub field_path: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = calseta_domain::IndicatorType))]
    pub indicator_type: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_active: Patch<bool>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 1_000))]
    pub description: Patch<String>,
}

/// Answer of `POST /v1/indicator-mappings/test-extraction`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtractionTest {
    /// Whether the payload was understood.
    pub success: bool,
    /// The source.
    pub source_name: String,
    /// The three passes, each with what it found.
    pub passes: Vec<ExtractionPass>,
    /// What an alert would get.
    pub deduplicated: Vec<ExtractedValue>,
    /// How many.
    pub deduplicated_count: u64,
    /// The alert as it would be normalised.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub normalization_preview: Option<Map<String, Value>>,
    /// Why it was not understood.
    pub error_message: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
}

/// One of the three passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtractionPass {
    /// `source_plugin`, `normalized_mappings` or `raw_payload_mappings`.
    pub pass_name: String,
    /// Its name for people.
    pub pass_label: String,
    /// What it found.
    pub indicators: Vec<ExtractedValue>,
    /// Why it found nothing.
    pub error: Option<String>,
}

/// One value found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtractedValue {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Where it was.
    pub source_field: String,
}

/// Body of `POST /v1/indicator-mappings/test-extraction`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtractionTestRequest {
    /// A known source.
    pub source_name: String,
    /// A payload as its sender posts it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub raw_payload: Box<RawValue>,
}
