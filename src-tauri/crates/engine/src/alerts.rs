//! Alerts: reading them, and what people and agents may change of them.

use calseta_contract::Patch;
use calseta_contract::alert::{ActivityView, AlertMetadata, AlertPatch, AlertSummary, AlertView};
use calseta_domain::{
    AlertId, AlertStatus, CloseClassification, FieldError, Malice, Severity, Timestamp,
};
use calseta_store::WriteTx;
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::alert_list::{self, AlertQuery, COUNT_CAP, Counting};
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::{Reads, detection_rule};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::views::{self, Evidence};
use crate::{Engine, Listed, PageNumber, Principal, Problem, activity_words, documents, findings};

pub use alert_list::AlertQuery as AlertListQuery;

/// The most tags an alert has.
const MAX_TAGS: usize = 50;
/// The longest tag.
const MAX_TAG_CHARS: usize = 100;

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
                    indicators: evidence.views(),
                    detection_rule: rule.map(views::rule),
                    context_documents: documents.into_iter().map(views::document).collect(),
                    agent_findings: findings::of_alert(tx, row.id)?,
                    last_viewed_at: row.last_viewed_at,
                    notes: views::notes(tx, row.id)?,
                    checklist: views::marks(tx, row.id)?,
                    raw_payload: raw_value(raw)?,
                };
                Ok::<_, Problem>((view, metadata))
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
                Ok::<_, Problem>(Evidence::read(tx, row.id, |id| providers.name(id))?.views())
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

    /// `PATCH /v1/alerts/{uuid}`. What it already has is no change and no event.
    pub async fn patch_alert(
        &self,
        by: &Principal,
        id: AlertId,
        patch: AlertPatch,
    ) -> Result<(), Problem> {
        let change = Change::parse(patch)?;
        let (now, actor, by_agent) = (self.inner.clock.now(), self.actor(by), !by.is_human());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let after = change.apply(before.clone(), by_agent, now)?;
                record(tx, &before, after, &actor, now)
            })
            .await
    }

    /// `POST /v1/alerts/{uuid}/reopen`: Closed → Open, and the closing is forgotten.
    pub async fn reopen_alert(&self, by: &Principal, id: AlertId) -> Result<(), Problem> {
        let (now, actor) = (self.inner.clock.now(), self.actor(by));
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                if before.status != AlertStatus::Closed {
                    return Err(Problem::new(
                        calseta_domain::ErrorCode::InvalidTransition,
                        format!(
                            "only a closed alert can be reopened; this one is {}",
                            before.status
                        ),
                    ));
                }
                let mut after = before.clone();
                after.status = AlertStatus::Open;
                after.close_classification = None;
                after.closed_at = None;
                record(tx, &before, after, &actor, now)
            })
            .await
    }
}

/// A PATCH with every word understood.
struct Change {
    status: Option<AlertStatus>,
    severity: Option<Severity>,
    classification: Patch<CloseClassification>,
    tags: Option<Vec<String>>,
    malice: Patch<Malice>,
}

fn required<T: std::str::FromStr<Err = calseta_domain::UnknownWord>>(
    errors: &mut Vec<FieldError>,
    path: &str,
    patch: Patch<String>,
) -> Option<T> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => {
            errors.push(FieldError::new(
                path,
                "cannot be null; leave it out to keep it",
            ));
            None
        }
        Patch::Set(text) => parse(errors, path, &text),
    }
}

fn optional<T: std::str::FromStr<Err = calseta_domain::UnknownWord>>(
    errors: &mut Vec<FieldError>,
    path: &str,
    patch: Patch<String>,
) -> Patch<T> {
    match patch {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(text) => parse(errors, path, &text).map_or(Patch::Keep, Patch::Set),
    }
}

fn parse<T: std::str::FromStr<Err = calseta_domain::UnknownWord>>(
    errors: &mut Vec<FieldError>,
    path: &str,
    text: &str,
) -> Option<T> {
    text.parse()
        .map_err(|error: calseta_domain::UnknownWord| {
            errors.push(FieldError::unknown_word(
                path,
                error.what,
                text,
                error.allowed,
            ));
        })
        .ok()
}

