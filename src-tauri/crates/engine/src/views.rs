//! Rows to views: what the store holds, in the words of the wire.

use std::collections::{BTreeMap, HashMap};

use calseta_contract::alert::{
    AlertMetadata, AlertSummary, EnrichmentMetadata, EnrichmentResultView, FindingSummary,
    IndicatorView, KeyIndicator,
};
use calseta_contract::context_document::DocumentView;
use calseta_contract::detection_rule::RuleView;
use calseta_contract::event::{ActorView, EventView, ObjectView};
use calseta_contract::triage::{ChecklistMark, NoteView};
use calseta_domain::Timestamp;
use calseta_store::tables::alert::AlertRow;
use calseta_store::tables::checklist::{self, MarkRow};
use calseta_store::tables::detection_rule::RuleRow;
use calseta_store::tables::document::DocumentRow;
use calseta_store::tables::enrichment::{self, EnrichmentRow};
use calseta_store::tables::event::EventRow;
use calseta_store::tables::indicator::{self, IndicatorLink, IndicatorRow};
use calseta_store::tables::note::{self, NoteRow};
use calseta_store::tables::{Reads, alert_list, finding, job};

use serde_json::Value;

use crate::providers::ProviderSet;
use crate::{Problem, attack_names};

/// Bytes of raw answers that are read to tell which rules gave the verdicts of one alert.
const MAX_RAW_BYTES: usize = 2 * 1024 * 1024;
/// Indicators shown in a row of the queue.
const KEY_INDICATORS: u32 = 2;

/// Alerts as rows of a list.
pub(crate) fn summaries(tx: &impl Reads, rows: &[AlertRow]) -> Result<Vec<AlertSummary>, Problem> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut findings: HashMap<i64, Vec<FindingSummary>> = HashMap::new();
    for (alert, agent, verdict) in finding::summaries(tx, &ids)? {
        findings
            .entry(alert)
            .or_default()
            .push(FindingSummary { agent, verdict });
    }
    let mut indicators: HashMap<i64, Vec<KeyIndicator>> = HashMap::new();
    for row in alert_list::key_indicators(tx, &ids, KEY_INDICATORS)? {
        indicators.entry(row.alert).or_default().push(KeyIndicator {
            kind: row.kind,
            value: row.value,
            malice: row.malice,
        });
    }
    Ok(rows
        .iter()
        .map(|row| {
            let found = findings.remove(&row.id).unwrap_or_default();
            summary(row, found, indicators.remove(&row.id).unwrap_or_default())
        })
        .collect())
}

fn summary(
    row: &AlertRow,
    findings: Vec<FindingSummary>,
    indicators: Vec<KeyIndicator>,
) -> AlertSummary {
    AlertSummary {
        uuid: row.uuid,
        title: row.title.clone(),
        description: row.description.clone(),
        severity: row.severity,
        status: row.status,
        enrichment_status: row.enrichment_status,
        source_name: row.source_name.clone(),
        occurred_at: row.occurred_at,
        ingested_at: row.ingested_at,
        is_enriched: row.enriched_at.is_some(),
        duplicate_count: row.duplicate_count,
        tags: row.tags.clone(),
        close_classification: row.close_classification,
        closed_at: row.closed_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        malice: row.effective_malice(),
        source_url: row.source_url.clone(),
        finding_summary: findings,
        duplicate_of: row.duplicate_of,
        key_indicators: indicators,
        detection_rule_name: row.rule_name.clone(),
        snoozed_until: row.snoozed_until,
        is_unread: row.is_unread,
        is_flagged: row.is_flagged,
        suppressed_by: row.suppressed_by,
        note_count: row.note_count,
        delivery_state: row.delivery_state.map(|state| state.as_str().to_owned()),
        disagree: row.disagree,
    }
}

