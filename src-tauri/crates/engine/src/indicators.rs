//! Indicators across alerts: finding them, what the providers said, and overriding a verdict.
//!
//! A change of a verdict is one event about the indicator, shown in the timeline of the newest
//! alert that has it; every alert whose own verdict changes with it gets an event of its own.

use std::collections::{BTreeMap, HashMap};

use calseta_contract::Patch;
use calseta_contract::alert::EnrichmentResultView;
use calseta_contract::indicator::{
    GraphAlert, GraphIndicator, IndicatorDetail, IndicatorPatch, IndicatorSummary,
    RawEnrichmentResult, RelationshipGraph,
};
use calseta_domain::{AlertId, IndicatorId, Malice};
use calseta_store::WriteTx;
use calseta_store::tables::graph::{self, Sibling};
use calseta_store::tables::indicator::{
    self, IndicatorFilter, IndicatorRow, IndicatorSort, VerdictAuthor,
};
use calseta_store::tables::{Direction, Reads, Slice, alert, enrichment};
use serde_json::{Map, Value, json};

use crate::changes::Change;
use crate::providers::ProviderSet;
use crate::views::Evidence;
use crate::{Engine, Listed, PageNumber, Principal, Problem, alerts};

/// Alerts whose verdict follows a changed one at once; older ones follow when they are enriched
/// again.
const REFRESHED_ALERTS: u32 = 500;
/// The most siblings an indicator shows.
pub const MAX_SIBLINGS: u32 = 50;

fn source_of(row: &IndicatorRow) -> String {
    row.overridden
        .map_or("enrichment", |(author, _)| author.as_str())
        .to_owned()
}

fn summary(row: IndicatorRow) -> IndicatorSummary {
    IndicatorSummary {
        uuid: row.uuid,
        kind: row.kind,
        malice: row.malice,
        malice_source: source_of(&row),
        first_seen: row.first_seen,
        last_seen: row.last_seen,
        is_enriched: row.is_enriched,
        alert_count: row.alert_count,
        value: row.value,
    }
}

fn row(tx: &impl Reads, id: IndicatorId) -> Result<IndicatorRow, Problem> {
    indicator::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("indicator"))
}

fn detail(
    tx: &impl Reads,
    providers: &ProviderSet,
    row: IndicatorRow,
) -> Result<IndicatorDetail, Problem> {
    let mut results = BTreeMap::new();
    let mut raws: HashMap<i64, String> = enrichment::raw_of(tx, row.id)?.into_iter().collect();
    for result in enrichment::of_indicators(tx, &[row.id])? {
        let raw = raws.remove(&result.provider);
        let raw = raw.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let provider = providers.find(|known| known.row.id == result.provider);
        let malice_rule = provider.zip(raw.as_ref());
        let view = RawEnrichmentResult {
            result: EnrichmentResultView {
                extracted: result.extracted,
                success: result.success,
                malice: result.malice,
                enriched_at: result.enriched_at,
                error: result.error,
                demo: result.is_demo,
                expires_at: Some(result.expires_at),
                malice_rule: malice_rule
                    .and_then(|(provider, raw)| provider.verdicts.in_words(raw)),
            },
            raw,
        };
        results.insert(result.provider_name, view);
    }
    Ok(IndicatorDetail {
        uuid: row.uuid,
        kind: row.kind,
        malice: row.malice,
        malice_source: source_of(&row),
        malice_overridden_at: row.overridden.map(|(_, at)| at),
        first_seen: row.first_seen,
        last_seen: row.last_seen,
        is_enriched: row.is_enriched,
        alert_count: row.alert_count,
        enrichment_results: results,
        created_at: row.first_seen,
        updated_at: row.updated_at,
        value: row.value,
    })
}

