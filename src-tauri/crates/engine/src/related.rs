//! Alerts that have something in common with one, the most telling first, and what its rule has led
//! to lately.

use std::collections::HashMap;

use calseta_contract::related::{
    ClassificationCount, RelatedAlert, RelatedView, SharedValue, TrackRecord,
};
use calseta_domain::relation::{self, Relation, SharedIndicator};
use calseta_domain::{AlertId, CloseClassification, Timestamp};
use calseta_store::tables::Reads;
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::indicator::IndicatorRow;
use calseta_store::tables::related::{self, TrackFigures};

use crate::triage::DAY_MS;
use crate::{Engine, Problem, alerts, views};

/// The most alerts of one answer.
pub const MAX_RELATED: u32 = 100;
/// Other alerts of the rule that are looked at, the newest of them.
const SAME_RULE: u32 = 50;
/// Values that are named as too frequent.
const IGNORED_NAMED: usize = 20;
/// Days that the track record of a rule covers.
const TRACK_DAYS: i64 = 30;

impl Engine {
    /// `GET /v1/alerts/{uuid}/related`: at most `limit` alerts, 1 to [`MAX_RELATED`].
    pub async fn related(&self, id: AlertId, limit: u32) -> Result<RelatedView, Problem> {
        if limit == 0 || limit > MAX_RELATED {
            return Err(Problem::field(
                "limit",
                format!("must be 1 to {MAX_RELATED}"),
            ));
        }
        let now = self.inner.clock.now();
        self.inner
            .store
            .read(move |tx| {
                let row = alerts::row(tx, id)?;
                find(tx, &row, limit as usize, now)
            })
            .await
    }
}

/// A candidate with its score.
struct Scored {
    row: AlertRow,
    score: f64,
    shared: Vec<i64>,
}

fn find(
    tx: &impl Reads,
    row: &AlertRow,
    limit: usize,
    now: Timestamp,
) -> Result<RelatedView, Problem> {
    let found = related::shared(tx, row.id)?;
    let known: HashMap<i64, &IndicatorRow> =
        found.indicators.iter().map(|one| (one.id, one)).collect();
    let mut shared: HashMap<i64, Vec<i64>> = HashMap::new();
    for candidate in found.candidates {
        shared.insert(candidate.alert, candidate.shared);
    }
    if let Some(rule) = row.rule {
        for other in related::same_rule(tx, rule, row.id, SAME_RULE)? {
            shared.entry(other).or_default();
        }
    }
    let mut scored = Vec::with_capacity(shared.len());
    for (other, shared) in shared {
        let Some(other) = alert::by_row(tx, other)? else {
            continue;
        };
        let values: Vec<SharedIndicator> = shared
            .iter()
            .filter_map(|id| known.get(id))
            .map(|one| SharedIndicator {
                kind: one.kind,
                alerts: one.alert_count,
            })
            .collect();
        let apart = other.occurred_at.millis() - row.occurred_at.millis();
        let relation = Relation {
            shared: &values,
            is_same_rule: row.rule.is_some() && other.rule == row.rule,
            apart_ms: apart.abs(),
        };
        let score = relation::score(found.total_alerts, &relation);
        if score > 0.0 {
            scored.push(Scored {
                row: other,
                score,
                shared,
            });
        }
    }
    // The newer one first among equals, so that the order is the same every time.
    scored.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.row.id.cmp(&a.row.id)));
    scored.truncate(limit);
    let rows: Vec<AlertRow> = scored.iter().map(|one| one.row.clone()).collect();
    let summaries = views::summaries(tx, &rows)?;
    let related = summaries.into_iter().zip(scored).map(|(alert, one)| {
        let values = one.shared.iter().filter_map(|id| known.get(id));
        RelatedAlert {
            alert,
            score: one.score,
            shared: values.map(|value| value_of(value)).collect(),
            is_same_rule: row.rule.is_some() && one.row.rule == row.rule,
        }
    });
    Ok(RelatedView {
        related: related.collect(),
        ignored: found
            .ignored
            .iter()
            .take(IGNORED_NAMED)
            .map(value_of)
            .collect(),
        track_record: row.rule.map(|rule| track(tx, rule, now)).transpose()?,
    })
}

fn value_of(row: &IndicatorRow) -> SharedValue {
    SharedValue {
        kind: row.kind,
        value: row.value.clone(),
        malice: row.malice,
        alert_count: row.alert_count,
        is_rare: relation::is_rare(row.alert_count),
    }
}

fn track(tx: &impl Reads, rule: i64, now: Timestamp) -> Result<TrackRecord, Problem> {
    let figures = related::track_record(tx, rule, now.plus_millis(-TRACK_DAYS * DAY_MS))?;
    let last_closed = counted(&figures);
    Ok(TrackRecord {
        alerts: figures.alerts,
        closed: figures.closed,
        last_closed,
        false_positives: figures.false_positives,
        median_close_ms: figures.median_close_ms,
    })
}

/// How often each classification was chosen, the most frequent first.
fn counted(figures: &TrackFigures) -> Vec<ClassificationCount> {
    let count = |class: CloseClassification| {
        let same = figures.last_closed.iter().filter(|one| **one == class);
        same.count() as u64
    };
    let mut counts: Vec<ClassificationCount> = CloseClassification::ALL
        .iter()
        .map(|class| ClassificationCount {
            classification: class.as_str().to_owned(),
            count: count(*class),
        })
        .filter(|one| one.count > 0)
        .collect();
    counts.sort_by_key(|one| std::cmp::Reverse(one.count));
    counts
}
