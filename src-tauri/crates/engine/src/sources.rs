//! Sources: where alerts may come from, what their payloads mean, and how they are signed.
//!
//! The four built-in ones are always there; own ones read their payloads through the generic
//! plugin and a field map. A webhook secret is sealed, never given back, and comes on top of the
//! API key: whoever has only one of the two is refused.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use calseta_contract::Patch;
use calseta_contract::source::{SourcePatch, SourceRequest, SourceView};
use calseta_domain::normalise::{FieldMap, Refused, normalise_with};
use calseta_domain::{ErrorCode, FieldError, NormalisedAlert, Plugin, SourceId, Timestamp};
use calseta_store::tables::secret::{self, SealedSecret};
use calseta_store::tables::source::{self, SourceRow};
use calseta_store::tables::{Reads, Slice, reject};
use calseta_store::{Store, StoreError, WriteTx};
use serde_json::{Map, Value, json};

use crate::changes::{Change, differences, named};
use crate::documents::set;
use crate::start::Inner;
use crate::{Engine, Principal, Problem, signed};

/// The longest name of a source.
const NAME_MAX: usize = 64;
/// The longest name for people, in characters.
const DISPLAY_NAME_MAX: usize = 255;
/// The longest webhook secret, in bytes.
const SECRET_MAX_BYTES: usize = 4096;
/// The largest field map, as JSON, in bytes.
const FIELD_MAP_MAX_BYTES: usize = 64 * 1024;
/// The largest documentation, in bytes.
const DOCUMENTATION_MAX_BYTES: usize = 256 * 1024;
/// The field of a source's secret.
const SECRET_FIELD: &str = "webhook_secret";

fn secret_owner(id: SourceId) -> String {
    format!("source:{}", id.uuid())
}

/// A source, ready to read a payload.
pub(crate) struct Source {
    pub(crate) row: i64,
    pub(crate) uuid: SourceId,
    pub(crate) name: String,
    pub(crate) plugin: Plugin,
    pub(crate) field_map: FieldMap,
    pub(crate) is_active: bool,
    pub(crate) secret: Option<SealedSecret>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Source {
    fn read(tx: &impl Reads, row: SourceRow) -> Result<Self, StoreError> {
        let stored = row.field_map.map_or(Value::Null, Value::Object);
        let field_map = FieldMap::parse(&stored).unwrap_or_else(|errors| {
            tracing::error!(source.name = row.name, errors = ?errors, "a stored field map cannot be read");
            FieldMap::default()
        });
        Ok(Self {
            secret: secret::get(tx, &secret_owner(row.uuid), SECRET_FIELD)?,
            row: row.id,
            uuid: row.uuid,
            name: row.name,
            plugin: row.plugin,
            field_map,
            is_active: row.is_active,
        })
    }

    /// An alert document of this source in our words.
    pub(crate) fn normalise(&self, document: &Value) -> Result<NormalisedAlert, Refused> {
        normalise_with(self.plugin, &self.field_map, document)
    }

    /// The owner and field under which its secret is sealed.
    pub(crate) fn secret_place(&self) -> (String, &'static str) {
        (secret_owner(self.uuid), SECRET_FIELD)
    }
}

/// The sources by name.
pub(crate) type Sources = HashMap<String, Arc<Source>>;

/// Reads all sources.
pub(crate) async fn load(store: &Store) -> Result<Sources, StoreError> {
    store
        .read(|tx| {
            source::all(tx)?
                .into_iter()
                .map(|row| {
                    let source = Source::read(tx, row)?;
                    Ok((source.name.clone(), Arc::new(source)))
                })
                .collect()
        })
        .await
}

impl Inner {
    /// A source by its name.
    pub(crate) fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.sources
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// Reads the sources again, after one changed or the master key did.
    pub(crate) async fn reload_sources(&self) -> Result<(), Problem> {
        let sources = load(&self.store).await?;
        *self.sources.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(sources);
        Ok(())
    }
}

fn is_builtin(row: &SourceRow) -> bool {
    row.plugin.as_str() == row.name
}

fn view(tx: &impl Reads, row: SourceRow) -> Result<SourceView, Problem> {
    let sealed = secret::get(tx, &secret_owner(row.uuid), SECRET_FIELD)?;
    let none = Slice {
        limit: 0,
        offset: 0,
    };
    let (_, reject_count) = reject::page(tx, row.id, none)?;
    Ok(SourceView {
        uuid: row.uuid,
        display_name: row.display_name.clone().unwrap_or_else(|| shown_name(&row)),
        plugin: row.plugin.as_str().to_owned(),
        is_builtin: is_builtin(&row),
        is_active: row.is_active,
        field_map: row.field_map,
        auth_type: row.auth_type,
        has_webhook_secret: sealed.is_some(),
        webhook_secret_hint: sealed.map(|sealed| sealed.hint),
        signature_header: Some(signed::header(row.plugin, &row.name).to_owned()),
        documentation: row.documentation,
        last_received_at: row.last_received_at,
        reject_count,
        created_at: row.created_at,
        updated_at: row.updated_at,
        source_name: row.name,
    })
}

fn shown_name(row: &SourceRow) -> String {
    if is_builtin(row) {
        row.plugin.display_name().to_owned()
    } else {
        row.name.clone()
    }
}

fn row(tx: &impl Reads, id: SourceId) -> Result<SourceRow, Problem> {
    source::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("source"))
}

