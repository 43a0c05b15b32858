//! Indicator field mappings: which fields of a payload hold indicators, and trying them out.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use calseta_contract::Patch;
use calseta_contract::mapping::{
    ExtractedValue, ExtractionPass, ExtractionTest, ExtractionTestRequest, MappingPatch,
    MappingRequest, MappingView,
};
use calseta_domain::{
    ErrorCode, ExtractionTarget, FieldError, Indicator, IndicatorType, Mapping, MappingId,
    NormalisedAlert, NormalisedField, Pass, Plugin, extract, normalise,
};
use calseta_store::WriteTx;
use calseta_store::tables::Reads;
use calseta_store::tables::mapping::{self, MappingFilter, MappingRow};
use serde_json::{Map, Value, json};

use crate::changes::{Change, differences, named};
use crate::documents::set;
use crate::indicators::slice;
use crate::start::Inner;
use crate::{Engine, Listed, PageNumber, Principal, Problem};

/// The longest path, in bytes.
const PATH_MAX_BYTES: usize = 512;
/// The longest description, in characters.
const DESCRIPTION_MAX: usize = 1_000;
/// The passes, with what people read.
const PASSES: [(Pass, &str, &str); 3] = [
    (
        Pass::SourcePlugin,
        "source_plugin",
        "The source's own fields",
    ),
    (
        Pass::NormalisedMapping,
        "normalized_mappings",
        "Mappings of normalised fields",
    ),
    (
        Pass::RawPayloadMapping,
        "raw_payload_mappings",
        "Mappings of paths in the payload",
    ),
];

fn view(row: MappingRow) -> MappingView {
    MappingView {
        uuid: row.uuid,
        source_name: row.mapping.source_name,
        field_path: row.mapping.field_path,
        indicator_type: row.mapping.kind,
        extraction_target: row.mapping.target.as_str().to_owned(),
        is_system: row.is_system,
        is_active: row.is_active,
        description: row.description,
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
    }
}

fn parsed<T: std::str::FromStr<Err = calseta_domain::UnknownWord>>(
    errors: &mut Vec<FieldError>,
    path: &str,
    word: &str,
) -> Option<T> {
    word.parse()
        .map_err(|error: calseta_domain::UnknownWord| {
            errors.push(FieldError::unknown_word(
                path,
                error.what,
                word,
                error.allowed,
            ));
        })
        .ok()
}

fn check_path(errors: &mut Vec<FieldError>, target: ExtractionTarget, path: &str) {
    if path.trim().is_empty() || path.len() > PATH_MAX_BYTES {
        errors.push(FieldError::new(
            "field_path",
            format!("must have 1 to {PATH_MAX_BYTES} bytes"),
        ));
    } else if target == ExtractionTarget::Normalised && path.parse::<NormalisedField>().is_err() {
        errors.push(FieldError::unknown_word(
            "field_path",
            "normalised field",
            path,
            NormalisedField::WORDS,
        ));
    }
}

fn check_description(errors: &mut Vec<FieldError>, text: Option<&str>) {
    if text.is_some_and(|text| text.chars().count() > DESCRIPTION_MAX) {
        errors.push(FieldError::new(
            "description",
            format!("must have at most {DESCRIPTION_MAX} characters"),
        ));
    }
}

fn duplicate() -> Problem {
    let text = "the same mapping exists already; change that one";
    Problem::new(ErrorCode::DuplicateMapping, text)
}

