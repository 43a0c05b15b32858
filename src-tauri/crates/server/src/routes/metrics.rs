//! `/v1/metrics`.

use axum::extract::State;
use calseta_contract::metrics::{AlertMetrics, MetricsSummary, RuleMetrics};
use calseta_domain::DetectionRuleId;

use crate::answer::Answer;
use crate::caller::{AlertsRead, App, Caller};
use crate::operation::{Kind, Noun, Operation, Parameter, about, get, list_parameters};
use crate::page::{Id, Query};
use crate::reply::One;

list_parameters! {
    /// `GET /v1/metrics/alerts`.
    Period => [&[
        Parameter::new("from_time", Kind::Time, "The beginning; 30 days before the end when nothing is said."),
        Parameter::new("to_time", Kind::Time, "The end, which is not part of it; now when nothing is said."),
    ]];
    /// `GET /v1/detection-rules/{uuid}/metrics`.
    RulePeriod => [&[
        Parameter::new("from", Kind::Time, "The beginning; 30 days before the end when nothing is said."),
        Parameter::new("to", Kind::Time, "The end, which is not part of it; now when nothing is said."),
        Parameter::new("from_time", Kind::Time, "The same as `from`."),
        Parameter::new("to_time", Kind::Time, "The same as `to`."),
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    let mut all = about(
        Noun::Metrics,
        [
            get("/v1/metrics/alerts", "get_alert_metrics", alerts)
                .says("Read figures about alerts", "Counts, rates and times of the alerts that came in within a period; either bound may be missing. Days without alerts are there with 0. Times are in seconds, `null` without any case."),
            get("/v1/metrics/summary", "get_metrics_summary", summary)
                .says("Read the summary", "The last 30 days: alerts, what is configured, how far the queues are."),
        ],
    );
    all.extend(about(
        Noun::DetectionRules,
        [get(
            "/v1/detection-rules/{uuid}/metrics",
            "get_rule_metrics",
            rule,
        )
        .says(
            "Read figures about a rule",
            "As for all alerts, of one rule, with its most frequent indicators.",
        )],
    ));
    all
}

async fn alerts(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Period>,
) -> Answer<One<AlertMetrics>> {
    let (from, to) = (query.time("from_time")?, query.time("to_time")?);
    Ok(One::new(app.engine.alert_metrics(from, to).await?))
}

async fn summary(State(app): State<App>, _: Caller<AlertsRead>) -> Answer<One<MetricsSummary>> {
    Ok(One::new(app.engine.metrics_summary().await?))
}

async fn rule(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<DetectionRuleId>,
    query: Query<RulePeriod>,
) -> Answer<One<RuleMetrics>> {
    let from = query.time("from")?.or(query.time("from_time")?);
    let to = query.time("to")?.or(query.time("to_time")?);
    Ok(One::new(app.engine.rule_metrics(id, from, to).await?))
}
