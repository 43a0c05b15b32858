//! Figures about alerts and the work on them: one pass over a window, not a query a figure.
//!
//! What the counts mean is decided in `calseta_domain::metrics`; here they are only counted. The
//! window is over `ingested_at`, whose index holds every column that is read.

use std::collections::BTreeMap;

use calseta_domain::metrics::{Window, day_of};
use calseta_domain::{
    AlertStatus, CloseClassification, DetectionRuleId, IndicatorType, Malice, Severity, Timestamp,
};

use super::{Reads, malice, severity, time, time_opt, uuid, word, word_opt};
use crate::StoreError;

/// How the classifications of false positives begin.
const FALSE_POSITIVE: &str = "False Positive";
/// How many of the latest deliveries tell how long an attempt takes.
const LATEST_DELIVERIES: i64 = 1_000;

/// What is counted of the alerts of a window. Durations are in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFigures {
    /// All of them.
    pub total: u64,
    /// Not closed.
    pub active: u64,
    /// Those whose enrichment is over.
    pub enriched: u64,
    /// By status.
    pub by_status: BTreeMap<AlertStatus, u64>,
    /// By severity.
    pub by_severity: BTreeMap<Severity, u64>,
    /// Not closed, by severity.
    pub active_by_severity: BTreeMap<Severity, u64>,
    /// By source name.
    pub by_source: BTreeMap<String, u64>,
    /// By UTC day of ingest, `YYYY-MM-DD`.
    pub by_day: BTreeMap<String, u64>,
    /// Closed ones by classification.
    pub by_classification: BTreeMap<CloseClassification, u64>,
    /// Closed as false positive, by UTC day of ingest.
    pub false_positives_by_day: BTreeMap<String, u64>,
    /// By rule (its row).
    pub by_rule: BTreeMap<i64, u64>,
    /// Ingest to the end of enrichment.
    pub to_enrich: Vec<i64>,
    /// Occurrence to ingest.
    pub to_detect: Vec<i64>,
    /// Ingest to the first move out of Open.
    pub to_acknowledge: Vec<i64>,
    /// Ingest to the first time in triage.
    pub to_triage: Vec<i64>,
    /// Ingest to the last closing.
    pub to_conclude: Vec<i64>,
}

/// One alert, as far as figures need it.
struct Line {
    ingested_at: Timestamp,
    status: AlertStatus,
    severity: Severity,
    source: String,
    rule: Option<i64>,
    classification: Option<CloseClassification>,
    enriched_at: Option<Timestamp>,
    occurred_at: Timestamp,
    acknowledged_at: Option<Timestamp>,
    triaged_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
}

const COLUMNS: &str = "ingested_at, status, severity, source_name, detection_rule_id, \
    close_classification, enriched_at, occurred_at, acknowledged_at, triaged_at, closed_at";

fn map(row: &rusqlite::Row<'_>) -> rusqlite::Result<Line> {
    Ok(Line {
        ingested_at: time(row, 0)?,
        status: word(row, 1)?,
        severity: severity(row, 2)?,
        source: row.get(3)?,
        rule: row.get(4)?,
        classification: word_opt(row, 5)?,
        enriched_at: time_opt(row, 6)?,
        occurred_at: time(row, 7)?,
        acknowledged_at: time_opt(row, 8)?,
        triaged_at: time_opt(row, 9)?,
        closed_at: time_opt(row, 10)?,
    })
}

impl AlertFigures {
    fn add(&mut self, line: Line) {
        let day = day_of(line.ingested_at);
        self.total += 1;
        self.enriched += u64::from(line.enriched_at.is_some());
        *self.by_status.entry(line.status).or_default() += 1;
        *self.by_severity.entry(line.severity).or_default() += 1;
        if line.status == AlertStatus::Closed {
            if let Some(classification) = line.classification {
                *self.by_classification.entry(classification).or_default() += 1;
                if classification.as_str().starts_with(FALSE_POSITIVE) {
                    *self.false_positives_by_day.entry(day.clone()).or_default() += 1;
                }
            }
        } else {
            self.active += 1;
            *self.active_by_severity.entry(line.severity).or_default() += 1;
        }
        if let Some(rule) = line.rule {
            *self.by_rule.entry(rule).or_default() += 1;
        }
        *self.by_source.entry(line.source).or_default() += 1;
        *self.by_day.entry(day).or_default() += 1;
        let since = |end: Option<Timestamp>| Some(end?.millis() - line.ingested_at.millis());
        self.to_enrich.extend(since(line.enriched_at));
        self.to_acknowledge.extend(since(line.acknowledged_at));
        self.to_triage.extend(since(line.triaged_at));
        self.to_conclude.extend(since(line.closed_at));
        self.to_detect
            .push(line.ingested_at.millis() - line.occurred_at.millis());
    }

    /// Closed ones.
    pub fn closed(&self) -> u64 {
        self.total - self.active
    }
}

/// Counts the alerts of a window, of one rule (its row) or of all.
pub fn alerts(
    tx: &impl Reads,
    window: Window,
    rule: Option<i64>,
) -> Result<AlertFigures, StoreError> {
    let mut figures = AlertFigures::default();
    let (from, to) = (window.from.millis(), window.to.millis());
    let sql = if rule.is_some() {
        format!(
            "SELECT {COLUMNS} FROM alert INDEXED BY alert_rule \
             WHERE detection_rule_id = ?3 AND ingested_at >= ?1 AND ingested_at < ?2"
        )
    } else {
        format!(
            "SELECT {COLUMNS} FROM alert INDEXED BY alert_ingested \
             WHERE ingested_at >= ?1 AND ingested_at < ?2 AND ?3 IS NULL"
        )
    };
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let lines = statement.query_map((from, to, rule), map)?;
    for line in lines {
        figures.add(line?);
    }
    Ok(figures)
}