impl Engine {
    /// `GET /v1/indicator-mappings`, oldest first.
    pub async fn mappings(
        &self,
        filter: MappingFilter,
        page: PageNumber,
    ) -> Result<Listed<MappingView>, Problem> {
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(mapping::page(tx, &filter, slice(page))?))
            .await?;
        Ok(Listed::counted(rows.into_iter().map(view).collect(), total))
    }

    /// `GET /v1/indicator-mappings/{uuid}`.
    pub async fn mapping(&self, id: MappingId) -> Result<MappingView, Problem> {
        self.inner
            .store
            .read(move |tx| Ok(view(row(tx, id)?)))
            .await
    }

    /// `POST /v1/indicator-mappings`: holds from the next alert on.
    pub async fn create_mapping(
        &self,
        by: &Principal,
        request: MappingRequest,
    ) -> Result<MappingView, Problem> {
        by.need_human("changing indicator mappings")?;
        let change = self.change(by);
        let row = self.checked_mapping(request, &change)?;
        let view = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                if mapping::exists(tx, &row.mapping)? {
                    return Err(duplicate());
                }
                mapping::insert(tx, &row)?;
                append(tx, &row, &change, named(&row.mapping.field_path, "created"))?;
                Ok::<_, Problem>(view(row))
            })
            .await?;
        self.reload_mappings().await?;
        Ok(view)
    }

    fn checked_mapping(
        &self,
        request: MappingRequest,
        change: &Change,
    ) -> Result<MappingRow, Problem> {
        let mut errors = Vec::new();
        let kind = parsed::<IndicatorType>(&mut errors, "indicator_type", &request.indicator_type);
        let word = request.extraction_target.as_deref().unwrap_or("normalized");
        let target = parsed::<ExtractionTarget>(&mut errors, "extraction_target", word);
        if let Some(target) = target {
            check_path(&mut errors, target, &request.field_path);
        }
        check_description(&mut errors, request.description.as_deref());
        let known = self.inner.source_names();
        if let Some(name) = request.source_name.as_deref()
            && !known.iter().any(|source| source == name)
        {
            errors.push(FieldError::unknown_word(
                "source_name",
                "source",
                name,
                &known,
            ));
        }
        let (Some(kind), Some(target), true) = (kind, target, errors.is_empty()) else {
            return Err(Problem::fields(&errors));
        };
        Ok(MappingRow {
            id: 0,
            uuid: self.inner.ids.next(),
            mapping: Mapping {
                source_name: request.source_name,
                target,
                field_path: request.field_path.trim().to_owned(),
                kind,
            },
            is_system: false,
            is_active: request.is_active.unwrap_or(true),
            description: request.description,
            created_at: change.at,
            updated_at: change.at,
        })
    }

    /// `PATCH /v1/indicator-mappings/{uuid}`. Of the product's own only `is_active` may change.
    pub async fn patch_mapping(
        &self,
        by: &Principal,
        id: MappingId,
        patch: MappingPatch,
    ) -> Result<MappingView, Problem> {
        by.need_human("changing indicator mappings")?;
        let change = self.change(by);
        let view = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let active_alone = patch.field_path.is_keep()
                    && patch.indicator_type.is_keep()
                    && patch.description.is_keep();
                if before.is_system && !active_alone {
                    return Err(Problem::new(
                        ErrorCode::SystemMappingReadonly,
                        "of a built-in mapping only is_active can be changed; make one of your own",
                    ));
                }
                let mut after = apply(before.clone(), patch)?;
                if after == before {
                    return Ok(view(before));
                }
                if after.mapping != before.mapping && mapping::exists(tx, &after.mapping)? {
                    return Err(duplicate());
                }
                after.updated_at = change.at;
                mapping::update(tx, &after)?;
                append(tx, &after, &change, changes(&before, &after))?;
                Ok::<_, Problem>(view(after))
            })
            .await?;
        self.reload_mappings().await?;
        Ok(view)
    }

    /// `DELETE /v1/indicator-mappings/{uuid}`.
    pub async fn delete_mapping(&self, by: &Principal, id: MappingId) -> Result<(), Problem> {
        by.need_human("deleting indicator mappings")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = row(tx, id)?;
                if row.is_system {
                    return Err(Problem::new(
                        ErrorCode::SystemMappingReadonly,
                        "a built-in mapping cannot be deleted; switch it off with is_active: false",
                    ));
                }
                mapping::delete(tx, id)?;
                append(tx, &row, &change, named(&row.mapping.field_path, "deleted"))
            })
            .await?;
        self.reload_mappings().await
    }

    /// `GET /v1/indicator-mappings/source-plugin-fields`: what the sources' own tables read, in the
    /// shape of mappings that nobody can change.
    pub fn source_plugin_fields() -> Vec<MappingView> {
        Plugin::ALL
            .iter()
            .flat_map(|plugin| {
                let fields = normalise::plugin_fields(*plugin).into_iter();
                fields.map(|(path, kind)| MappingView {
                    uuid: MappingId::new(uuid::Uuid::nil()),
                    source_name: Some(plugin.as_str().to_owned()),
                    field_path: path.to_owned(),
                    indicator_type: kind,
                    extraction_target: "source_plugin".to_owned(),
                    is_system: true,
                    is_active: true,
                    description: None,
                    created_at: None,
                    updated_at: None,
                })
            })
            .collect()
    }

    /// Reads the mappings again, after one changed.
    async fn reload_mappings(&self) -> Result<(), Problem> {
        let active = self
            .inner
            .store
            .read(|tx| Ok::<_, Problem>(mapping::active(tx)?))
            .await?;
        *self
            .inner
            .mappings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(active);
        Ok(())
    }

    /// `POST /v1/indicator-mappings/test-extraction`: what would become of a payload, step by
    /// step. Nothing is stored.
    pub fn test_extraction(
        &self,
        request: &ExtractionTestRequest,
    ) -> Result<ExtractionTest, Problem> {
        let started = Instant::now();
        let name = &request.source_name;
        let source = self
            .inner
            .source(name)
            .ok_or_else(|| Problem::unknown_source_in_body(name, &self.inner.source_names()))?;
        let payload: Value = serde_json::from_str(request.raw_payload.get())
            .map_err(|_| Problem::field("raw_payload", "must be JSON"))?;
        let documents = normalise::split(source.plugin, &payload);
        let document = documents.first().copied().unwrap_or(&payload);
        let alert = source
            .normalise(document)
            .map_err(|refused| Problem::new(ErrorCode::InvalidPayload, refused.message))?;
        Ok(tried(&self.inner, name, (&alert, document), started))
    }
}

fn row(tx: &impl Reads, id: MappingId) -> Result<MappingRow, Problem> {
    mapping::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("indicator mapping"))
}