fn check(row: &SourceRow, errors: &mut Vec<FieldError>) {
    let name_fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if row.name.is_empty() || row.name.len() > NAME_MAX || !row.name.chars().all(name_fits) {
        errors.push(FieldError::new(
            "source_name",
            format!("must have 1 to {NAME_MAX} characters of a-z, 0-9, _ and -"),
        ));
    }
    let shown = row.display_name.as_deref().unwrap_or("x").trim();
    if shown.is_empty() || shown.chars().count() > DISPLAY_NAME_MAX {
        errors.push(FieldError::new(
            "display_name",
            format!("must have 1 to {DISPLAY_NAME_MAX} characters"),
        ));
    }
    let text = row.documentation.as_deref().unwrap_or_default();
    if text.len() > DOCUMENTATION_MAX_BYTES {
        errors.push(FieldError::new(
            "documentation",
            format!("must have at most {DOCUMENTATION_MAX_BYTES} bytes"),
        ));
    }
    let Some(map) = &row.field_map else { return };
    let map = Value::Object(map.clone());
    if is_builtin(row) && row.plugin != Plugin::Generic {
        errors.push(FieldError::new(
            "field_map",
            "the built-in sources know their fields; make a source of your own for other payloads",
        ));
    } else if map.to_string().len() > FIELD_MAP_MAX_BYTES {
        errors.push(FieldError::new(
            "field_map",
            "must be at most 64 KB as JSON",
        ));
    } else if let Err(more) = FieldMap::parse(&map) {
        errors.extend(more);
    }
}

/// The secret that a request sets, ours or in v1.1.0's `auth_config`.
fn secret_in(
    errors: &mut Vec<FieldError>,
    ours: Patch<String>,
    theirs: Patch<Map<String, Value>>,
) -> Patch<String> {
    let (path, patch) = match (ours, theirs) {
        (Patch::Keep, Patch::Keep) => return Patch::Keep,
        (Patch::Keep, Patch::Clear) | (Patch::Clear, _) => return Patch::Clear,
        (Patch::Keep, Patch::Set(config)) => {
            let found = ["webhook_secret", "secret"]
                .iter()
                .find_map(|key| config.get(*key)?.as_str());
            ("auth_config", found.unwrap_or_default().to_owned())
        }
        (Patch::Set(secret), _) => ("webhook_secret", secret),
    };
    let text = patch.trim();
    if text.is_empty() || text.len() > SECRET_MAX_BYTES || text.chars().any(char::is_control) {
        errors.push(FieldError::new(
            path,
            format!("must be a text of 1 to {SECRET_MAX_BYTES} characters; null clears it"),
        ));
    }
    Patch::Set(text.to_owned())
}

fn store_secret(
    tx: &WriteTx<'_>,
    inner: &Inner,
    id: SourceId,
    patch: &Patch<String>,
    now: Timestamp,
) -> Result<(), Problem> {
    let owner = secret_owner(id);
    match patch {
        Patch::Keep => {}
        Patch::Clear => secret::remove(tx, &owner, Some(SECRET_FIELD))?,
        Patch::Set(value) => {
            let sealed = inner.vault.seal(&owner, SECRET_FIELD, value)?;
            secret::put(tx, (&owner, SECRET_FIELD), &sealed, now)?;
        }
    }
    Ok(())
}

fn append(
    tx: &WriteTx<'_>,
    row: &SourceRow,
    change: &Change,
    detail: Map<String, Value>,
) -> Result<(), Problem> {
    change.append(
        tx,
        "source.updated",
        ("source", Some(row.uuid.uuid())),
        detail,
    )
}

fn changes(before: &SourceRow, after: &SourceRow, secret: &Patch<String>) -> Map<String, Value> {
    let mut detail = differences([
        (
            "display_name",
            json!(before.display_name),
            json!(after.display_name),
        ),
        ("is_active", json!(before.is_active), json!(after.is_active)),
        ("field_map", json!(before.field_map), json!(after.field_map)),
        ("auth_type", json!(before.auth_type), json!(after.auth_type)),
    ]);
    if before.documentation != after.documentation {
        detail.insert("documentation".to_owned(), json!("changed"));
    }
    let word = match secret {
        Patch::Keep => return detail,
        Patch::Clear => "cleared",
        Patch::Set(_) => "set",
    };
    detail.insert(SECRET_FIELD.to_owned(), json!(word));
    detail
}