/// An alert's notes, oldest first.
pub(crate) fn notes(tx: &impl Reads, alert: i64) -> Result<Vec<NoteView>, Problem> {
    let rows = note::of_alert(tx, alert)?;
    let view = |row: NoteRow| NoteView {
        uuid: row.uuid,
        text: row.text,
        author: row.author,
        author_kind: row.author_kind,
        created_at: row.created_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The marks on an alert's checklists.
pub(crate) fn marks(tx: &impl Reads, alert: i64) -> Result<Vec<ChecklistMark>, Problem> {
    let rows = checklist::of_alert(tx, alert)?;
    Ok(rows.into_iter().map(mark).collect())
}

/// An item of a checklist that somebody ticked or unticked.
pub(crate) fn mark(row: MarkRow) -> ChecklistMark {
    ChecklistMark {
        document_uuid: row.document,
        item: u64::from(row.item),
        done: row.is_done,
        by: row.author,
        at: row.at,
    }
}

/// An alert's indicators with what the providers said.
pub(crate) struct Evidence {
    pub(crate) indicators: Vec<IndicatorRow>,
    pub(crate) results: Vec<EnrichmentRow>,
    /// Names of providers that have not answered yet.
    pub(crate) pending: Vec<String>,
    /// How each indicator came to the alert.
    pub(crate) links: HashMap<i64, IndicatorLink>,
}

impl Evidence {
    /// Reads it. `names` tells a provider's name from its row.
    pub(crate) fn read(
        tx: &impl Reads,
        alert: i64,
        names: impl Fn(i64) -> Option<String>,
    ) -> Result<Self, Problem> {
        let indicators = indicator::of_alert(tx, alert)?;
        let ids: Vec<i64> = indicators.iter().map(|row| row.id).collect();
        let results = enrichment::of_indicators(tx, &ids)?;
        let mut pending: Vec<String> = job::outstanding_providers(tx, alert)?
            .into_iter()
            .filter_map(names)
            .collect();
        pending.sort();
        let links = indicator::links(tx, alert)?.into_iter();
        Ok(Self {
            indicators,
            results,
            pending,
            links: links.map(|link| (link.indicator, link)).collect(),
        })
    }

    /// The results about one indicator.
    pub(crate) fn of(&self, indicator: i64) -> impl Iterator<Item = &EnrichmentRow> {
        self.results
            .iter()
            .filter(move |row| row.indicator == indicator)
    }

    /// Providers by outcome: one that failed for any indicator has failed.
    pub(crate) fn outcome(&self, enriched_at: Option<Timestamp>) -> EnrichmentMetadata {
        // By row: the order in which providers were set up.
        let all: BTreeMap<i64, &str> = self
            .results
            .iter()
            .map(|result| (result.provider, &*result.provider_name))
            .collect();
        let has_failed = |row: i64| {
            let mut of_provider = self.results.iter().filter(|result| result.provider == row);
            of_provider.any(|result| !result.success)
        };
        let (failed, succeeded): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(row, _)| has_failed(*row));
        let names = |pairs: Vec<(i64, &str)>| {
            let owned = pairs.into_iter().map(|(_, name)| name.to_owned());
            owned.collect()
        };
        EnrichmentMetadata {
            succeeded: names(succeeded),
            failed: names(failed),
            enriched_at,
            pending: self.pending.clone(),
        }
    }

    /// As the API shows it.
    pub(crate) fn views(&self) -> Vec<IndicatorView> {
        self.indicators.iter().map(|row| self.view(row)).collect()
    }

    /// [`Self::views`], with the rules that gave the verdicts.
    pub(crate) fn explained(
        &self,
        tx: &impl Reads,
        providers: &ProviderSet,
    ) -> Result<Vec<IndicatorView>, Problem> {
        let mut views = self.views();
        let rows = self.indicators.iter().map(|row| row.id);
        let results = views.iter_mut().map(|view| &mut view.enrichment_results);
        let mut pairs: Vec<_> = rows.zip(results).collect();
        tell_rules(tx, providers, &mut pairs)?;
        drop(pairs);
        Ok(views)
    }

    fn view(&self, row: &IndicatorRow) -> IndicatorView {
        let results: BTreeMap<_, _> = self
            .of(row.id)
            .map(|result| {
                let view = EnrichmentResultView {
                    extracted: result.extracted.clone(),
                    success: result.success,
                    malice: result.malice,
                    enriched_at: result.enriched_at,
                    error: result.error.clone(),
                    demo: result.is_demo,
                    expires_at: Some(result.expires_at),
                    malice_rule: None,
                };
                (result.provider_name.clone(), view)
            })
            .collect();
        IndicatorView {
            uuid: row.uuid,
            kind: row.kind,
            value: row.value.clone(),
            malice: row.malice,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            is_enriched: results.values().any(|r| r.enriched_at.is_some()),
            enrichment_results: results,
            malice_override: row.overridden.map(|_| row.malice),
            malice_override_source: row.overridden.map(|(by, _)| by.as_str().to_owned()),
            alert_count: row.alert_count,
            extracted_by: self.links.get(&row.id).map(|link| link.pass.clone()),
            extracted_from: self
                .links
                .get(&row.id)
                .map(|link| link.path.clone())
                .filter(|path| !path.is_empty()),
        }
    }
}

/// Adds to some indicators' results which rule gave the verdict, from the providers' raw answers.
pub(crate) fn tell_rules(
    tx: &impl Reads,
    providers: &ProviderSet,
    indicators: &mut [(i64, &mut BTreeMap<String, EnrichmentResultView>)],
) -> Result<(), Problem> {
    let mut bytes_left = MAX_RAW_BYTES;
    for (indicator, results) in indicators {
        for (provider, raw) in enrichment::raw_of(tx, *indicator)? {
            let Some(left) = usize::checked_sub(bytes_left, raw.len()) else {
                return Ok(());
            };
            bytes_left = left;
            let provider = providers.find(|known| known.row.id == provider);
            let answer = serde_json::from_str::<Value>(&raw).ok();
            if let (Some(provider), Some(answer)) = (provider, answer)
                && let Some(result) = results.get_mut(&provider.row.name)
            {
                result.malice_rule = provider.verdicts.in_words(&answer);
            }
        }
    }
    Ok(())
}

/// `_metadata`.
pub(crate) fn metadata(
    alert: &AlertRow,
    evidence: &Evidence,
    documents: usize,
    now: Timestamp,
) -> AlertMetadata {
    AlertMetadata {
        generated_at: now,
        alert_source: alert.source_name.clone(),
        indicator_count: evidence.indicators.len() as u64,
        enrichment: evidence.outcome(alert.enriched_at),
        detection_rule_matched: alert.rule.is_some(),
        context_documents_applied: documents as u64,
    }
}

/// A rule.
pub(crate) fn rule(row: RuleRow) -> RuleView {
    let of_attack = [
        &row.mitre_tactics,
        &row.mitre_techniques,
        &row.mitre_subtechniques,
    ];
    RuleView {
        mitre_names: attack_names::names(of_attack.into_iter().flatten()),
        uuid: row.uuid,
        name: row.name,
        source_rule_id: row.source_rule_id,
        source_name: row.source_name,
        severity: row.severity,
        is_active: row.is_active,
        mitre_tactics: row.mitre_tactics,
        mitre_techniques: row.mitre_techniques,
        mitre_subtechniques: row.mitre_subtechniques,
        data_sources: row.data_sources,
        run_frequency: row.run_frequency,
        created_by: row.created_by,
        documentation: row.documentation,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// A document.
pub(crate) fn document(row: DocumentRow) -> DocumentView {
    DocumentView {
        uuid: row.uuid,
        title: row.title,
        document_type: row.document_type,
        description: row.description,
        is_global: row.is_global,
        tags: row.tags,
        targeting_rules: row.targeting_rules,
        content: row.content,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// An event.
pub(crate) fn event(row: EventRow) -> EventView {
    EventView {
        seq: row.seq,
        kind: row.kind,
        at: row.at,
        actor: ActorView {
            kind: row.actor.kind,
            name: row.actor.name,
            key_prefix: row.actor.key_prefix,
        },
        object: ObjectView {
            kind: row.object_kind,
            uuid: row.object_uuid,
        },
        alert_uuid: row.alert,
        changed: row.detail.unwrap_or_default(),
    }
}