fn apply(mut row: MappingRow, patch: MappingPatch) -> Result<MappingRow, Problem> {
    let mut errors = Vec::new();
    set(
        &mut errors,
        "field_path",
        &mut row.mapping.field_path,
        patch.field_path,
    );
    set(
        &mut errors,
        "is_active",
        &mut row.is_active,
        patch.is_active,
    );
    match patch.indicator_type {
        Patch::Keep => {}
        Patch::Clear => errors.push(FieldError::new(
            "indicator_type",
            "cannot be null; leave it out to keep it",
        )),
        Patch::Set(word) => {
            if let Some(kind) = parsed(&mut errors, "indicator_type", &word) {
                row.mapping.kind = kind;
            }
        }
    }
    row.description = patch.description.apply(row.description);
    check_path(&mut errors, row.mapping.target, &row.mapping.field_path);
    check_description(&mut errors, row.description.as_deref());
    if errors.is_empty() {
        Ok(row)
    } else {
        Err(Problem::fields(&errors))
    }
}

fn changes(before: &MappingRow, after: &MappingRow) -> Map<String, Value> {
    differences([
        (
            "field_path",
            json!(before.mapping.field_path),
            json!(after.mapping.field_path),
        ),
        (
            "indicator_type",
            json!(before.mapping.kind),
            json!(after.mapping.kind),
        ),
        ("is_active", json!(before.is_active), json!(after.is_active)),
        (
            "description",
            json!(before.description),
            json!(after.description),
        ),
    ])
}

fn append(
    tx: &WriteTx<'_>,
    row: &MappingRow,
    change: &Change,
    detail: Map<String, Value>,
) -> Result<(), Problem> {
    change.append(
        tx,
        "mapping.updated",
        ("mapping", Some(row.uuid.uuid())),
        detail,
    )
}

fn tried(
    inner: &Inner,
    source_name: &str,
    (alert, payload): (&NormalisedAlert, &Value),
    started: Instant,
) -> ExtractionTest {
    let mappings = Arc::clone(
        &inner
            .mappings
            .read()
            .unwrap_or_else(PoisonError::into_inner),
    );
    let passes: Vec<ExtractionPass> = PASSES
        .iter()
        .map(|(pass, name, label)| ExtractionPass {
            pass_name: (*name).to_owned(),
            pass_label: (*label).to_owned(),
            indicators: alone(*pass, source_name, (alert, payload), &mappings),
            error: None,
        })
        .collect();
    let deduplicated: Vec<ExtractedValue> =
        extract::extract(source_name, alert, payload, &mappings)
            .into_iter()
            .map(value)
            .collect();
    ExtractionTest {
        success: true,
        source_name: source_name.to_owned(),
        passes,
        deduplicated_count: deduplicated.len() as u64,
        deduplicated,
        normalization_preview: Some(preview(alert)),
        error_message: None,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn value(found: calseta_domain::ExtractedIndicator) -> ExtractedValue {
    ExtractedValue {
        kind: found.indicator.kind,
        value: found.indicator.value,
        source_field: found.path,
    }
}

/// What one pass finds by itself, also what an earlier pass has found already.
fn alone(
    pass: Pass,
    source_name: &str,
    (alert, payload): (&NormalisedAlert, &Value),
    mappings: &[Mapping],
) -> Vec<ExtractedValue> {
    let target = match pass {
        Pass::SourcePlugin => None,
        Pass::NormalisedMapping => Some(ExtractionTarget::Normalised),
        Pass::RawPayloadMapping => Some(ExtractionTarget::RawPayload),
    };
    let mut only = alert.clone();
    if target.is_some() {
        only.indicators.clear();
    }
    let mappings: Vec<Mapping> = mappings
        .iter()
        .filter(|mapping| Some(mapping.target) == target)
        .cloned()
        .collect();
    let mut seen: HashSet<Indicator> = HashSet::new();
    extract::extract(source_name, &only, payload, &mappings)
        .into_iter()
        .filter(|found| seen.insert(found.indicator.clone()))
        .map(value)
        .collect()
}

fn preview(alert: &NormalisedAlert) -> Map<String, Value> {
    let mut preview = Map::new();
    preview.insert("title".to_owned(), json!(alert.title));
    preview.insert("severity".to_owned(), json!(alert.severity));
    preview.insert("description".to_owned(), json!(alert.description));
    preview.insert("occurred_at".to_owned(), json!(alert.occurred_at));
    preview.insert("tags".to_owned(), json!(alert.tags));
    preview.insert("source_url".to_owned(), json!(alert.source_url));
    let rule = alert
        .rule
        .as_ref()
        .map(|rule| (&rule.source_rule_id, &rule.name));
    preview.insert("source_rule_id".to_owned(), json!(rule.map(|(id, _)| id)));
    preview.insert(
        "detection_rule".to_owned(),
        json!(rule.map(|(_, name)| name)),
    );
    for (field, texts) in &alert.fields {
        preview.insert(field.as_str().to_owned(), json!(texts));
    }
    preview
}
