//! Alerts as the API shows them.

use std::collections::BTreeMap;
use std::str::FromStr;

use calseta_domain::query::{DeliveryWord, Facts, FindingVerdict};
use calseta_domain::{
    AlertId, AlertStatus, ChangeId, CloseClassification, EnrichmentStatus, IndicatorId,
    IndicatorType, Malice, Severity, SuppressionId, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::Patch;
use crate::context_document::DocumentView;
use crate::detection_rule::RuleView;
use crate::finding::FindingView;
use crate::triage::{ChecklistMark, NoteView};

/// One row of `GET /v1/alerts`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a mark of its own, as the wire has it"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertSummary {
    /// The alert.
    pub uuid: AlertId,
    /// Written by the sender; hostile text is the normal case.
    pub title: String,
    /// As the sender wrote it.
    pub description: Option<String>,
    /// Severity now.
    pub severity: Severity,
    /// Status now.
    pub status: AlertStatus,
    /// What became of the enrichment.
    pub enrichment_status: EnrichmentStatus,
    /// The source it came from.
    pub source_name: String,
    /// When it happened, by the sender's word; else when it came in.
    pub occurred_at: Timestamp,
    /// When it was accepted.
    pub ingested_at: Timestamp,
    /// Whether enrichment is over.
    pub is_enriched: bool,
    /// How often it has repeated.
    pub duplicate_count: u64,
    /// The sender's or the analyst's tags.
    pub tags: Vec<String>,
    /// Why it was closed.
    pub close_classification: Option<CloseClassification>,
    /// When it was closed last.
    pub closed_at: Option<Timestamp>,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When anything about it changed last.
    pub updated_at: Timestamp,
    /// Effective verdict: the override, else the worst of its indicators.
    pub malice: Malice,
    /// Where to see it in the SIEM.
    pub source_url: Option<String>,
    /// The agents' verdicts, one a finding.
    pub finding_summary: Vec<FindingSummary>,
    /// The closed alert that this one repeats.
    pub duplicate_of: Option<AlertId>,
    /// Its two worst indicators, for the queue's row.
    pub key_indicators: Vec<KeyIndicator>,
    /// Its rule's name.
    pub detection_rule_name: Option<String>,
    /// Until when it stays out of views of what waits; absent when it is not snoozed.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// Whether nobody has opened it yet, or somebody marked it so.
    #[serde(default)]
    pub is_unread: bool,
    /// Whether the analyst flagged it.
    #[serde(default)]
    pub is_flagged: bool,
    /// The suppression that keeps it out of the queue.
    #[serde(default)]
    pub suppressed_by: Option<SuppressionId>,
    /// How many notes it has.
    #[serde(default)]
    pub note_count: u64,
    /// `running` while an agent is being told, `failed` when one could not be; absent otherwise.
    #[serde(default)]
    pub delivery_state: Option<String>,
    /// Whether its findings name more than one verdict.
    #[serde(default)]
    pub disagree: bool,
}

impl AlertSummary {
    /// What the row shows, for [`Query::judge`](calseta_domain::query::Query::judge).
    pub fn facts(&self) -> Facts<'_> {
        let verdict = |word: &String| FindingVerdict::from_str(word).ok();
        Facts {
            id: self.uuid,
            title: &self.title,
            severity: self.severity,
            status: self.status,
            enrichment: self.enrichment_status,
            source: &self.source_name,
            rule: self.detection_rule_name.as_deref(),
            tags: &self.tags,
            malice: self.malice,
            classification: self.close_classification,
            occurred_at: self.occurred_at,
            ingested_at: self.ingested_at,
            updated_at: self.updated_at,
            closed_at: self.closed_at,
            duplicates: self.duplicate_count,
            findings: self
                .finding_summary
                .iter()
                .map(|one| (one.agent.as_str(), one.verdict.as_ref().and_then(verdict)))
                .collect(),
            disagree: self.disagree,
            delivery: self
                .delivery_state
                .as_ref()
                .and_then(|word| DeliveryWord::from_str(word).ok()),
            indicators: self
                .key_indicators
                .iter()
                .map(|one| (one.kind, one.value.as_str()))
                .collect(),
            snoozed_until: self.snoozed_until,
            is_unread: self.is_unread,
            is_flagged: self.is_flagged,
            is_suppressed: self.suppressed_by.is_some(),
            notes: self.note_count,
        }
    }
}

