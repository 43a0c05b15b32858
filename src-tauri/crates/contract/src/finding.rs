//! Findings: what an agent or a person concluded about an alert.

use calseta_domain::{
    AgentId, ApiKeyId, DeliveryId, DocumentId, FindingId, IndicatorId, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Confidence as it may come: a number 0..=1, or v1.1.0's word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum ConfidenceInput {
    /// 0..=1.
    Number(f64),
    /// low, medium or high.
    Word(String),
}

/// Body of `POST /v1/alerts/{uuid}/findings`, with v1.1.0's names accepted beside ours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FindingRequest {
    /// 1..=50,000 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 50_000, pattern = r"\S")
    )]
    pub summary: String,
    /// 0..=1, or v1.1.0's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Confidence>))]
    pub confidence: Option<ConfidenceInput>,
    /// What to do, in plain sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::schema::Sentence>>, max_items = 100))]
    pub recommended_actions: Option<Vec<String>>,
    /// Anything structured, at most 64 KB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub details: Option<Map<String, Value>>,
    /// malicious, suspicious, benign or inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Verdict>))]
    pub verdict: Option<String>,
    /// One of the close classifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::CloseClassification>))]
    pub proposed_classification: Option<String>,
    /// Claims with what they rest on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub citations: Option<Vec<Citation>>,
    /// What the author did not look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::schema::Sentence>>, max_items = 100))]
    pub not_checked: Option<Vec<String>>,
    /// Workflows or manual steps that the author proposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub proposed_actions: Option<Vec<ProposedAction>>,
    /// What the answer cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// An own earlier finding that this one replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<FindingId>,
    /// The delivery that this answers; the `webhook-id` header says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_uuid: Option<DeliveryId>,
    /// v1.1.0: who the body says it is. Kept as a claim; the author is the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// v1.1.0: becomes the first of `recommended_actions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 5000))]
    pub recommended_action: Option<String>,
    /// v1.1.0: becomes `details`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub evidence: Option<Map<String, Value>>,
}

/// A claim and the datum it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Citation {
    /// The claim.
    pub claim: String,
    /// Where the datum stands.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<CitationReference>,
    /// What the author says it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
}

/// What a cited datum turned out to hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CitationCheck {
    /// `matches`, `differs`, `not_found` or `not_verifiable`.
    pub state: String,
    /// What is stored there; absent when nothing is, or when it is longer than 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<Value>,
    /// What was compared, in words.
    pub text: String,
}

/// How many citations turned out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verification {
    /// Hold what the author says.
    pub matches: u64,
    /// Hold something else.
    pub differs: u64,
    /// Are not there.
    pub not_found: u64,
    /// Name nothing that could be looked up.
    pub not_verifiable: u64,
}

/// Body of `PUT /v1/findings/{uuid}/review`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewRequest {
    /// accept or disagree.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::ReviewDecision))]
    pub decision: String,
    /// Why not: needed to disagree, and nothing to accept with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::ReviewReason>))]
    pub reason: Option<String>,
    /// In the analyst's words; the agent reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 5_000, pattern = r"\S")
    )]
    pub comment: Option<String>,
}

/// What the analyst said of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewView {
    /// accept or disagree.
    pub decision: String,
    /// Why not.
    pub reason: Option<String>,
    /// In the analyst's words.
    pub comment: Option<String>,
    /// Who said it.
    pub reviewed_by: String,
    /// When.
    pub reviewed_at: Timestamp,
}

/// Body of `PUT /v1/findings/{uuid}/hidden`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HiddenRequest {
    /// Whether the window folds it away; agents and counts still have it.
    pub hidden: bool,
}

/// Where a cited datum stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CitationReference {
    /// An indicator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator_uuid: Option<IndicatorId>,
    /// A context document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_uuid: Option<DocumentId>,
    /// Another alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::AlertId>))]
    pub alert_uuid: Option<Uuid>,
    /// A JSON pointer into the raw payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_pointer: Option<String>,
    /// A dot path inside the object named above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Something the author proposes to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProposedAction {
    /// What a button would say.
    pub label: String,
    /// A workflow that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::WorkflowUuid>))]
    pub workflow_uuid: Option<Uuid>,
    /// Its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub params: Option<Map<String, Value>>,
}

/// What an answer cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// The model's name.
    #[serde(default)]
    pub model: Option<String>,
    /// Tokens read.
    #[serde(default)]
    pub input_tokens: Option<u64>,
    /// Tokens written.
    #[serde(default)]
    pub output_tokens: Option<u64>,
    /// US dollars.
    #[serde(default)]
    pub cost_usd: Option<f64>,
    /// Milliseconds.
    #[serde(default)]
    pub duration_ms: Option<u64>,
}

/// Who posted a finding: always the key's owner, whatever the body claims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthorView {
    /// The key; `null` for the analyst in the window.
    pub key_uuid: Option<ApiKeyId>,
    /// The key's first 12 characters.
    pub key_prefix: Option<String>,
    /// The agent the key is bound to.
    pub agent_uuid: Option<AgentId>,
    /// The agent's name, else the key's.
    pub name: String,
}

/// A stored finding. Immutable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FindingView {
    /// The finding.
    pub uuid: FindingId,
    /// The same, as v1.1.0 named it (deprecated).
    pub id: FindingId,
    /// What the author concluded.
    pub summary: String,
    /// 0..=1, or `null`.
    pub confidence: Option<f64>,
    /// high (≥ 0.8), medium (≥ 0.5), low; `null` without confidence.
    pub confidence_level: Option<String>,
    /// malicious, suspicious, benign, inconclusive; never guessed from prose.
    pub verdict: Option<String>,
    /// What the author would close it as.
    pub proposed_classification: Option<String>,
    /// What to do.
    pub recommended_actions: Vec<String>,
    /// Anything structured.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub details: Map<String, Value>,
    /// Claims with what they rest on.
    pub citations: Vec<Citation>,
    /// What was not looked at.
    pub not_checked: Vec<String>,
    /// Proposed steps.
    pub proposed_actions: Vec<ProposedAction>,
    /// Cost.
    pub usage: Option<Usage>,
    /// The finding it replaces.
    pub supersedes: Option<FindingId>,
    /// Who.
    pub author: AuthorView,
    /// The author's name (deprecated alias).
    pub agent_name: String,
    /// Who the body said it was.
    pub claimed_agent_name: Option<String>,
    /// v1.1.0's single action (deprecated alias of the first of `recommended_actions`).
    pub recommended_action: Option<String>,
    /// v1.1.0's name for `details` (deprecated alias).
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub evidence: Option<Map<String, Value>>,
    /// The delivery it answers.
    pub delivery_uuid: Option<DeliveryId>,
    /// When it was accepted.
    pub posted_at: Timestamp,
    /// The later finding of the same author that replaces it.
    #[serde(default)]
    pub superseded_by: Option<FindingId>,
    /// How its citations compare with what is stored now.
    #[serde(default)]
    pub verification: Verification,
    /// One entry a citation, in their order.
    #[serde(default)]
    pub citation_checks: Vec<CitationCheck>,
    /// What the analyst said of it.
    #[serde(default)]
    pub review: Option<ReviewView>,
    /// Whether the analyst folded it away.
    #[serde(default)]
    pub is_hidden: bool,
}