impl Engine {
    /// `GET /v1/sources`, by name.
    pub async fn sources(&self) -> Result<Vec<SourceView>, Problem> {
        self.inner
            .store
            .read(|tx| {
                source::all(tx)?
                    .into_iter()
                    .map(|row| view(tx, row))
                    .collect()
            })
            .await
    }

    /// `GET /v1/sources/{uuid}`.
    pub async fn source(&self, id: SourceId) -> Result<SourceView, Problem> {
        self.inner
            .store
            .read(move |tx| view(tx, row(tx, id)?))
            .await
    }

    /// `POST /v1/sources`: an own source, on the generic plugin.
    pub async fn create_source(
        &self,
        by: &Principal,
        request: SourceRequest,
    ) -> Result<SourceView, Problem> {
        by.need_human("changing sources")?;
        let (change, inner) = (self.change(by), Arc::clone(&self.inner));
        let mut errors = Vec::new();
        let given = |value| match value {
            Some(value) => Patch::Set(value),
            None => Patch::Keep,
        };
        let auth_config = match request.auth_config {
            Some(config) => Patch::Set(config),
            None => Patch::Keep,
        };
        let secret = secret_in(&mut errors, given(request.webhook_secret), auth_config);
        if let Some(plugin) = request.plugin.as_deref()
            && plugin != Plugin::Generic.as_str()
        {
            // The other plugins read one vendor's payloads, and their sources are there already.
            errors.push(FieldError::unknown_word(
                "plugin",
                "plugin of an own source",
                plugin,
                &[Plugin::Generic.as_str()],
            ));
        }
        let row = SourceRow {
            id: 0,
            uuid: inner.ids.next(),
            name: request.source_name,
            plugin: Plugin::Generic,
            display_name: request.display_name,
            documentation: request.documentation,
            field_map: request.field_map,
            auth_type: request.auth_type,
            is_active: request.is_active.unwrap_or(true),
            last_received_at: None,
            created_at: change.at,
            updated_at: change.at,
        };
        check(&row, &mut errors);
        if !errors.is_empty() {
            return Err(Problem::fields(&errors));
        }
        let view = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                if source::exists(tx, &row.name)? {
                    return Err(Problem::new(
                        ErrorCode::DuplicateSource,
                        format!("there is a source {:?} already; change that one", row.name),
                    ));
                }
                source::insert(tx, &row)?;
                store_secret(tx, &inner, row.uuid, &secret, change.at)?;
                append(tx, &row, &change, named(&row.name, "created"))?;
                view(tx, row)
            })
            .await?;
        self.inner.reload_sources().await?;
        Ok(view)
    }

    /// `PATCH /v1/sources/{uuid}`.
    pub async fn patch_source(
        &self,
        by: &Principal,
        id: SourceId,
        patch: SourcePatch,
    ) -> Result<SourceView, Problem> {
        by.need_human("changing sources")?;
        let (change, inner) = (self.change(by), Arc::clone(&self.inner));
        let view = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let mut errors = Vec::new();
                let secret = secret_in(&mut errors, patch.webhook_secret, patch.auth_config);
                let mut after = before.clone();
                after.display_name = patch.display_name.apply(after.display_name);
                after.documentation = patch.documentation.apply(after.documentation);
                after.field_map = patch.field_map.apply(after.field_map);
                after.auth_type = patch.auth_type.apply(after.auth_type);
                set(
                    &mut errors,
                    "is_active",
                    &mut after.is_active,
                    patch.is_active,
                );
                check(&after, &mut errors);
                if !errors.is_empty() {
                    return Err(Problem::fields(&errors));
                }
                if after != before || !secret.is_keep() {
                    after.updated_at = change.at;
                    source::update(tx, &after)?;
                    store_secret(tx, &inner, id, &secret, change.at)?;
                    append(tx, &after, &change, changes(&before, &after, &secret))?;
                }
                view(tx, after)
            })
            .await?;
        self.inner.reload_sources().await?;
        Ok(view)
    }

    /// `DELETE /v1/sources/{uuid}`: its alerts stay, under its name.
    pub async fn delete_source(&self, by: &Principal, id: SourceId) -> Result<(), Problem> {
        by.need_human("deleting a source")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = row(tx, id)?;
                if is_builtin(&row) {
                    return Err(Problem::new(
                        ErrorCode::BuiltinRestricted,
                        "a built-in source cannot be deleted; switch it off with is_active: false",
                    ));
                }
                source::delete(tx, id)?;
                secret::remove(tx, &secret_owner(id), None)?;
                append(tx, &row, &change, named(&row.name, "deleted"))
            })
            .await?;
        self.inner.reload_sources().await
    }
}
