//! The fields that are taken out of providers' answers: rows of their own, so that a person can
//! switch one off or add another without touching the provider.

use calseta_contract::enrichment::{
    ExtractionBulkRequest, ExtractionPatch, ExtractionRequest, ExtractionView,
};
use calseta_domain::step::ValueType;
use calseta_domain::{ErrorCode, ExtractionId, FieldError, IndicatorType, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::Slice;
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::extraction::{self, ExtractionFilter, ExtractionRow};
use serde_json::{Map, json};

use crate::clock::Ids;
use crate::documents::set;
use crate::providers::named_provider;
use crate::{Engine, Listed, PageNumber, Principal, Problem};

/// The longest path.
const PATH_MAX: usize = 500;
/// The longest key.
const KEY_MAX: usize = 100;
/// The most rules of one request.
const BULK_MAX: usize = 100;

fn view(row: ExtractionRow) -> ExtractionView {
    ExtractionView {
        uuid: row.uuid,
        provider_name: row.provider_name,
        indicator_type: row.indicator_type,
        source_path: row.source_path,
        target_key: row.target_key,
        value_type: row.value_type.as_str().to_owned(),
        is_active: row.is_active,
        is_system: row.is_system,
        description: row.description,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn not_found() -> Problem {
    Problem::not_found("field extraction")
}

/// A request's words. Errors begin with `at`, which is empty or `extractions.3.`.
struct Words {
    kind: Option<IndicatorType>,
    value_type: Option<ValueType>,
}

fn read(request: &ExtractionRequest, at: &str, errors: &mut Vec<FieldError>) -> Words {
    let word = request.indicator_type.as_str();
    let kind = word.parse().ok();
    if kind.is_none() {
        let path = format!("{at}indicator_type");
        let words = IndicatorType::WORDS;
        errors.push(FieldError::unknown_word(
            path,
            "indicator type",
            word,
            words,
        ));
    }
    texts(at, (&request.source_path, &request.target_key), errors);
    let word = request.value_type.as_deref().unwrap_or("string");
    let value_type = value_type(at, word, errors);
    Words { kind, value_type }
}

fn value_type(at: &str, word: &str, errors: &mut Vec<FieldError>) -> Option<ValueType> {
    let parsed = word.parse().ok();
    if parsed.is_none() {
        let path = format!("{at}value_type");
        let words = ValueType::WORDS;
        errors.push(FieldError::unknown_word(path, "value type", word, words));
    }
    parsed
}

fn texts(at: &str, (path, key): (&str, &str), errors: &mut Vec<FieldError>) {
    for (name, text, max) in [
        ("source_path", path, PATH_MAX),
        ("target_key", key, KEY_MAX),
    ] {
        let length = text.trim().chars().count();
        if length == 0 || length > max || text.chars().any(char::is_control) {
            let message = format!("must have 1 to {max} characters");
            errors.push(FieldError::new(format!("{at}{name}"), message));
        }
    }
}

fn duplicate(row: &ExtractionRow) -> Problem {
    let message = format!(
        "{} has a field from {:?} for {} already; change that one",
        row.provider_name, row.source_path, row.indicator_type
    );
    Problem::new(ErrorCode::DuplicateExtraction, message)
}

/// Stores checked requests, all or none.
fn insert(
    tx: &WriteTx<'_>,
    requests: &[(ExtractionRequest, IndicatorType, ValueType)],
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<ExtractionView>, Problem> {
    let mut views = Vec::new();
    for (request, kind, value_type) in requests {
        let provider = named_provider(tx, &request.provider_name)?;
        let row = ExtractionRow {
            id: 0,
            uuid: Ids.next(),
            provider: provider.id,
            provider_name: provider.name,
            indicator_type: *kind,
            source_path: request.source_path.trim().to_owned(),
            target_key: request.target_key.trim().to_owned(),
            value_type: *value_type,
            is_active: request.is_active.unwrap_or(true),
            is_system: false,
            description: request.description.clone(),
            created_at: now,
            updated_at: now,
        };
        if extraction::exists(tx, row.provider, *kind, &row.source_path)? {
            return Err(duplicate(&row));
        }
        extraction::insert(tx, &row)?;
        record(tx, actor, &row, "created", now)?;
        views.push(view(row));
    }
    Ok(views)
}

fn record(
    tx: &WriteTx<'_>,
    actor: &Actor,
    row: &ExtractionRow,
    what: &str,
    now: Timestamp,
) -> Result<(), Problem> {
    let mut detail = Map::new();
    detail.insert("provider_name".to_owned(), json!(row.provider_name));
    detail.insert("field_extraction".to_owned(), json!(what));
    detail.insert("indicator_type".to_owned(), json!(row.indicator_type));
    detail.insert("source_path".to_owned(), json!(row.source_path));
    detail.insert("target_key".to_owned(), json!(row.target_key));
    detail.insert("is_active".to_owned(), json!(row.is_active));
    event::append(
        tx,
        NewEvent {
            at: now,
            actor,
            kind: "provider.updated",
            object: ("field_extraction", Some(row.uuid.uuid())),
            alert: None,
            detail,
        },
    )?;
    Ok(())
}

fn apply(row: &mut ExtractionRow, patch: ExtractionPatch) -> Result<(), Problem> {
    let changes_more = !patch.source_path.is_keep()
        || !patch.target_key.is_keep()
        || !patch.value_type.is_keep()
        || !patch.description.is_keep();
    if row.is_system && changes_more {
        return Err(Problem::new(
            ErrorCode::SystemExtractionRestricted,
            "this field came with the product: only is_active can change; add an own one instead",
        ));
    }
    let mut errors = Vec::new();
    let mut word = row.value_type.as_str().to_owned();
    set(
        &mut errors,
        "source_path",
        &mut row.source_path,
        patch.source_path,
    );
    set(
        &mut errors,
        "target_key",
        &mut row.target_key,
        patch.target_key,
    );
    set(&mut errors, "value_type", &mut word, patch.value_type);
    set(
        &mut errors,
        "is_active",
        &mut row.is_active,
        patch.is_active,
    );
    row.description = patch.description.apply(row.description.take());
    texts("", (&row.source_path, &row.target_key), &mut errors);
    if let Some(value_type) = value_type("", &word, &mut errors) {
        row.value_type = value_type;
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(&errors))
    }
}

impl Engine {
    /// `GET /v1/enrichment-field-extractions`.
    pub async fn extractions(
        &self,
        filter: ExtractionFilter,
        page: PageNumber,
    ) -> Result<Listed<ExtractionView>, Problem> {
        let slice = Slice {
            limit: page.page_size,
            offset: page.offset(),
        };
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(extraction::page(tx, &filter, slice)?))
            .await?;
        let rows = rows.into_iter().map(view).collect();
        Ok(Listed::counted(rows, total))
    }

    /// `GET /v1/enrichment-field-extractions/{uuid}`.
    pub async fn extraction(&self, id: ExtractionId) -> Result<ExtractionView, Problem> {
        let row = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(extraction::by_uuid(tx, id)?))
            .await?;
        row.map(view).ok_or_else(not_found)
    }

    /// `POST /v1/enrichment-field-extractions`.
    pub async fn create_extraction(
        &self,
        by: &Principal,
        request: ExtractionRequest,
    ) -> Result<ExtractionView, Problem> {
        let mut made = self.create_extractions(by, vec![request], false).await?;
        made.pop().ok_or_else(not_found)
    }

    /// `POST /v1/enrichment-field-extractions/bulk`: all of them or none.
    pub async fn create_extractions_in_bulk(
        &self,
        by: &Principal,
        request: ExtractionBulkRequest,
    ) -> Result<Vec<ExtractionView>, Problem> {
        let count = request.extractions.len();
        if count == 0 || count > BULK_MAX {
            let message = format!("must be 1 to {BULK_MAX} of them");
            return Err(Problem::field("extractions", message));
        }
        self.create_extractions(by, request.extractions, true).await
    }

    async fn create_extractions(
        &self,
        by: &Principal,
        requests: Vec<ExtractionRequest>,
        is_bulk: bool,
    ) -> Result<Vec<ExtractionView>, Problem> {
        by.need_human("adding a field extraction")?;
        let (mut errors, mut checked) = (Vec::new(), Vec::new());
        for (n, request) in requests.into_iter().enumerate() {
            let at = if is_bulk {
                format!("extractions.{n}.")
            } else {
                String::new()
            };
            let words = read(&request, &at, &mut errors);
            if let (Some(kind), Some(value_type)) = (words.kind, words.value_type) {
                checked.push((request, kind, value_type));
            }
        }
        if !errors.is_empty() {
            return Err(Problem::fields(&errors));
        }
        let (actor, now) = (by.actor(), self.inner.clock.now());
        let views = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| insert(tx, &checked, &actor, now))
            .await?;
        self.inner.reload_providers().await?;
        Ok(views)
    }

    /// `PATCH /v1/enrichment-field-extractions/{uuid}`.
    pub async fn patch_extraction(
        &self,
        by: &Principal,
        id: ExtractionId,
        patch: ExtractionPatch,
    ) -> Result<ExtractionView, Problem> {
        by.need_human("changing a field extraction")?;
        let (actor, now) = (by.actor(), self.inner.clock.now());
        let row = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = extraction::by_uuid(tx, id)?.ok_or_else(not_found)?;
                let mut row = before.clone();
                apply(&mut row, patch)?;
                if row == before {
                    return Ok(row);
                }
                let is_moved = row.source_path != before.source_path;
                let (provider, kind) = (row.provider, row.indicator_type);
                if is_moved && extraction::exists(tx, provider, kind, &row.source_path)? {
                    return Err(duplicate(&row));
                }
                row.updated_at = now;
                extraction::update(tx, &row)?;
                record(tx, &actor, &row, "changed", now)?;
                Ok(row)
            })
            .await?;
        self.inner.reload_providers().await?;
        Ok(view(row))
    }

    /// `DELETE /v1/enrichment-field-extractions/{uuid}`: own ones only.
    pub async fn delete_extraction(&self, by: &Principal, id: ExtractionId) -> Result<(), Problem> {
        by.need_human("deleting a field extraction")?;
        let (actor, now) = (by.actor(), self.inner.clock.now());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = extraction::by_uuid(tx, id)?.ok_or_else(not_found)?;
                if row.is_system {
                    return Err(Problem::new(
                        ErrorCode::SystemExtractionRestricted,
                        "this field came with the product: it can be switched off with is_active, \
                         not deleted",
                    ));
                }
                extraction::delete(tx, row.id)?;
                record(tx, &actor, &row, "deleted", now)
            })
            .await?;
        self.inner.reload_providers().await
    }
}