/// One agent's answer in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FindingSummary {
    /// The agent's name, or the key's.
    pub agent: String,
    /// malicious, suspicious, benign, inconclusive; absent when none was sent.
    pub verdict: Option<String>,
}

/// An indicator in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyIndicator {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Its verdict.
    pub malice: Malice,
}

/// `GET /v1/alerts/{uuid}`.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertView {
    /// The row.
    #[serde(flatten)]
    pub summary: AlertSummary,
    /// When enrichment was over.
    pub enriched_at: Option<Timestamp>,
    /// SHA-256 in hex over title, source and indicators; repeats share it.
    pub fingerprint: String,
    /// When it was last repeated.
    pub last_seen_at: Option<Timestamp>,
    /// First move out of Open.
    pub acknowledged_at: Option<Timestamp>,
    /// First time Triaging.
    pub triaged_at: Option<Timestamp>,
    /// The analyst's verdict, when it overrides.
    pub malice_override: Option<Malice>,
    /// `analyst` or `agent`: who overrode it.
    pub malice_override_source: Option<String>,
    /// When it was overridden.
    pub malice_override_at: Option<Timestamp>,
    /// Its indicators.
    pub indicators: Vec<IndicatorView>,
    /// Its rule.
    pub detection_rule: Option<RuleView>,
    /// The documents that apply to it now.
    pub context_documents: Vec<DocumentView>,
    /// All its findings, oldest first.
    pub agent_findings: Vec<FindingView>,
    /// When the analyst opened it last.
    #[serde(default)]
    pub last_viewed_at: Option<Timestamp>,
    /// Its notes, oldest first.
    #[serde(default)]
    pub notes: Vec<NoteView>,
    /// The items of its documents' checklists that somebody ticked or unticked.
    #[serde(default)]
    pub checklist: Vec<ChecklistMark>,
    /// The sender's JSON, verbatim. Last, because it is long.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub raw_payload: Box<RawValue>,
}

/// `meta` of an alert: the `_metadata` of the agents' payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertMetadata {
    /// When this was put together.
    pub generated_at: Timestamp,
    /// The source, again, as the page has it.
    pub alert_source: String,
    /// How many indicators.
    pub indicator_count: u64,
    /// What became of each provider.
    pub enrichment: EnrichmentMetadata,
    /// Whether a rule was linked.
    pub detection_rule_matched: bool,
    /// How many documents apply.
    pub context_documents_applied: u64,
}

/// `meta` of an answer that shows an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertMeta {
    /// As agents get it.
    #[serde(flatten)]
    pub metadata: AlertMetadata,
    /// Fields of the body that were not understood; absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_fields: Vec<String>,
    /// What `POST /v1/changes/{change_uuid}/undo` takes back; absent when nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_uuid: Option<ChangeId>,
    /// Until when it can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
}

/// Providers by outcome.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrichmentMetadata {
    /// Answered for every indicator asked.
    pub succeeded: Vec<String>,
    /// Failed for at least one.
    pub failed: Vec<String>,
    /// When enrichment was over; `null` before.
    pub enriched_at: Option<Timestamp>,
    /// Not answered yet (an addition to the page).
    pub pending: Vec<String>,
}

/// An indicator of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndicatorView {
    /// The indicator.
    pub uuid: IndicatorId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Its verdict: the worst of its providers'.
    pub malice: Malice,
    /// First alert that had it.
    pub first_seen: Timestamp,
    /// Latest alert that had it.
    pub last_seen: Timestamp,
    /// Whether a provider has answered.
    pub is_enriched: bool,
    /// By provider name.
    pub enrichment_results: BTreeMap<String, EnrichmentResultView>,
    /// The verdict that a person or an agent set over the providers'.
    #[serde(default)]
    pub malice_override: Option<Malice>,
    /// `analyst` or `agent`: who set it.
    #[serde(default)]
    pub malice_override_source: Option<String>,
    /// How many alerts have it, this one included.
    #[serde(default)]
    pub alert_count: u64,
    /// Which pass found it in this alert: `source_plugin`, `normalized_mappings`,
    /// `raw_payload_mappings` or `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extracted_by: Option<String>,
    /// Where it stood: a path into the normalised alert or the raw payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extracted_from: Option<String>,
}

