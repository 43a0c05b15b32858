//! What an agent receives: `docs/agent-webhooks.txt`, key for key, in the page's order.
//!
//! Additions stand after the page's own keys and are listed in `docs/differences.md`. Every field
//! here is part of a contract that agents were written against: never rename, never reorder.

use calseta_domain::{
    AlertId, AlertStatus, IndicatorId, IndicatorType, Malice, Severity, Timestamp,
};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::alert::AlertMetadata;

/// The body of a delivery.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentPayload<'a> {
    /// `alert.enriched`.
    pub event: &'static str,
    /// The alert.
    pub alert: PayloadAlert<'a>,
    /// Its indicators.
    pub indicators: Vec<PayloadIndicator>,
    /// Its rule, or `null`.
    pub detection_rule: Option<PayloadRule>,
    /// The documents that apply.
    pub context_documents: Vec<PayloadDocument>,
    /// The workflows that the agent may ask for.
    pub workflows: Vec<PayloadWorkflow>,
    /// Addition: where to post back.
    pub calseta_api_base_url: String,
    /// Addition: present and true on a test.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

/// `alert` of the payload.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayloadAlert<'a> {
    /// The alert.
    pub uuid: AlertId,
    /// Written by the sender.
    pub title: String,
    /// Severity at dispatch.
    pub severity: Severity,
    /// The source.
    pub source_name: String,
    /// Status at dispatch.
    pub status: AlertStatus,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Tags.
    pub tags: Vec<String>,
    /// The sender's JSON, verbatim.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub raw_payload: &'a RawValue,
    /// How the payload came about.
    #[serde(rename = "_metadata")]
    pub metadata: AlertMetadata,
    /// Addition.
    pub description: Option<String>,
    /// Addition.
    pub source_url: Option<String>,
}

/// One of `indicators`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayloadIndicator {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Its verdict.
    pub malice: Malice,
    /// By provider, in the order that providers were set up; a skipped provider is absent.
    #[serde(serialize_with = "as_object")]
    pub enrichment_results: Vec<(String, PayloadEnrichment)>,
    /// Addition: to cite it.
    pub uuid: IndicatorId,
}

/// Pairs as one object, in their order.
fn as_object<S: Serializer>(
    pairs: &[(String, PayloadEnrichment)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// What one provider said.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayloadEnrichment {
    /// Extracted fields; no `malice` key.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub extracted: Map<String, Value>,
    /// Addition.
    pub success: bool,
    /// Addition: why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Addition: the answer is canned demo data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
}

/// `detection_rule`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayloadRule {
    /// Its name.
    pub name: String,
    /// Tactic ids.
    pub mitre_tactics: Vec<String>,
    /// Technique ids.
    pub mitre_techniques: Vec<String>,
    /// Markdown; empty when nobody wrote any.
    pub documentation: String,
}

/// One of `context_documents`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayloadDocument {
    /// Its title.
    pub title: String,
    /// runbook and so on.
    pub doc_type: String,
    /// Markdown.
    pub content: String,
}

/// One of `workflows`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayloadWorkflow {
    /// The workflow.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// Markdown.
    pub documentation: String,
    /// always, `agent_only` or never.
    pub approval_mode: String,
    /// low to critical.
    pub risk_level: String,
}
