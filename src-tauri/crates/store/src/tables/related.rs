//! What alerts have in common: shared indicators, the same rule, and what that rule has led to.
//! Scores are the engine's; here the candidates are found, the rarest value first, in bounded time.

use std::collections::HashMap;

use calseta_domain::relation::{NOISE_ALERTS, is_noise};
use calseta_domain::{AlertStatus, CloseClassification, Timestamp};

use super::indicator::{self, IndicatorRow};
use super::{Reads, time_opt, word, word_opt};
use crate::StoreError;

/// Candidates that are looked at.
const CANDIDATES: usize = 500;
/// Values of an alert that are looked at, the rarest of them.
const VALUES: usize = 100;
/// Alerts of a rule that its track record looks at, the newest of them.
const RULE_ALERTS: u32 = 10_000;
/// Closed alerts whose classifications a track record gives.
const LAST_CLOSED: usize = 20;
/// How the classifications of false positives begin.
const FALSE_POSITIVE: &str = "False Positive";

/// What an alert shares with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Alerts in the store: what a value's rarity is measured by.
    pub total_alerts: u64,
    /// Indicators that other alerts have, too, the rarest first.
    pub indicators: Vec<IndicatorRow>,
    /// Indicators of more than [`NOISE_ALERTS`] alerts, the most frequent first: left out.
    pub ignored: Vec<IndicatorRow>,
    /// Alerts that have one of `indicators`, at most 500: those with the rarest value first, among
    /// them the newest first.
    pub candidates: Vec<Candidate>,
}

/// An alert that shares something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its row.
    pub alert: i64,
    /// The rows of the indicators that both have, the rarest first.
    pub shared: Vec<i64>,
}

/// Finds the alerts that share indicators with one (its row).
pub fn shared(tx: &impl Reads, alert: i64) -> Result<Shared, StoreError> {
    let all = indicator::of_alert(tx, alert)?;
    let (mut ignored, mut indicators): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(|indicator| indicator.alert_count > 1)
        .partition(|indicator| is_noise(indicator.alert_count));
    ignored.sort_by_key(|indicator| std::cmp::Reverse(indicator.alert_count));
    indicators.sort_by_key(|indicator| indicator.alert_count);
    indicators.truncate(VALUES);
    let mut found: Vec<Candidate> = Vec::new();
    let mut places: HashMap<i64, usize> = HashMap::new();
    for indicator in &indicators {
        for other in having(tx, indicator.id, alert)? {
            match places.get(&other) {
                Some(place) => found[*place].shared.push(indicator.id),
                None if found.len() < CANDIDATES => {
                    places.insert(other, found.len());
                    found.push(Candidate {
                        alert: other,
                        shared: vec![indicator.id],
                    });
                }
                None => {}
            }
        }
    }
    let total_alerts = tx
        .conn()
        .prepare_cached("SELECT alerts FROM alert_total")?
        .query_row([], |row| row.get(0))?;
    Ok(Shared {
        total_alerts,
        indicators,
        ignored,
        candidates: found,
    })
}

/// Alerts that have an indicator, but for one of them, the newest first; no more than are not noise.
fn having(tx: &impl Reads, indicator: i64, but: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT alert_id FROM alert_indicator WHERE indicator_id = ?1 AND alert_id != ?2
         ORDER BY occurred_at DESC, alert_id DESC LIMIT ?3",
    )?;
    let rows = statement.query_map((indicator, but, NOISE_ALERTS), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Other alerts of a rule (its row), the newest first.
pub fn same_rule(tx: &impl Reads, rule: i64, but: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT id FROM alert WHERE detection_rule_id = ?1 AND id != ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = statement.query_map((rule, but, limit), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What became of a rule's alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackFigures {
    /// Alerts that it raised since the time, of its newest 10,000.
    pub alerts: u64,
    /// Of these, closed.
    pub closed: u64,
    /// How those closed last were classified, the last first; at most 20.
    pub last_closed: Vec<CloseClassification>,
    /// Alerts closed as a false positive.
    pub false_positives: u64,
    /// Half of the closed ones took at most this long from ingest, in milliseconds.
    pub median_close_ms: Option<i64>,
}

/// What became of the alerts that a rule (its row) has raised since a time.
pub fn track_record(
    tx: &impl Reads,
    rule: i64,
    since: Timestamp,
) -> Result<TrackFigures, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT ingested_at, status, close_classification, closed_at FROM alert
         WHERE detection_rule_id = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let mut rows = statement.query((rule, RULE_ALERTS))?;
    let mut figures = TrackFigures::default();
    let mut closed: Vec<(i64, i64, Option<CloseClassification>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let ingested: i64 = row.get(0)?;
        // Rows are in the order of ingest.
        if ingested < since.millis() {
            break;
        }
        figures.alerts += 1;
        let closed_at = time_opt(row, 3)?;
        if let (AlertStatus::Closed, Some(at)) = (word(row, 1)?, closed_at) {
            let took = (at.millis() - ingested).max(0);
            closed.push((at.millis(), took, word_opt(row, 2)?));
        }
    }
    figures.closed = closed.len() as u64;
    closed.sort_unstable_by_key(|(at, _, _)| std::cmp::Reverse(*at));
    let classes: Vec<_> = closed.iter().filter_map(|(_, _, class)| *class).collect();
    let is_false = |class: &&CloseClassification| class.as_str().starts_with(FALSE_POSITIVE);
    figures.false_positives = classes.iter().filter(is_false).count() as u64;
    figures.last_closed = classes.into_iter().take(LAST_CLOSED).collect();
    let mut took: Vec<i64> = closed.iter().map(|(_, took, _)| *took).collect();
    took.sort_unstable();
    figures.median_close_ms = took.get(took.len().saturating_sub(1) / 2).copied();
    Ok(figures)
}

/// How many of the last 20 closed alerts of a rule (its row) were false positives, and how many were
/// looked at.
pub fn last_closed(tx: &impl Reads, rule: i64) -> Result<(u64, u64), StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT count(*) FILTER (WHERE instr(c.class, ?3) = 1), count(*)
         FROM (SELECT close_classification AS class FROM alert
           WHERE detection_rule_id = ?1 AND closed_at IS NOT NULL
           ORDER BY closed_at DESC LIMIT ?2) c",
    )?;
    Ok(
        statement.query_row((rule, LAST_CLOSED, FALSE_POSITIVE), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?,
    )
}