/// A rule's id and name.
pub fn rule_name(
    tx: &impl Reads,
    rule: i64,
) -> Result<Option<(DetectionRuleId, String)>, StoreError> {
    super::found(
        tx.conn()
            .prepare_cached("SELECT uuid, name FROM detection_rule WHERE id = ?1")?
            .query_row([rule], |row| Ok((uuid(row, 0)?, row.get(1)?))),
    )
}

/// An indicator and how many alerts of a window have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorFigure {
    /// Its type.
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Its verdict.
    pub malice: Malice,
    /// Alerts.
    pub count: u64,
}

/// The most frequent indicators of a rule's alerts in a window.
pub fn top_indicators(
    tx: &impl Reads,
    window: Window,
    rule: i64,
    limit: u32,
) -> Result<Vec<IndicatorFigure>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT i.type, i.value, i.malice, count(*) AS n
         FROM alert a INDEXED BY alert_rule
         JOIN alert_indicator l ON l.alert_id = a.id JOIN indicator i ON i.id = l.indicator_id
         WHERE a.detection_rule_id = ?3 AND a.ingested_at >= ?1 AND a.ingested_at < ?2
         GROUP BY i.id ORDER BY n DESC, i.id LIMIT ?4",
    )?;
    let (from, to) = (window.from.millis(), window.to.millis());
    let rows = statement.query_map((from, to, rule, limit), |row| {
        Ok(IndicatorFigure {
            kind: word(row, 0)?,
            value: row.get(1)?,
            malice: malice(row, 2)?,
            count: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is configured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Configured {
    /// Context documents.
    pub documents: u64,
    /// Detection rules.
    pub rules: u64,
    /// Active agents.
    pub agents: u64,
    /// Indicator mappings.
    pub mappings: u64,
}

/// Counts what is configured.
pub fn configured(tx: &impl Reads) -> Result<Configured, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM context_document), \
         (SELECT count(*) FROM detection_rule), \
         (SELECT count(*) FROM agent WHERE is_active = 1 AND deleted_at IS NULL), \
         (SELECT count(*) FROM indicator_mapping)";
    let counted = tx.conn().prepare_cached(sql)?.query_row([], |row| {
        Ok(Configured {
            documents: row.get(0)?,
            rules: row.get(1)?,
            agents: row.get(2)?,
            mappings: row.get(3)?,
        })
    })?;
    Ok(counted)
}

/// How far a queue is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// Waiting now.
    pub pending: u64,
    /// Being worked on.
    pub in_progress: u64,
    /// Given up, as far as it is kept.
    pub failed: u64,
    /// Done, as far as it is kept.
    pub succeeded: u64,
    /// When the oldest due work became due.
    pub oldest_due: Option<Timestamp>,
    /// Mean milliseconds of an attempt, where attempts are recorded.
    pub mean_ms: Option<u64>,
}

/// How far the jobs of a kind are at a time. Done ones are not kept.
pub fn jobs(tx: &impl Reads, kind: &str, now: Timestamp) -> Result<QueueFigures, StoreError> {
    let counted = tx
        .conn()
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE state = 'ready'), \
               count(*) FILTER (WHERE state = 'running'), \
               count(*) FILTER (WHERE state = 'dead'), \
               min(run_at) FILTER (WHERE state = 'ready' AND run_at <= ?2) \
             FROM job WHERE kind = ?1",
        )?
        .query_row((kind, now.millis()), |row| {
            Ok(QueueFigures {
                pending: row.get(0)?,
                in_progress: row.get(1)?,
                failed: row.get(2)?,
                oldest_due: time_opt(row, 3)?,
                ..QueueFigures::default()
            })
        })?;
    Ok(counted)
}

/// How far deliveries are at a time, and what became of those that were made since another.
pub fn deliveries(
    tx: &impl Reads,
    since: Timestamp,
    now: Timestamp,
) -> Result<QueueFigures, StoreError> {
    let (mut figures, last) = tx
        .conn()
        .prepare_cached(
            "SELECT (SELECT count(*) FROM delivery WHERE state IN ('due', 'parked')), \
               (SELECT count(*) FROM delivery WHERE state = 'in_flight'), \
               (SELECT count(*) FROM delivery WHERE +state = 'dead' AND created_at >= ?1), \
               (SELECT count(*) FROM delivery WHERE +state = 'delivered' AND created_at >= ?1), \
               (SELECT min(at) FROM ( \
                  SELECT min(next_at) AS at FROM delivery WHERE state = 'due' AND next_at <= ?2 \
                  UNION ALL SELECT min(created_at) FROM delivery WHERE state = 'parked')), \
               (SELECT id FROM delivery ORDER BY id DESC LIMIT 1)",
        )?
        .query_row((since.millis(), now.millis()), |row| {
            let figures = QueueFigures {
                pending: row.get(0)?,
                in_progress: row.get(1)?,
                failed: row.get(2)?,
                succeeded: row.get(3)?,
                oldest_due: time_opt(row, 4)?,
                mean_ms: None,
            };
            Ok((figures, row.get::<_, Option<i64>>(5)?.unwrap_or_default()))
        })?;
    // The latest attempts say how long one takes now; older ones would only blur it.
    figures.mean_ms = tx
        .conn()
        .prepare_cached(
            "SELECT CAST(avg(duration_ms) AS INTEGER) FROM delivery_attempt \
             WHERE delivery_id > ?1 AND started_at >= ?2",
        )?
        .query_row((last - LATEST_DELIVERIES, since.millis()), |row| row.get(0))?;
    Ok(figures)
}