/// What one provider said of one indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrichmentResultView {
    /// The extracted fields; empty when it failed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub extracted: Map<String, Value>,
    /// Whether it answered ("not found" is an answer).
    pub success: bool,
    /// Its verdict.
    pub malice: Malice,
    /// When it answered.
    pub enriched_at: Option<Timestamp>,
    /// Why it failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether this came from canned demo answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
    /// When the answer is too old to be trusted; a later lookup asks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The rule that gave the verdict, in words; absent when none fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub malice_rule: Option<String>,
}

/// Body of `PATCH /v1/alerts/{uuid}`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertPatch {
    /// A new status; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = calseta_domain::AlertStatus))]
    pub status: Patch<String>,
    /// A new severity; `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = calseta_domain::Severity))]
    pub severity: Patch<String>,
    /// Why it is closed; `null` clears it unless the alert is closed.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::CloseClassification>))]
    pub close_classification: Patch<String>,
    /// The whole list of tags; `null` clears it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::schema::Tag>>, max_items = 50))]
    pub tags: Patch<Vec<String>>,
    /// An analyst's verdict; `null` goes back to the indicators' one.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::Malice>))]
    pub malice_override: Patch<String>,
    /// v1.1.0's way to clear the override; wins over a value.
    #[serde(default)]
    pub reset_malice_override: bool,
    /// Why, in a sentence; kept as a note of the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 10_000, pattern = r"\S")
    )]
    pub comment: Option<String>,
}

/// One entry of `GET /v1/alerts/{uuid}/activity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivityView {
    /// The entry's id.
    pub uuid: uuid::Uuid,
    /// v1.1.0's word for it, for example `alert_finding_added`.
    pub event_type: String,
    /// v1.1.0's word for who did it: api, mcp or system.
    pub actor_type: String,
    /// The key's first characters.
    pub actor_key_prefix: Option<String>,
    /// The alert.
    pub alert_uuid: Option<AlertId>,
    /// What changed: field to old and new value, also as `from_…` and `to_…`, and other facts.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub references: Map<String, Value>,
    /// When.
    pub created_at: Timestamp,
    /// The event's place in the log, as `GET /v1/events` numbers it.
    pub seq: i64,
    /// The event log's own word, for example `finding.created`.
    #[serde(rename = "type")]
    pub kind: String,
    /// analyst, agent, `human_key`, mcp or system.
    pub actor_kind: String,
    /// The key's or agent's name.
    pub actor_name: String,
}

/// Answer of `POST /v1/alerts/{uuid}/enrich`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrichView {
    /// `Enrichment queued`.
    pub message: String,
    /// Lookups that were queued; answers that are fresh are not asked for again.
    pub lookups: u64,
}

/// Answer of `POST /v1/alerts/{uuid}/trigger-agents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TriggeredAgentsView {
    /// How many agents will be told.
    pub queued_agent_count: u64,
    /// Their names.
    pub agent_names: Vec<String>,
}

/// Answer of `POST /v1/alerts/{uuid}/dispatch-agent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DispatchedAgentView {
    /// The agent.
    pub agent_uuid: calseta_domain::AgentId,
    /// Its name.
    pub agent_name: String,
    /// The alert.
    pub alert_uuid: AlertId,
    /// The delivery that will tell it.
    pub delivery_uuid: calseta_domain::DeliveryId,
}

/// One agent of `GET /v1/alerts/{uuid}/dispatch-explanation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DispatchExplanation {
    /// The agent.
    pub agent_uuid: calseta_domain::AgentId,
    /// Its name.
    pub agent_name: String,
    /// Whether its filter lets the alert pass and it is active.
    pub matched: bool,
    /// Every clause in words, with what the alert has.
    pub trace: Vec<TraceClause>,
}

/// One clause of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TraceClause {
    /// The clause in words.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
}
