//! Context documents and which of them apply to an alert.

use std::sync::{Arc, PoisonError};

use calseta_contract::Patch;
use calseta_contract::context_document::{DocumentPatch, DocumentRequest, DocumentView};
use calseta_domain::{AlertId, DocumentId, FieldError, Filter, Subject};
use calseta_store::WriteTx;
use calseta_store::tables::Reads;
use calseta_store::tables::alert::AlertRow;
use calseta_store::tables::document::{self, DocumentRow};
use serde_json::{Map, Value, json};

use crate::changes::{Change, differences, named};
use crate::start::Inner;
use crate::{Engine, Principal, Problem, alerts, views};

/// The document types.
const TYPES: &[&str] = &[
    "runbook",
    "ir_plan",
    "sop",
    "playbook",
    "detection_guide",
    "other",
];
/// The longest title.
const TITLE_MAX: usize = 500;
/// The largest targeting rules, as JSON.
const RULES_MAX_BYTES: usize = 64 * 1024;
/// Parsed filters kept; more empties the cache.
const FILTERS_MAX: usize = 10_000;

/// The documents that apply to an alert: global ones first, then those whose rules match.
pub(crate) fn applicable(
    tx: &impl Reads,
    inner: &Inner,
    alert: &AlertRow,
) -> Result<Vec<DocumentRow>, Problem> {
    let subject = Subject {
        source_name: &alert.source_name,
        severity: alert.severity,
        tags: &alert.tags,
    };
    let mut documents = document::candidates(tx)?;
    documents.retain(|document| {
        document.is_global
            || document.targeting_rules.as_ref().is_some_and(|rules| {
                inner
                    .stored_filter("targeting", rules, Filter::parse_targeting)
                    .is_some_and(|filter| filter.matches(&subject))
            })
    });
    let rows: Vec<i64> = documents.iter().map(|document| document.id).collect();
    Ok(document::by_rows(tx, &rows)?)
}

impl Inner {
    /// A stored filter, parsed once per text. `None` when it cannot be read: then it matches
    /// nothing, and the log says so.
    pub(crate) fn stored_filter(
        &self,
        kind: &str,
        value: &Value,
        parse: fn(&Value, &[String]) -> Result<Filter, Vec<FieldError>>,
    ) -> Option<Arc<Filter>> {
        let text = format!("{kind}:{value}");
        let mut filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(filter) = filters.get(&text) {
            return Some(Arc::clone(filter));
        }
        // Stored filters were checked against the sources of their day; no names: any is taken.
        match parse(value, &[]) {
            Ok(filter) => {
                let filter = Arc::new(filter);
                if filters.len() >= FILTERS_MAX {
                    filters.clear();
                }
                filters.insert(text, Arc::clone(&filter));
                Some(filter)
            }
            Err(errors) => {
                tracing::error!(filter.kind = kind, errors = ?errors, "a stored filter cannot be read");
                None
            }
        }
    }
}

pub(crate) fn row(tx: &impl Reads, id: DocumentId) -> Result<DocumentRow, Problem> {
    document::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("context document"))
}

/// The event of a change. Contents are in the history of versions, not in the log.
pub(crate) fn append(
    tx: &WriteTx<'_>,
    row: &DocumentRow,
    change: &Change,
    detail: Map<String, Value>,
) -> Result<(), Problem> {
    change.append(
        tx,
        "document.updated",
        ("document", Some(row.uuid.uuid())),
        detail,
    )
}

fn changes(before: &DocumentRow, after: &DocumentRow) -> Map<String, Value> {
    differences([
        ("title", json!(before.title), json!(after.title)),
        (
            "document_type",
            json!(before.document_type),
            json!(after.document_type),
        ),
        (
            "description",
            json!(before.description),
            json!(after.description),
        ),
        ("is_global", json!(before.is_global), json!(after.is_global)),
        ("tags", json!(before.tags), json!(after.tags)),
        (
            "targeting_rules",
            json!(before.targeting_rules),
            json!(after.targeting_rules),
        ),
        ("version", json!(before.version), json!(after.version)),
    ])
}

