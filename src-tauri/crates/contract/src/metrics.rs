//! Figures about the work: reference periods, rates, durations.

use calseta_domain::{DetectionRuleId, IndicatorType, Malice, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A day and its count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayCount {
    /// `YYYY-MM-DD`, UTC.
    pub date: String,
    /// How many.
    pub count: u64,
}

/// A rule and its alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleCount {
    /// The rule.
    pub uuid: DetectionRuleId,
    /// Its name.
    pub name: String,
    /// Its alerts.
    pub count: u64,
}

/// How a duration is spread, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spread {
    /// How many were measured.
    pub n: u64,
    /// Half took less; `null` when none was measured.
    pub median: Option<f64>,
    /// Nine of ten took less; `null` when none was measured.
    pub p90: Option<f64>,
}

/// `GET /v1/metrics/alerts`: alerts made from `period_from` (inclusive) to `period_to` (exclusive).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertMetrics {
    /// Begin of the window.
    pub period_from: Timestamp,
    /// End of the window.
    pub period_to: Timestamp,
    /// Alerts in the window.
    pub total_alerts: u64,
    /// All statuses, zeros too.
    pub alerts_by_status: BTreeMap<String, u64>,
    /// All severities, zeros too.
    pub alerts_by_severity: BTreeMap<String, u64>,
    /// By source name.
    pub alerts_by_source: BTreeMap<String, u64>,
    /// Every day of the window, zeros too.
    pub alerts_over_time: Vec<DayCount>,
    /// Closed as false positive, of the closed; 0 when none is closed.
    pub false_positive_rate: f64,
    /// Seconds from ingest to the end of enrichment.
    pub mean_time_to_enrich: Option<f64>,
    /// Seconds from occurrence to ingest.
    pub mean_time_to_detect: Option<f64>,
    /// Seconds from ingest to the first move out of Open.
    pub mean_time_to_acknowledge: Option<f64>,
    /// Seconds from ingest to Triaging.
    pub mean_time_to_triage: Option<f64>,
    /// Seconds from ingest to the last closing.
    pub mean_time_to_conclusion: Option<f64>,
    /// The same, as median and 90th percentile.
    pub time_to_acknowledge: Spread,
    /// The same, as median and 90th percentile.
    pub time_to_conclusion: Spread,
    /// Not closed, by severity.
    pub active_alerts_by_severity: BTreeMap<String, u64>,
    /// The ten with the most alerts.
    pub top_detection_rules: Vec<RuleCount>,
    /// Alerts whose enrichment is over, of all; 0 when there are none.
    pub enrichment_coverage: f64,
}

/// `GET /v1/detection-rules/{uuid}/metrics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleMetrics {
    /// The rule.
    pub detection_rule_uuid: DetectionRuleId,
    /// Its name.
    pub detection_rule_name: String,
    /// Begin of the window.
    pub period_from: Timestamp,
    /// End of the window.
    pub period_to: Timestamp,
    /// Its alerts in the window.
    pub total_alerts: u64,
    /// Not closed.
    pub active_alerts: u64,
    /// All statuses, zeros too.
    pub alerts_by_status: BTreeMap<String, u64>,
    /// All severities, zeros too.
    pub alerts_by_severity: BTreeMap<String, u64>,
    /// Closed as false positive, of the closed.
    pub false_positive_rate: f64,
    /// Closed as true positive, of the closed.
    pub true_positive_rate: f64,
    /// By classification.
    pub close_classifications: BTreeMap<String, u64>,
    /// Every day of the window, zeros too.
    pub alerts_over_time: Vec<DayCount>,
    /// False positives by the day they were made.
    pub fp_over_time: Vec<DayCount>,
    /// Mean time to acknowledge.
    pub mtta_seconds: Option<f64>,
    /// Mean time to conclusion.
    pub mttc_seconds: Option<f64>,
    /// Not closed, by severity.
    pub severity_distribution: BTreeMap<String, u64>,
    /// The ten most frequent.
    pub top_indicators: Vec<IndicatorCount>,
    /// By source name.
    pub alert_sources: BTreeMap<String, u64>,
}

