//! Indicators across alerts.

use calseta_domain::{
    AlertId, AlertStatus, IndicatorId, IndicatorType, Malice, Severity, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::Patch;
use crate::alert::EnrichmentResultView;

/// One row of `GET /v1/indicators`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndicatorSummary {
    /// The indicator.
    pub uuid: IndicatorId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// The override, else the worst of its providers'.
    pub malice: Malice,
    /// `enrichment`, `analyst` or `agent`: who says so.
    pub malice_source: String,
    /// First alert that had it.
    pub first_seen: Timestamp,
    /// Latest alert that had it.
    pub last_seen: Timestamp,
    /// Whether a provider has answered.
    pub is_enriched: bool,
    /// Alerts that have it.
    pub alert_count: u64,
}

/// `GET /v1/indicators/{uuid}`: with the providers' raw answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndicatorDetail {
    /// The indicator.
    pub uuid: IndicatorId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// The override, else the worst of its providers'.
    pub malice: Malice,
    /// `enrichment`, `analyst` or `agent`: who says so.
    pub malice_source: String,
    /// When it was overridden.
    pub malice_overridden_at: Option<Timestamp>,
    /// First alert that had it.
    pub first_seen: Timestamp,
    /// Latest alert that had it.
    pub last_seen: Timestamp,
    /// Whether a provider has answered.
    pub is_enriched: bool,
    /// Alerts that have it.
    pub alert_count: u64,
    /// By provider name.
    pub enrichment_results: BTreeMap<String, RawEnrichmentResult>,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// When it was last seen or judged.
    pub updated_at: Timestamp,
}

/// What a provider said, with its answer as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RawEnrichmentResult {
    /// As alerts show it.
    #[serde(flatten)]
    pub result: EnrichmentResultView,
    /// The provider's whole answer; `null` when it was too large to keep.
    pub raw: Option<Value>,
}

/// Body of `PATCH /v1/indicators/{uuid}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndicatorPatch {
    /// A verdict that overrides; `null` goes back to the providers'.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::Malice>))]
    pub malice: Patch<String>,
}

/// An indicator to add.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndicatorInput {
    /// One of the indicator types.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(value_type = calseta_domain::IndicatorType))]
    pub kind: String,
    /// 1..=2048 characters; stored in its canonical form.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 2048, pattern = r"\S")
    )]
    pub value: String,
}

/// Body of `POST /v1/alerts/{uuid}/indicators`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertIndicatorsRequest {
    /// 1..=100 of them.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub indicators: Vec<IndicatorInput>,
}

/// What adding came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertIndicatorsView {
    /// Newly linked to this alert.
    pub added_count: u64,
    /// Linked before.
    pub already_linked_count: u64,
    /// Those of the request, as they are now.
    pub indicators: Vec<crate::alert::IndicatorView>,
    /// Whether they are being looked up.
    pub enrich_requested: bool,
}

/// An alert in a relationship graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphAlert {
    /// The alert.
    pub uuid: AlertId,
    /// Its title; hostile text is the normal case.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// Its status.
    pub status: AlertStatus,
    /// Its source.
    pub source_name: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its tags.
    pub tags: Vec<String>,
}

/// An indicator in a relationship graph, with the other alerts that have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphIndicator {
    /// The indicator.
    pub uuid: IndicatorId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Its verdict.
    pub malice: Malice,
    /// First alert that had it.
    pub first_seen: Timestamp,
    /// Latest alert that had it.
    pub last_seen: Timestamp,
    /// Whether a provider has answered.
    pub is_enriched: bool,
    /// Provider to its verdict in a word.
    pub enrichment_summary: BTreeMap<String, String>,
    /// Other alerts that have it.
    pub total_alert_count: u64,
    /// The newest of them, at most `sibling_limit`.
    pub sibling_alerts: Vec<GraphAlert>,
}

/// `GET /v1/alerts/{uuid}/relationship-graph`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationshipGraph {
    /// The alert in the middle.
    pub alert: GraphAlert,
    /// Its indicators.
    pub indicators: Vec<GraphIndicator>,
}