fn check(row: &DocumentRow, known_sources: &[String]) -> Result<(), Problem> {
    let mut errors = Vec::new();
    let length = row.title.trim().chars().count();
    if length == 0 || length > TITLE_MAX {
        errors.push(FieldError::new("title", "must have 1 to 500 characters"));
    }
    if !TYPES.contains(&&*row.document_type) {
        errors.push(FieldError::unknown_word(
            "document_type",
            "document type",
            &row.document_type,
            TYPES,
        ));
    }
    if row.content.trim().is_empty() {
        errors.push(FieldError::new("content", "must not be empty"));
    }
    if let Some(rules) = &row.targeting_rules {
        if rules.to_string().len() > RULES_MAX_BYTES {
            errors.push(FieldError::new(
                "targeting_rules",
                "must be at most 64 KB as JSON",
            ));
        } else if let Err(more) = Filter::parse_targeting(rules, known_sources) {
            errors.extend(more);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(&errors))
    }
}

impl Engine {
    /// `POST /v1/context-documents`.
    pub async fn create_document(
        &self,
        by: &Principal,
        request: DocumentRequest,
    ) -> Result<DocumentView, Problem> {
        by.need_human("writing context documents")?;
        let now = self.inner.clock.now();
        let row = DocumentRow {
            id: 0,
            uuid: self.inner.ids.next(),
            title: request.title,
            document_type: request.document_type,
            description: request.description,
            is_global: request.is_global,
            tags: request.tags,
            targeting_rules: request.targeting_rules,
            content: request.content,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        check(&row, &self.inner.source_names())?;
        let (stored, change) = (row.clone(), self.change(by));
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                document::put(tx, &stored, &change.actor.name)?;
                append(tx, &stored, &change, named(&stored.title, "created"))
            })
            .await?;
        Ok(views::document(row))
    }

    /// `PATCH /v1/context-documents/{uuid}`: the version grows when the content changes.
    pub async fn patch_document(
        &self,
        by: &Principal,
        id: DocumentId,
        patch: DocumentPatch,
    ) -> Result<DocumentView, Problem> {
        by.need_human("writing context documents")?;
        let (change, known) = (self.change(by), self.inner.source_names());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let mut after = apply(before.clone(), patch)?;
                check(&after, &known)?;
                if after == before {
                    return Ok(views::document(before));
                }
                if after.content != before.content {
                    after.version += 1;
                }
                after.updated_at = change.at;
                document::put(tx, &after, &change.actor.name)?;
                append(tx, &after, &change, changes(&before, &after))?;
                Ok::<_, Problem>(views::document(after))
            })
            .await
    }

    /// `DELETE /v1/context-documents/{uuid}`.
    pub async fn delete_document(&self, by: &Principal, id: DocumentId) -> Result<(), Problem> {
        by.need_human("deleting context documents")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = row(tx, id)?;
                document::delete(tx, id)?;
                append(tx, &row, &change, named(&row.title, "deleted"))
            })
            .await
    }

    /// `GET /v1/context-documents/{uuid}`.
    pub async fn document(&self, id: DocumentId) -> Result<DocumentView, Problem> {
        let row = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(document::by_uuid(tx, id)?))
            .await?;
        row.map(views::document)
            .ok_or_else(|| Problem::not_found("context document"))
    }

    /// `GET /v1/alerts/{uuid}/context`: the documents that apply now.
    pub async fn alert_context(&self, id: AlertId) -> Result<Vec<DocumentView>, Problem> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .store
            .read(move |tx| {
                let row = alerts::row(tx, id)?;
                let documents = applicable(tx, &inner, &row)?;
                Ok::<_, Problem>(documents.into_iter().map(views::document).collect())
            })
            .await
    }
}

/// A field that `null` cannot clear.
pub(crate) fn set<T>(errors: &mut Vec<FieldError>, path: &str, field: &mut T, patch: Patch<T>) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => errors.push(FieldError::new(
            path,
            "cannot be null; leave it out to keep it",
        )),
        Patch::Set(value) => *field = value,
    }
}

fn apply(mut row: DocumentRow, patch: DocumentPatch) -> Result<DocumentRow, Problem> {
    let mut errors = Vec::new();
    set(&mut errors, "title", &mut row.title, patch.title);
    set(
        &mut errors,
        "document_type",
        &mut row.document_type,
        patch.document_type,
    );
    set(&mut errors, "content", &mut row.content, patch.content);
    set(
        &mut errors,
        "is_global",
        &mut row.is_global,
        patch.is_global,
    );
    row.description = patch.description.apply(row.description);
    row.tags = patch.tags.apply(Some(row.tags)).unwrap_or_default();
    row.targeting_rules = patch.targeting_rules.apply(row.targeting_rules);
    if errors.is_empty() {
        Ok(row)
    } else {
        Err(Problem::fields(&errors))
    }
}