/// An indicator and its alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndicatorCount {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Alerts of the rule that have it.
    pub count: u64,
    /// Its verdict.
    pub malice: Malice,
}

/// `GET /v1/metrics/summary`: the last 30 days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricsSummary {
    /// Always `last_30_days`.
    pub period: String,
    /// The queue.
    pub alerts: SummaryAlerts,
    /// Workflows and their runs.
    pub workflows: SummaryWorkflows,
    /// Decisions.
    pub approvals: SummaryApprovals,
    /// What is configured.
    pub platform: SummaryPlatform,
    /// Work that waits.
    pub queue: SummaryQueues,
}

/// The queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SummaryAlerts {
    /// Made in the period.
    pub total: u64,
    /// Of them, not closed.
    pub active: u64,
    /// Of the active ones.
    pub by_severity: BTreeMap<String, u64>,
    /// Of all.
    pub by_status: BTreeMap<String, u64>,
    /// Of all.
    pub by_source: BTreeMap<String, u64>,
    /// Enrichment over, of all.
    pub enrichment_coverage: f64,
    /// From ingest to the end of enrichment.
    pub mean_time_to_enrich_seconds: Option<f64>,
    /// Of the closed.
    pub false_positive_rate: f64,
    /// Mean time to detect.
    pub mttd_seconds: Option<f64>,
    /// Mean time to acknowledge.
    pub mtta_seconds: Option<f64>,
    /// Mean time to triage.
    pub mttt_seconds: Option<f64>,
    /// Mean time to conclusion.
    pub mttc_seconds: Option<f64>,
}

/// Workflows and their runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SummaryWorkflows {
    /// Active ones.
    pub total_configured: u64,
    /// Runs in the period.
    pub executions: u64,
    /// Of the runs.
    pub success_rate: f64,
    /// By the workflows' own estimates.
    pub estimated_time_saved_hours: f64,
}

/// Decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SummaryApprovals {
    /// Waiting now.
    pub pending: u64,
    /// Approved in the period.
    pub approved_last_30_days: u64,
    /// Approved, of the decided.
    pub approval_rate: f64,
    /// From request to decision.
    pub median_response_time_minutes: Option<f64>,
}

/// What is configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SummaryPlatform {
    /// Documents.
    pub context_documents: u64,
    /// Rules.
    pub detection_rules: u64,
    /// Active providers.
    pub enrichment_providers: u64,
    /// Active ones, by what they can be asked about.
    pub enrichment_providers_by_indicator_type: BTreeMap<String, u64>,
    /// Active agents.
    pub agents: u64,
    /// Workflows.
    pub workflows: u64,
    /// Active mappings.
    pub indicator_mappings: u64,
}

/// Work that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SummaryQueues {
    /// enrichment, matching, delivery.
    pub queues: Vec<QueueState>,
    /// Waiting now.
    pub total_pending: u64,
    /// Being worked on.
    pub total_in_progress: u64,
    /// Given up in the period.
    pub total_failed_30d: u64,
    /// Done in the period.
    pub total_succeeded_30d: u64,
    /// How long the oldest due work has waited.
    pub oldest_pending_age_seconds: Option<f64>,
}

/// One queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueState {
    /// Its name.
    pub queue: String,
    /// Waiting now.
    pub pending: u64,
    /// Being worked on.
    pub in_progress: u64,
    /// Done in the period.
    pub succeeded_30d: u64,
    /// Given up in the period.
    pub failed_30d: u64,
    /// Of an attempt, where attempts are recorded.
    pub avg_duration_seconds: Option<f64>,
    /// How long the oldest due work has waited.
    pub oldest_pending_age_seconds: Option<f64>,
}
