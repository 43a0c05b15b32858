//! Detection rules.

use std::collections::BTreeMap;

use calseta_domain::{DetectionRuleId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Patch;

/// A rule as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleView {
    /// The rule.
    pub uuid: DetectionRuleId,
    /// A person's name for it.
    pub name: String,
    /// The source's own id for it.
    pub source_rule_id: Option<String>,
    /// The source it belongs to.
    pub source_name: Option<String>,
    /// The severity it usually has.
    pub severity: Option<String>,
    /// Whether it is in use.
    pub is_active: bool,
    /// Tactic ids, for example TA0001.
    pub mitre_tactics: Vec<String>,
    /// Technique ids, for example T1078.
    pub mitre_techniques: Vec<String>,
    /// Sub-technique ids, for example T1078.004.
    pub mitre_subtechniques: Vec<String>,
    /// The names of what the ids stand for, in ATT&CK's words.
    pub mitre_names: BTreeMap<String, String>,
    /// What it reads.
    pub data_sources: Vec<String>,
    /// How often it runs, in the source's words.
    pub run_frequency: Option<String>,
    /// Who made it; the calling key's prefix when nothing was said.
    pub created_by: Option<String>,
    /// Markdown: what it detects, its blind spots, how to answer.
    pub documentation: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `POST /v1/detection-rules`.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleRequest {
    /// 1..=500 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 500, pattern = r"\S")
    )]
    pub name: String,
    /// Unique within its source.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 500, pattern = r"\S")
    )]
    pub source_rule_id: Option<String>,
    /// A known source.
    #[serde(default)]
    pub source_name: Option<String>,
    /// The severity it usually has.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 500, pattern = r"\S")
    )]
    pub severity: Option<String>,
    /// Tactic ids.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub mitre_tactics: Vec<String>,
    /// Technique ids.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub mitre_techniques: Vec<String>,
    /// Sub-technique ids.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub mitre_subtechniques: Vec<String>,
    /// Whether it is in use; `true` when absent.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// What it reads.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub data_sources: Vec<String>,
    /// How often it runs, in the source's words.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 500, pattern = r"\S")
    )]
    pub run_frequency: Option<String>,
    /// Who made it; the calling key's prefix when absent.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 500, pattern = r"\S")
    )]
    pub created_by: Option<String>,
    /// Markdown.
    #[serde(default)]
    pub documentation: Option<String>,
}

/// Body of `PATCH /v1/detection-rules/{uuid}`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RulePatch {
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 500, pattern = r"\S"))]
    pub name: Patch<String>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, min_length = 1, max_length = 500, pattern = r"\S"))]
    pub severity: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_active: Patch<bool>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>, max_items = 100))]
    pub mitre_tactics: Patch<Vec<String>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>, max_items = 100))]
    pub mitre_techniques: Patch<Vec<String>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>, max_items = 100))]
    pub mitre_subtechniques: Patch<Vec<String>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub documentation: Patch<String>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>, max_items = 100))]
    pub data_sources: Patch<Vec<String>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, min_length = 1, max_length = 500, pattern = r"\S"))]
    pub run_frequency: Patch<String>,
}
