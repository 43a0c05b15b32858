//! Suppressions: alerts that stay out of the queue for a while, counted and never dropped.

use calseta_domain::{SuppressionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Patch;
use crate::alert::AlertSummary;

/// A rule that keeps alerts out of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuppressionView {
    /// The suppression.
    pub uuid: SuppressionId,
    /// For people.
    pub name: String,
    /// Which alerts, in the filter grammar.
    pub q: String,
    /// Why.
    pub reason: Option<String>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Whether it is over.
    pub is_expired: bool,
    /// How many alerts it has hidden.
    pub hidden_count: u64,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `POST /v1/suppressions`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuppressionRequest {
    /// 1..=100 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 100, pattern = r"\S")
    )]
    pub name: String,
    /// Fields only: no plain words, and nothing that changes by itself like an age.
    pub q: String,
    /// In the future, at most 90 days away; 7 days when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 1_000, pattern = r"\S")
    )]
    pub reason: Option<String>,
}

/// Body of `PATCH /v1/suppressions/{uuid}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuppressionPatch {
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 100, pattern = r"\S"))]
    pub name: Patch<String>,
    /// `null` is refused. Alerts that are hidden already stay so.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub q: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Timestamp))]
    pub expires_at: Patch<Timestamp>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, min_length = 1, max_length = 1_000, pattern = r"\S"))]
    pub reason: Patch<String>,
}

/// Body of `POST /v1/suppressions/preview`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuppressionPreviewRequest {
    /// Which alerts.
    pub q: String,
    /// How far to look back; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 365))]
    pub days: Option<u32>,
}

/// What a suppression would have hidden.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuppressionPreview {
    /// Alerts that it would have hidden.
    pub matched: u64,
    /// Alerts in that time.
    pub of: u64,
    /// Of those it would have hidden: closed as a true positive.
    pub true_positives: u64,
    /// The newest five of them.
    pub examples: Vec<AlertSummary>,
}
