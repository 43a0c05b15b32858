//! Detection rules.

use calseta_domain::{DetectionRuleId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Patch;

/// A rule as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Markdown: what it detects, its blind spots, how to answer.
    pub documentation: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `POST /v1/detection-rules`.
#[derive(Debug, Serialize, Deserialize)]
pub struct RuleRequest {
    /// 1..=500 characters.
    pub name: String,
    /// Unique within its source.
    #[serde(default)]
    pub source_rule_id: Option<String>,
    /// A known source.
    #[serde(default)]
    pub source_name: Option<String>,
    /// The severity it usually has.
    #[serde(default)]
    pub severity: Option<String>,
    /// Tactic ids.
    #[serde(default)]
    pub mitre_tactics: Vec<String>,
    /// Technique ids.
    #[serde(default)]
    pub mitre_techniques: Vec<String>,
    /// Sub-technique ids.
    #[serde(default)]
    pub mitre_subtechniques: Vec<String>,
    /// Markdown.
    #[serde(default)]
    pub documentation: Option<String>,
}

/// Body of `PATCH /v1/detection-rules/{uuid}`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RulePatch {
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub name: Patch<String>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub severity: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub is_active: Patch<bool>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub mitre_tactics: Patch<Vec<String>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub mitre_techniques: Patch<Vec<String>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub mitre_subtechniques: Patch<Vec<String>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub documentation: Patch<String>,
}