fn tags(errors: &mut Vec<FieldError>, patch: Patch<Vec<String>>) -> Option<Vec<String>> {
    let tags = match patch {
        Patch::Keep => return None,
        Patch::Clear => return Some(Vec::new()),
        Patch::Set(tags) => tags,
    };
    if tags.len() > MAX_TAGS {
        errors.push(FieldError::new("tags", format!("at most {MAX_TAGS} tags")));
    }
    let mut kept: Vec<String> = Vec::new();
    for (n, tag) in tags.into_iter().enumerate() {
        let tag = tag.trim();
        if tag.is_empty() || tag.chars().count() > MAX_TAG_CHARS {
            let message = format!("must have 1 to {MAX_TAG_CHARS} characters");
            errors.push(FieldError::new(format!("tags.{n}"), message));
        } else if !kept.iter().any(|known| known == tag) {
            kept.push(tag.to_owned());
        }
    }
    Some(kept)
}

impl Change {
    fn parse(patch: AlertPatch) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut malice = optional(&mut errors, "malice_override", patch.malice_override);
        if patch.reset_malice_override {
            malice = Patch::Clear;
        }
        let change = Self {
            status: required(&mut errors, "status", patch.status),
            severity: required(&mut errors, "severity", patch.severity),
            classification: optional(
                &mut errors,
                "close_classification",
                patch.close_classification,
            ),
            tags: tags(&mut errors, patch.tags),
            malice,
        };
        if errors.is_empty() {
            Ok(change)
        } else {
            Err(Problem::fields(&errors))
        }
    }

    fn apply(
        &self,
        mut row: AlertRow,
        by_agent: bool,
        now: Timestamp,
    ) -> Result<AlertRow, Problem> {
        row.close_classification = self.classification.clone().apply(row.close_classification);
        if let Some(status) = self.status {
            row.status = row.status.change(status)?;
        }
        if row.status == AlertStatus::Closed && row.close_classification.is_none() {
            return Err(Problem::fields(&[FieldError {
                allowed: Some(
                    CloseClassification::WORDS
                        .iter()
                        .map(|w| (*w).to_owned())
                        .collect(),
                ),
                ..FieldError::new(
                    "close_classification",
                    "a closed alert needs one; send it with the status",
                )
            }]));
        }
        if row.status != AlertStatus::Open {
            row.acknowledged_at = row.acknowledged_at.or(Some(now));
        }
        match row.status {
            AlertStatus::Triaging => row.triaged_at = row.triaged_at.or(Some(now)),
            AlertStatus::Closed => row.closed_at = row.closed_at.or(Some(now)),
            AlertStatus::Open | AlertStatus::Escalated => {}
        }
        if let Some(severity) = self.severity {
            row.severity = severity;
        }
        if let Some(tags) = &self.tags {
            row.tags.clone_from(tags);
        }
        // An agent's verdict never outranks the analyst's.
        let analyst_decided = row.malice_override.is_some() && !row.malice_override_by_agent;
        let outranked = by_agent && analyst_decided;
        if !self.malice.is_keep() && !outranked {
            let before = row.malice_override;
            row.malice_override = self.malice.clone().apply(before);
            row.malice_override_by_agent = row.malice_override.is_some() && by_agent;
            if row.malice_override != before {
                row.malice_override_at = row.malice_override.map(|_| now);
            }
        }
        Ok(row)
    }
}

/// Stores what changed, with its events; nothing when nothing did.
fn record(
    tx: &WriteTx<'_>,
    before: &AlertRow,
    mut after: AlertRow,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Problem> {
    let changed = differences(before, &after);
    if changed.is_empty() {
        return Ok(());
    }
    after.updated_at = now;
    alert::update(tx, &after)?;
    let kind = match (before.status, after.status) {
        (AlertStatus::Closed, AlertStatus::Open) => "alert.reopened",
        (from, AlertStatus::Closed) if from != AlertStatus::Closed => "alert.closed",
        _ => "alert.updated",
    };
    event::append(
        tx,
        NewEvent {
            at: now,
            actor,
            kind,
            object: ("alert", Some(before.uuid.uuid())),
            alert: Some(before.uuid),
            detail: changed,
        },
    )?;
    Ok(())
}

/// Field to `[old, new]` of what differs.
fn differences(before: &AlertRow, after: &AlertRow) -> Map<String, Value> {
    let pairs = [
        ("status", json!(before.status), json!(after.status)),
        ("severity", json!(before.severity), json!(after.severity)),
        (
            "close_classification",
            json!(before.close_classification),
            json!(after.close_classification),
        ),
        ("tags", json!(before.tags), json!(after.tags)),
        (
            "malice_override",
            json!(before.malice_override),
            json!(after.malice_override),
        ),
    ];
    pairs
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| (name.to_owned(), json!([old, new])))
        .collect()
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