impl Engine {
    /// `GET /v1/indicators`.
    pub async fn indicators(
        &self,
        filter: IndicatorFilter,
        order: (IndicatorSort, Direction),
        page: PageNumber,
    ) -> Result<Listed<IndicatorSummary>, Problem> {
        let cap = calseta_store::tables::alert_list::COUNT_CAP;
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(indicator::page(tx, &filter, order, slice(page))?))
            .await?;
        Ok(Listed {
            rows: rows.into_iter().map(summary).collect(),
            total: Some(total.min(cap)),
            total_is_capped: total > cap,
            next_cursor: None,
        })
    }

    /// `GET /v1/indicators/{uuid}`, with the providers' raw answers.
    pub async fn indicator(&self, id: IndicatorId) -> Result<IndicatorDetail, Problem> {
        let providers = self.inner.provider_set();
        self.inner
            .store
            .read(move |tx| detail(tx, &providers, row(tx, id)?))
            .await
    }

    /// `PATCH /v1/indicators/{uuid}`: a verdict overrides, `null` goes back to the providers'. An
    /// empty body changes nothing. An agent's verdict never outranks the analyst's.
    pub async fn patch_indicator(
        &self,
        by: &Principal,
        id: IndicatorId,
        patch: IndicatorPatch,
    ) -> Result<IndicatorDetail, Problem> {
        let wanted = match &patch.malice {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(word) => Patch::Set(
                word.parse::<Malice>()
                    .map_err(|error| Problem::word("malice", error.what, word, error.allowed))?,
            ),
        };
        let author = if by.is_human() {
            VerdictAuthor::Analyst
        } else {
            VerdictAuthor::Agent
        };
        let (change, providers) = (self.change(by), self.inner.provider_set());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let outranked = author == VerdictAuthor::Agent
                    && before
                        .overridden
                        .is_some_and(|(by, _)| by == VerdictAuthor::Analyst);
                if !outranked {
                    judge(tx, &before, &wanted, author, &change)?;
                }
                detail(tx, &providers, row(tx, id)?)
            })
            .await
    }

    /// `GET /v1/alerts/{uuid}/relationship-graph`.
    pub async fn relationship_graph(
        &self,
        id: AlertId,
        sibling_limit: u32,
    ) -> Result<RelationshipGraph, Problem> {
        if sibling_limit == 0 || sibling_limit > MAX_SIBLINGS {
            return Err(Problem::field(
                "sibling_limit",
                format!("must be 1 to {MAX_SIBLINGS}"),
            ));
        }
        let providers = self.inner.provider_set();
        self.inner
            .store
            .read(move |tx| {
                let alert = alerts::row(tx, id)?;
                let evidence = Evidence::read(tx, alert.id, |id| providers.name(id))?;
                let mut siblings: BTreeMap<i64, Vec<GraphAlert>> = BTreeMap::new();
                for sibling in graph::siblings(tx, alert.id, sibling_limit)? {
                    let row = sibling.indicator;
                    siblings.entry(row).or_default().push(node(sibling));
                }
                let indicators = evidence
                    .indicators
                    .iter()
                    .map(|row| GraphIndicator {
                        uuid: row.uuid,
                        kind: row.kind,
                        value: row.value.clone(),
                        malice: row.malice,
                        first_seen: row.first_seen,
                        last_seen: row.last_seen,
                        is_enriched: row.is_enriched,
                        enrichment_summary: in_words(&evidence, row.id),
                        total_alert_count: row.alert_count.saturating_sub(1),
                        sibling_alerts: siblings.remove(&row.id).unwrap_or_default(),
                    })
                    .collect();
                Ok::<_, Problem>(RelationshipGraph {
                    alert: GraphAlert {
                        uuid: alert.uuid,
                        title: alert.title,
                        severity: alert.severity,
                        status: alert.status,
                        source_name: alert.source_name,
                        occurred_at: alert.occurred_at,
                        tags: alert.tags,
                    },
                    indicators,
                })
            })
            .await
    }
}

pub(crate) fn slice(page: PageNumber) -> Slice {
    Slice {
        limit: page.page_size,
        offset: page.offset(),
    }
}

fn node(sibling: Sibling) -> GraphAlert {
    GraphAlert {
        uuid: sibling.uuid,
        title: sibling.title,
        severity: sibling.severity,
        status: sibling.status,
        source_name: sibling.source_name,
        occurred_at: sibling.occurred_at,
        tags: sibling.tags,
    }
}

/// What every provider said, in a word or a number.
fn in_words(evidence: &Evidence, indicator: i64) -> BTreeMap<String, String> {
    evidence
        .of(indicator)
        .map(|result| {
            let text = ["verdict", "malice", "risk_score"]
                .iter()
                .find_map(|key| result.extracted.get(*key))
                .map(|value| {
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned)
                });
            let otherwise = match (result.success, result.malice) {
                (false, _) => "failed".to_owned(),
                (true, Malice::Pending) => "enriched".to_owned(),
                (true, malice) => malice.as_str().to_owned(),
            };
            (result.provider_name.clone(), text.unwrap_or(otherwise))
        })
        .collect()
}

/// Changes a verdict and brings the alerts up to date; nothing when it is that already.
fn judge(
    tx: &WriteTx<'_>,
    before: &IndicatorRow,
    wanted: &Patch<Malice>,
    author: VerdictAuthor,
    change: &Change,
) -> Result<(), Problem> {
    let same = match wanted {
        Patch::Keep => true,
        Patch::Clear => before.overridden.is_none(),
        Patch::Set(malice) => {
            before.malice == *malice && before.overridden.is_some_and(|(by, _)| by == author)
        }
    };
    if same {
        return Ok(());
    }
    match wanted {
        Patch::Set(malice) => {
            indicator::override_malice(tx, before.id, (*malice, author), change.at)?;
        }
        Patch::Clear | Patch::Keep => indicator::reset_malice(tx, before.id, change.at)?,
    }
    let after = row(tx, before.uuid)?;
    let mut detail = Map::new();
    detail.insert("malice".to_owned(), json!([before.malice, after.malice]));
    detail.insert(
        "malice_source".to_owned(),
        json!([source_of(before), source_of(&after)]),
    );
    detail.insert("indicator_type".to_owned(), json!(before.kind));
    detail.insert("indicator_value".to_owned(), json!(before.value));
    let alert = indicator::newest_alert(tx, before.id)?;
    let object = ("indicator", Some(before.uuid.uuid()));
    change.append_to(tx, "indicator.updated", object, alert, detail)?;
    follow(tx, before.id, change)
}

/// The alerts that have the indicator, after its verdict changed.
fn follow(tx: &WriteTx<'_>, indicator: i64, change: &Change) -> Result<(), Problem> {
    let changed: Vec<(AlertId, Malice, Malice)> =
        alert::refresh_malice(tx, indicator, REFRESHED_ALERTS, change.at)?;
    for (alert, before, after) in changed {
        let mut detail = Map::new();
        detail.insert("malice".to_owned(), json!([before, after]));
        let object = ("alert", Some(alert.uuid()));
        change.append_to(tx, "alert.updated", object, Some(alert), detail)?;
    }
    Ok(())
}
