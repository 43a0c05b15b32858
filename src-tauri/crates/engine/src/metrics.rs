//! Figures about alerts, rules and the work on them, as people read them.
//!
//! The store counts in one pass, `calseta_domain::metrics` says what the counts mean; here they are
//! put into the wire's names, with zeros for what did not happen.

use std::collections::BTreeMap;

use calseta_contract::metrics::{
    AlertMetrics, DayCount, IndicatorCount, MetricsSummary, QueueState, RuleCount, RuleMetrics,
    Spread, SummaryAlerts, SummaryApprovals, SummaryPlatform, SummaryQueues, SummaryWorkflows,
};
use calseta_domain::metrics::{Durations, Window, fill_days, rate};
use calseta_domain::{
    AlertStatus, CloseClassification, DetectionRuleId, IndicatorType, Severity, Timestamp,
};
use calseta_store::tables::metrics::{self, AlertFigures, QueueFigures};
use calseta_store::tables::{Reads, detection_rule};

use crate::{Engine, Problem};

/// Rules that are named as the most frequent.
const TOP_RULES: usize = 10;
/// Indicators of a rule that are named as the most frequent.
const TOP_INDICATORS: u32 = 10;
/// How rules are ranked: by count, the older one first.
type Ranked = (u64, std::cmp::Reverse<i64>);

/// Every word with its count, zeros too.
fn counts<W: Copy + Ord>(
    all: &[W],
    name: fn(W) -> &'static str,
    counted: &BTreeMap<W, u64>,
) -> BTreeMap<String, u64> {
    all.iter()
        .map(|word| {
            let count = counted.get(word).copied().unwrap_or_default();
            (name(*word).to_owned(), count)
        })
        .collect()
}

fn statuses(counted: &BTreeMap<AlertStatus, u64>) -> BTreeMap<String, u64> {
    counts(AlertStatus::ALL, AlertStatus::as_str, counted)
}

fn severities(counted: &BTreeMap<Severity, u64>) -> BTreeMap<String, u64> {
    counts(Severity::ALL, Severity::as_str, counted)
}

fn days(window: Window, counted: &BTreeMap<String, u64>) -> Vec<DayCount> {
    fill_days(window, counted)
        .into_iter()
        .map(|(date, count)| DayCount { date, count })
        .collect()
}

fn mean(millis: &[i64]) -> Option<f64> {
    Durations::of_millis(millis).mean
}

fn spread(millis: &[i64]) -> Spread {
    let all = Durations::of_millis(millis);
    Spread {
        n: all.count as u64,
        median: all.median,
        p90: all.p90,
    }
}

/// The part of the closed alerts whose classification begins so.
fn closed_as(figures: &AlertFigures, beginning: &str) -> f64 {
    let part: u64 = figures
        .by_classification
        .iter()
        .filter(|(classification, _)| classification.as_str().starts_with(beginning))
        .map(|(_, count)| count)
        .sum();
    rate(part, figures.closed())
}

fn window(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
    name: &str,
) -> Result<Window, Problem> {
    Window::new(from, to, now)
        .ok_or_else(|| Problem::field(name, "must not be after the end of the window"))
}

fn top_rules(tx: &impl Reads, figures: &AlertFigures) -> Result<Vec<RuleCount>, Problem> {
    let mut ranked: Vec<(Ranked, i64)> = figures
        .by_rule
        .iter()
        .map(|(rule, count)| ((*count, std::cmp::Reverse(*rule)), *rule))
        .collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    let mut named = Vec::new();
    for ((count, _), rule) in ranked.into_iter().take(TOP_RULES) {
        if let Some((uuid, name)) = metrics::rule_name(tx, rule)? {
            named.push(RuleCount { uuid, name, count });
        }
    }
    Ok(named)
}

