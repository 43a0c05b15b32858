//! The payload for an agent: built once per alert and generation, frozen as bytes.

use calseta_contract::alert::{AlertMetadata, EnrichmentMetadata};
use calseta_contract::payload::{
    AgentPayload, PayloadAlert, PayloadDocument, PayloadEnrichment, PayloadIndicator, PayloadRule,
};
use calseta_domain::{AlertId, AlertStatus, ErrorCode, Severity, Timestamp};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::{Reads, detection_rule};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::start::Inner;
use crate::views::{self, Evidence};
use crate::{Problem, alerts, documents};

/// Bytes to be sent, with their hash.
#[derive(Debug, Clone)]
pub(crate) struct Frozen {
    pub(crate) body: Vec<u8>,
    pub(crate) sha256: [u8; 32],
}

fn freeze(payload: &AgentPayload<'_>) -> Result<Frozen, Problem> {
    let body = serde_json::to_vec(payload)
        .map_err(|_| Problem::new(ErrorCode::Internal, "a payload could not be written"))?;
    Ok(Frozen {
        sha256: Sha256::digest(&body).into(),
        body,
    })
}

/// The payload of an alert as it stands in this snapshot.
pub(crate) fn of_alert(
    tx: &impl Reads,
    inner: &Inner,
    (row, evidence): (&AlertRow, &Evidence),
    (base_url, test): (&str, bool),
    now: Timestamp,
) -> Result<Frozen, Problem> {
    let documents = documents::applicable(tx, inner, row)?;
    let rule = row
        .rule
        .map(|id| detection_rule::by_row(tx, id))
        .transpose()?
        .flatten();
    let raw = alert::raw_payload(tx, row.id)?.unwrap_or_else(|| "{}".to_owned());
    let raw = alerts::raw_value(raw)?;
    freeze(&AgentPayload {
        event: "alert.enriched",
        alert: PayloadAlert {
            uuid: row.uuid,
            title: row.title.clone(),
            severity: row.severity,
            source_name: row.source_name.clone(),
            status: row.status,
            occurred_at: row.occurred_at,
            tags: row.tags.clone(),
            raw_payload: &raw,
            metadata: views::metadata(row, evidence, documents.len(), now),
            description: row.description.clone(),
            source_url: row.source_url.clone(),
        },
        indicators: indicators(evidence),
        detection_rule: rule.map(|rule| PayloadRule {
            name: rule.name,
            mitre_tactics: rule.mitre_tactics,
            mitre_techniques: rule.mitre_techniques,
            documentation: rule.documentation.unwrap_or_default(),
        }),
        context_documents: documents
            .into_iter()
            .map(|document| PayloadDocument {
                title: document.title,
                doc_type: document.document_type,
                content: document.content,
            })
            .collect(),
        workflows: Vec::new(),
        calseta_api_base_url: base_url.to_owned(),
        test,
    })
}

fn indicators(evidence: &Evidence) -> Vec<PayloadIndicator> {
    evidence
        .indicators
        .iter()
        .map(|row| PayloadIndicator {
            kind: row.kind,
            value: row.value.clone(),
            malice: row.malice,
            enrichment_results: evidence
                .of(row.id)
                .map(|result| {
                    let answer = PayloadEnrichment {
                        extracted: result.extracted.clone(),
                        success: result.success,
                        error: result.error.clone(),
                        demo: result.is_demo,
                    };
                    (result.provider_name.clone(), answer)
                })
                .collect(),
            uuid: row.uuid,
        })
        .collect()
}

/// A test alert, made up and marked as such.
pub(crate) fn made_up(
    source_name: &str,
    base_url: &str,
    now: Timestamp,
) -> Result<Frozen, Problem> {
    let raw: Box<RawValue> =
        alerts::raw_value(r#"{"note":"a test from Calseta Console"}"#.to_owned())?;
    freeze(&AgentPayload {
        event: "alert.enriched",
        alert: PayloadAlert {
            uuid: AlertId::new(Uuid::nil()),
            title: "Calseta test webhook".to_owned(),
            severity: Severity::Low,
            source_name: source_name.to_owned(),
            status: AlertStatus::Open,
            occurred_at: now,
            tags: vec!["test".to_owned()],
            raw_payload: &raw,
            metadata: AlertMetadata {
                generated_at: now,
                alert_source: source_name.to_owned(),
                indicator_count: 0,
                enrichment: EnrichmentMetadata {
                    enriched_at: Some(now),
                    ..Default::default()
                },
                detection_rule_matched: false,
                context_documents_applied: 0,
            },
            description: Some(
                "Nothing happened: this checks that the agent can be reached.".to_owned(),
            ),
            source_url: None,
        },
        indicators: Vec::new(),
        detection_rule: None,
        context_documents: Vec::new(),
        workflows: Vec::new(),
        calseta_api_base_url: base_url.to_owned(),
        test: true,
    })
}
