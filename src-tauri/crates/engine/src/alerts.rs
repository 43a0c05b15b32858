//! Alerts: reading them. What people and agents may change of them is in `triage`.

use calseta_contract::alert::{ActivityView, AlertMetadata, AlertSummary, AlertView};
use calseta_domain::AlertId;
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::alert_list::{self, AlertQuery, COUNT_CAP, Counting};
use calseta_store::tables::event;
use calseta_store::tables::{Reads, detection_rule};
use serde_json::value::RawValue;

use crate::views::{self, Evidence};
use crate::{Engine, Listed, PageNumber, Problem, activity_words, documents, findings};

pub use alert_list::AlertQuery as AlertListQuery;

/// The row of an alert, or a 404.
pub(crate) fn row(tx: &impl Reads, id: AlertId) -> Result<AlertRow, Problem> {
    alert::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("alert"))
}

impl Engine {
    /// A page of alerts. A source that is not known is refused: an empty page would hide a typo.
    pub async fn alerts(&self, query: AlertQuery) -> Result<Listed<AlertSummary>, Problem> {
        let known = self.inner.source_names();
        let named = &query.filter.source_name;
        if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
            return Err(Problem::word("source_name", "source", unknown, &known));
        }
        let capped = query.counting == Counting::Capped;
        let (rows, page) = self
            .inner
            .store
            .read(move |tx| {
                let page = alert_list::page(tx, &query)?;
                Ok::<_, Problem>((views::summaries(tx, &page.rows)?, page))
            })
            .await?;
        let next_cursor = page.next.map(|next| cursor_text(&next));
        let over = capped && page.total.is_some_and(|total| total > COUNT_CAP);
        let total = page.total.map(|total| if over { COUNT_CAP } else { total });
        Ok(Listed {
            rows,
            total,
            total_is_capped: over,
            next_cursor,
        })
    }

    /// One alert with everything about it.
    pub async fn alert(&self, id: AlertId) -> Result<(AlertView, AlertMetadata), Problem> {
        let inner = std::sync::Arc::clone(&self.inner);
        let now = inner.clock.now();
        let providers = inner.provider_set();
        self.inner
            .store
            .read(move |tx| {
                let row = row(tx, id)?;
                let evidence = Evidence::read(tx, row.id, |id| providers.name(id))?;
                let documents = documents::applicable(tx, &inner, &row)?;
                let metadata = views::metadata(&row, &evidence, documents.len(), now);
                let rule = row
                    .rule
                    .map(|id| detection_rule::by_row(tx, id))
                    .transpose()?
                    .flatten();
                let summary = views::summaries(tx, std::slice::from_ref(&row))?
                    .pop()
                    .ok_or_else(|| Problem::not_found("alert"))?;
                let raw = alert::raw_payload(tx, row.id)?.unwrap_or_else(|| "{}".to_owned());
                let view = AlertView {
                    summary,
                    enriched_at: row.enriched_at,
                    fingerprint: hex(row.fingerprint),
                    last_seen_at: (row.duplicate_count > 0).then_some(row.last_seen_at),
                    acknowledged_at: row.acknowledged_at,
                    triaged_at: row.triaged_at,
                    malice_override: row.malice_override,
                    malice_override_source: row.malice_override.map(|_| {
                        let source = if row.malice_override_by_agent {
                            "agent"
                        } else {
                            "analyst"
                        };
                        source.to_owned()
                    }),
                    malice_override_at: row.malice_override_at,
                    indicators: evidence.explained(tx, &providers)?,
                    detection_rule: rule.map(views::rule),
                    context_documents: documents.into_iter().map(views::document).collect(),
                    agent_findings: findings::of_alert(tx, &inner, &row)?,
                    last_viewed_at: row.last_viewed_at,
                    notes: views::notes(tx, row.id)?,
                    checklist: views::marks(tx, row.id)?,
                    raw_payload: raw_value(raw)?,
                };
                Ok::<_, Problem>((view, metadata))
            })
            .await
    }

    /// An alert as a row of the list.
    pub async fn alert_summary(&self, id: AlertId) -> Result<AlertSummary, Problem> {
        self.inner
            .store
            .read(move |tx| {
                let row = row(tx, id)?;
                let mut rows = views::summaries(tx, std::slice::from_ref(&row))?;
                rows.pop().ok_or_else(|| Problem::not_found("alert"))
            })
            .await
    }

    /// An alert's indicators.
    pub async fn alert_indicators(
        &self,
        id: AlertId,
    ) -> Result<Vec<calseta_contract::alert::IndicatorView>, Problem> {
        let providers = self.inner.provider_set();
        self.inner
            .store
            .read(move |tx| {
                let row = row(tx, id)?;
                let evidence = Evidence::read(tx, row.id, |id| providers.name(id))?;
                evidence.explained(tx, &providers)
            })
            .await
    }

    /// An alert's activity, newest first.
    pub async fn alert_activity(
        &self,
        id: AlertId,
        page: PageNumber,
    ) -> Result<Listed<ActivityView>, Problem> {
        let limit = u32::try_from(page.page_size).unwrap_or(u32::MAX);
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| {
                row(tx, id)?;
                Ok::<_, Problem>(event::of_alert(tx, id, limit, page.offset())?)
            })
            .await?;
        let rows = rows.into_iter().map(activity_words::entry).collect();
        Ok(Listed::counted(rows, total))
    }
}

/// The sender's JSON as it stands in an answer.
pub(crate) fn raw_value(raw: String) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(raw).map_err(|_| {
        Problem::new(
            calseta_domain::ErrorCode::Internal,
            "a stored payload cannot be read",
        )
    })
}

pub(crate) fn hex(bytes: [u8; 32]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
}

/// An opaque cursor.
fn cursor_text(place: &alert_list::Keyset) -> String {
    use base64::Engine as _;
    let json = serde_json::to_vec(place).unwrap_or_default();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json)
}

/// Reads a cursor that [`Engine::alerts`] gave.
pub(crate) fn cursor(text: &str) -> Result<alert_list::Keyset, Problem> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| Problem::field("cursor", "is none of ours; take it from meta.next_cursor"))
}

impl Engine {
    /// Reads a cursor of a list of alerts.
    pub fn alert_cursor(text: &str) -> Result<alert_list::Keyset, Problem> {
        cursor(text)
    }
}