impl Engine {
    /// `GET /v1/metrics/alerts`. Either bound may be missing.
    pub async fn alert_metrics(
        &self,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<AlertMetrics, Problem> {
        let window = window(from, to, self.inner.clock.now(), "from_time")?;
        self.inner
            .store
            .read(move |tx| {
                let figures = metrics::alerts(tx, window, None)?;
                Ok::<_, Problem>(AlertMetrics {
                    period_from: window.from,
                    period_to: window.to,
                    total_alerts: figures.total,
                    alerts_by_status: statuses(&figures.by_status),
                    alerts_by_severity: severities(&figures.by_severity),
                    alerts_over_time: days(window, &figures.by_day),
                    false_positive_rate: closed_as(&figures, "False Positive"),
                    mean_time_to_enrich: mean(&figures.to_enrich),
                    mean_time_to_detect: mean(&figures.to_detect),
                    mean_time_to_acknowledge: mean(&figures.to_acknowledge),
                    mean_time_to_triage: mean(&figures.to_triage),
                    mean_time_to_conclusion: mean(&figures.to_conclude),
                    time_to_acknowledge: spread(&figures.to_acknowledge),
                    time_to_conclusion: spread(&figures.to_conclude),
                    active_alerts_by_severity: severities(&figures.active_by_severity),
                    top_detection_rules: top_rules(tx, &figures)?,
                    enrichment_coverage: rate(figures.enriched, figures.total),
                    alerts_by_source: figures.by_source,
                })
            })
            .await
    }

    /// `GET /v1/detection-rules/{uuid}/metrics`. Either bound may be missing.
    pub async fn rule_metrics(
        &self,
        id: DetectionRuleId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<RuleMetrics, Problem> {
        let window = window(from, to, self.inner.clock.now(), "from")?;
        self.inner
            .store
            .read(move |tx| {
                let rule = detection_rule::by_uuid(tx, id)?
                    .ok_or_else(|| Problem::not_found("detection rule"))?;
                let figures = metrics::alerts(tx, window, Some(rule.id))?;
                let indicators = metrics::top_indicators(tx, window, rule.id, TOP_INDICATORS)?;
                let classifications = CloseClassification::ALL;
                Ok::<_, Problem>(RuleMetrics {
                    detection_rule_uuid: id,
                    detection_rule_name: rule.name,
                    period_from: window.from,
                    period_to: window.to,
                    total_alerts: figures.total,
                    active_alerts: figures.active,
                    alerts_by_status: statuses(&figures.by_status),
                    alerts_by_severity: severities(&figures.by_severity),
                    false_positive_rate: closed_as(&figures, "False Positive"),
                    true_positive_rate: closed_as(&figures, "True Positive"),
                    close_classifications: counts(
                        classifications,
                        CloseClassification::as_str,
                        &figures.by_classification,
                    ),
                    alerts_over_time: days(window, &figures.by_day),
                    fp_over_time: days(window, &figures.false_positives_by_day),
                    mtta_seconds: mean(&figures.to_acknowledge),
                    mttc_seconds: mean(&figures.to_conclude),
                    severity_distribution: severities(&figures.active_by_severity),
                    top_indicators: indicators.into_iter().map(indicator_count).collect(),
                    alert_sources: figures.by_source,
                })
            })
            .await
    }

    /// `GET /v1/metrics/summary`: the last 30 days.
    pub async fn metrics_summary(&self) -> Result<MetricsSummary, Problem> {
        let now = self.inner.clock.now();
        let window = window(None, None, now, "from_time")?;
        let set = self.inner.provider_set();
        let mut by_type: BTreeMap<String, u64> = IndicatorType::ALL
            .iter()
            .map(|kind| (kind.as_str().to_owned(), 0))
            .collect();
        let mut providers = 0;
        for provider in set.all().filter(|provider| provider.row.is_active) {
            providers += 1;
            for kind in &provider.types {
                *by_type.entry(kind.as_str().to_owned()).or_default() += 1;
            }
        }
        self.inner
            .store
            .read(move |tx| {
                let figures = metrics::alerts(tx, window, None)?;
                let configured = metrics::configured(tx)?;
                Ok::<_, Problem>(MetricsSummary {
                    period: "last_30_days".to_owned(),
                    alerts: summary_alerts(figures),
                    // Nothing can run or ask for a decision yet: these are counts, not guesses.
                    workflows: SummaryWorkflows {
                        total_configured: 0,
                        executions: 0,
                        success_rate: 0.0,
                        estimated_time_saved_hours: 0.0,
                    },
                    approvals: SummaryApprovals {
                        pending: 0,
                        approved_last_30_days: 0,
                        approval_rate: 0.0,
                        median_response_time_minutes: None,
                    },
                    platform: SummaryPlatform {
                        context_documents: configured.documents,
                        detection_rules: configured.rules,
                        enrichment_providers: providers,
                        enrichment_providers_by_indicator_type: by_type,
                        agents: configured.agents,
                        workflows: 0,
                        indicator_mappings: configured.mappings,
                    },
                    queue: queues(tx, window.from, now)?,
                })
            })
            .await
    }
}

fn indicator_count(figure: metrics::IndicatorFigure) -> IndicatorCount {
    IndicatorCount {
        kind: figure.kind,
        value: figure.value,
        count: figure.count,
        malice: figure.malice,
    }
}

fn summary_alerts(figures: AlertFigures) -> SummaryAlerts {
    SummaryAlerts {
        total: figures.total,
        active: figures.active,
        by_severity: severities(&figures.active_by_severity),
        by_status: statuses(&figures.by_status),
        enrichment_coverage: rate(figures.enriched, figures.total),
        mean_time_to_enrich_seconds: mean(&figures.to_enrich),
        false_positive_rate: closed_as(&figures, "False Positive"),
        mttd_seconds: mean(&figures.to_detect),
        mtta_seconds: mean(&figures.to_acknowledge),
        mttt_seconds: mean(&figures.to_triage),
        mttc_seconds: mean(&figures.to_conclude),
        by_source: figures.by_source,
    }
}

fn age(since: Option<Timestamp>, now: Timestamp) -> Option<f64> {
    Durations::of_millis(&[now.millis() - since?.millis()]).mean
}

fn queue(name: &str, figures: QueueFigures, now: Timestamp) -> QueueState {
    let attempt = figures.mean_ms.and_then(|ms| i64::try_from(ms).ok());
    QueueState {
        queue: name.to_owned(),
        pending: figures.pending,
        in_progress: figures.in_progress,
        succeeded_30d: figures.succeeded,
        failed_30d: figures.failed,
        avg_duration_seconds: attempt.and_then(|ms| mean(&[ms])),
        oldest_pending_age_seconds: age(figures.oldest_due, now),
    }
}

fn queues(tx: &impl Reads, since: Timestamp, now: Timestamp) -> Result<SummaryQueues, Problem> {
    let enrichment = metrics::jobs(tx, "enrich", now)?;
    let matching = metrics::jobs(tx, "match", now)?;
    let deliveries = metrics::deliveries(tx, since, now)?;
    let all = [enrichment, matching, deliveries];
    let sum = |of: fn(&QueueFigures) -> u64| all.iter().map(of).sum();
    let oldest = all.iter().filter_map(|figures| figures.oldest_due).min();
    Ok(SummaryQueues {
        total_pending: sum(|figures| figures.pending),
        total_in_progress: sum(|figures| figures.in_progress),
        total_failed_30d: sum(|figures| figures.failed),
        total_succeeded_30d: sum(|figures| figures.succeeded),
        oldest_pending_age_seconds: age(oldest, now),
        queues: vec![
            queue("enrichment", enrichment, now),
            queue("matching", matching, now),
            queue("dispatch", deliveries, now),
        ],
    })
}
