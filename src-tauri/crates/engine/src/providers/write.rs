//! Making, changing and deleting providers. What cannot work is refused when it is saved, with the
//! path of what is wrong, so that no alert finds out.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;

use calseta_contract::Patch;
use calseta_contract::provider::{ProviderPatch, ProviderRequest, ProviderView};
use calseta_domain::{ErrorCode, FieldError, ProviderId, Timestamp};
use calseta_egress::Target;
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::provider::{self, ProviderRow};
use calseta_store::tables::{Reads, enrichment, secret};
use calseta_store::{StoreError, WriteTx};
use serde_json::{Map, Value, json};

use super::check::{Given, check, credentials};
use super::definition::{effective, secret_owner};
use super::not_found;
use crate::documents::set;
use crate::start::Inner;
use crate::{Engine, Principal, Problem, grants, stage};

/// The longest `provider_name`.
const NAME_MAX: usize = 100;
/// Answers of a deleted provider that one commit forgets: the writer serves others in between.
const FORGOTTEN_AT_ONCE: u32 = 500;
/// What a person may change of a built-in provider is everything else.
const FIXED: &[&str] = &[
    "display_name",
    "supported_indicator_types",
    "http_config",
    "auth_type",
    "oauth2",
];

fn store_credentials(
    tx: &WriteTx<'_>,
    inner: &Inner,
    row: &mut ProviderRow,
    fields: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<(), Problem> {
    let owner = secret_owner(row.uuid);
    secret::remove(tx, &owner, None)?;
    for (field, value) in fields {
        let sealed = inner.vault.seal(&owner, field, value)?;
        secret::put(tx, (&owner, field), &sealed, now)?;
    }
    let state = if fields.is_empty() { "missing" } else { "set" };
    state.clone_into(&mut row.key_state);
    Ok(())
}

fn allow_all(tx: &WriteTx<'_>, targets: &[Target], now: Timestamp) -> Result<(), Problem> {
    for target in targets.iter().filter(|target| target.needs_grant()) {
        grants::allow(tx, target, None, now)?;
    }
    Ok(())
}

fn record(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (row, changed): (&ProviderRow, Map<String, Value>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut detail = changed;
    detail.insert("provider_name".to_owned(), json!(row.name));
    event::append(
        tx,
        NewEvent {
            at: now,
            actor,
            kind: "provider.updated",
            object: ("provider", Some(row.uuid.uuid())),
            alert: None,
            detail,
        },
    )?;
    Ok(())
}

/// What people see differ, old and new. Credentials are not among it.
fn differences(before: &ProviderRow, after: &ProviderRow) -> Map<String, Value> {
    let shown = |row: &ProviderRow| {
        let mut all = effective(row).unwrap_or_default();
        all["display_name"] = json!(row.display_name);
        all["description"] = json!(row.description);
        all["is_active"] = json!(row.is_active);
        all["mode"] = json!(row.mode);
        all["base_url"] = json!(row.base_url);
        all
    };
    let (before, after) = (shown(before), shown(after));
    let keys = after.as_object().into_iter().flatten().map(|(key, _)| key);
    keys.filter(|key| before[key.as_str()] != after[key.as_str()])
        .map(|key| {
            (
                key.clone(),
                json!([before[key.as_str()], after[key.as_str()]]),
            )
        })
        .collect()
}

fn new_row(
    id: ProviderId,
    request: ProviderRequest,
    now: Timestamp,
) -> Result<ProviderRow, Problem> {
    let name = request.provider_name;
    let is_name = !name.is_empty()
        && name.len() <= NAME_MAX
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_name {
        let message = format!("must be 1 to {NAME_MAX} of a-z, 0-9 and _");
        return Err(Problem::field("provider_name", message));
    }
    let definition = json!({
        "supported_indicator_types": request.supported_indicator_types,
        "auth_type": request.auth_type.as_deref().unwrap_or("no_auth"),
        "oauth2": request.oauth2,
        "http_config": request.http_config,
        "malice_rules": request.malice_rules,
        "default_cache_ttl_seconds": request.default_cache_ttl_seconds,
        "cache_ttl_by_type": request.cache_ttl_by_type,
        "quota": request.quota,
        "max_in_flight": request.max_in_flight,
    });
    Ok(ProviderRow {
        id: 0,
        uuid: id,
        name,
        display_name: request.display_name,
        description: request.description,
        is_builtin: false,
        is_active: request.is_active.unwrap_or(true),
        mode: "live".to_owned(),
        definition: definition.to_string(),
        base_url: request.base_url.filter(|url| !url.is_empty()),
        overrides: "{}".to_owned(),
        key_state: "missing".to_owned(),
        blocked_until: None,
        created_at: now,
        updated_at: now,
    })
}

/// The fields of a patch that only an own provider has.
fn fixed_fields(patch: &ProviderPatch) -> Vec<&'static str> {
    let given = [
        !patch.display_name.is_keep(),
        !patch.supported_indicator_types.is_keep(),
        !patch.http_config.is_keep(),
        !patch.auth_type.is_keep(),
        !patch.oauth2.is_keep(),
    ];
    let named = FIXED.iter().zip(given).filter(|(_, is_given)| *is_given);
    named.map(|(name, _)| *name).collect()
}

/// Puts a field of the definition; of a built-in provider beside it.
fn put<T: serde::Serialize>(
    map: &mut Map<String, Value>,
    key: &str,
    patch: Patch<T>,
    may_clear: bool,
    errors: &mut Vec<FieldError>,
) {
    let value = match patch {
        Patch::Keep => return,
        Patch::Clear if may_clear => Value::Null,
        Patch::Clear => {
            let message = "cannot be null; leave it out to keep it";
            errors.push(FieldError::new(key, message));
            return;
        }
        Patch::Set(value) => json!(value),
    };
    map.insert(key.to_owned(), value);
}

/// The fields of the definition; of a built-in provider they go beside it.
fn put_all(row: &mut ProviderRow, patch: ProviderPatch, errors: &mut Vec<FieldError>) {
    let text = if row.is_builtin {
        &mut row.overrides
    } else {
        &mut row.definition
    };
    let mut map: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let changed = &mut map;
    if row.is_builtin {
        put(changed, "description", patch.description, true, errors);
    } else {
        row.description = patch.description.apply(row.description.take());
    }
    let types = patch.supported_indicator_types;
    put(changed, "supported_indicator_types", types, false, errors);
    put(changed, "http_config", patch.http_config, false, errors);
    put(changed, "auth_type", patch.auth_type, false, errors);
    put(changed, "oauth2", patch.oauth2, true, errors);
    put(changed, "malice_rules", patch.malice_rules, true, errors);
    let (default, by_type) = (patch.default_cache_ttl_seconds, patch.cache_ttl_by_type);
    put(changed, "default_cache_ttl_seconds", default, true, errors);
    put(changed, "cache_ttl_by_type", by_type, true, errors);
    put(changed, "quota", patch.quota, true, errors);
    put(changed, "max_in_flight", patch.max_in_flight, false, errors);
    *text = Value::Object(map).to_string();
}

fn apply(row: &mut ProviderRow, mut patch: ProviderPatch) -> Result<(), Problem> {
    let fixed = fixed_fields(&patch);
    if row.is_builtin && !fixed.is_empty() {
        let message = format!(
            "{} came with the product: {} cannot be changed; make an own provider instead",
            row.display_name,
            fixed.join(", ")
        );
        return Err(
            Problem::new(ErrorCode::BuiltinRestricted, message).with("fields", json!(fixed))
        );
    }
    let mut errors = Vec::new();
    let is_active = take(&mut patch.is_active);
    set(&mut errors, "is_active", &mut row.is_active, is_active);
    set(&mut errors, "mode", &mut row.mode, take(&mut patch.mode));
    let name = take(&mut patch.display_name);
    set(&mut errors, "display_name", &mut row.display_name, name);
    let base_url = take(&mut patch.base_url).apply(row.base_url.take());
    row.base_url = base_url.filter(|url| !url.is_empty());
    put_all(row, patch, &mut errors);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(&errors))
    }
}

impl Engine {
    /// `POST /v1/enrichment-providers`. Addresses on this machine are granted by the human who
    /// makes it; the local network with `allow_private`.
    pub async fn create_provider(
        &self,
        by: &Principal,
        request: ProviderRequest,
    ) -> Result<ProviderView, Problem> {
        by.need_human("making an enrichment provider")?;
        let (now, id) = (self.inner.clock.now(), self.inner.ids.next());
        let allow_private = request.allow_private;
        let Given { fields, base_url } =
            credentials(&request.auth_config.clone().map_or(Patch::Keep, Patch::Set))?;
        let mut row = new_row(id, request, now)?;
        row.base_url = row.base_url.take().or(base_url);
        let targets = check(&row, allow_private)?;
        let (inner, actor) = (Arc::clone(&self.inner), by.actor());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                if provider::by_name(tx, &row.name)?.is_some() {
                    let message = format!("there is a provider {:?} already", row.name);
                    return Err(Problem::new(ErrorCode::DuplicateProvider, message));
                }
                if let Some(fields) = &fields {
                    store_credentials(tx, &inner, &mut row, fields, now)?;
                }
                allow_all(tx, &targets, now)?;
                provider::insert(tx, &row)?;
                let mut detail = Map::new();
                detail.insert("created".to_owned(), json!(true));
                record(tx, &actor, (&row, detail), now)?;
                Ok(())
            })
            .await?;
        self.inner.reload_providers().await?;
        self.provider(id).await
    }

    /// `PATCH /v1/enrichment-providers/{uuid}`. Addresses as in [`Engine::create_provider`].
    pub async fn patch_provider(
        &self,
        by: &Principal,
        id: ProviderId,
        mut patch: ProviderPatch,
    ) -> Result<ProviderView, Problem> {
        by.need_human("changing an enrichment provider")?;
        let Given { fields, base_url } = credentials(&patch.auth_config)?;
        if let (Some(url), Patch::Keep) = (base_url, &patch.base_url) {
            patch.base_url = Patch::Set(url);
        }
        let (inner, now, actor) = (Arc::clone(&self.inner), self.inner.clock.now(), by.actor());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = provider::by_uuid(tx, id)?.ok_or_else(not_found)?;
                let (mut row, allow_private) = (before.clone(), patch.allow_private);
                apply(&mut row, patch)?;
                let targets = check(&row, allow_private)?;
                if let Some(fields) = &fields {
                    store_credentials(tx, &inner, &mut row, fields, now)?;
                }
                allow_all(tx, &targets, now)?;
                if row == before && fields.is_none() {
                    return Ok(());
                }
                row.updated_at = now;
                provider::update(tx, &row)?;
                enrichment::forget_failures(tx, row.id)?;
                let mut detail = differences(&before, &row);
                detail.insert("credentials_changed".to_owned(), json!(fields.is_some()));
                record(tx, &actor, (&row, detail), now)?;
                Ok::<_, Problem>(())
            })
            .await?;
        self.inner.reload_providers().await?;
        self.provider(id).await
    }

    /// `DELETE /v1/enrichment-providers/{uuid}`: own ones only. Its answers go with it, and the
    /// verdicts that rested on them; a crash in between leaves it inactive, to be deleted again.
    pub async fn delete_provider(&self, by: &Principal, id: ProviderId) -> Result<(), Problem> {
        by.need_human("deleting an enrichment provider")?;
        let now = self.inner.clock.now();
        let row = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = provider::by_uuid(tx, id)?.ok_or_else(not_found)?;
                if row.is_builtin {
                    let message = format!(
                        "{} came with the product and cannot be deleted; deactivate it instead",
                        row.display_name
                    );
                    return Err(Problem::new(ErrorCode::BuiltinRestricted, message));
                }
                provider::retire(tx, row.id, now)?;
                Ok(row)
            })
            .await?;
        self.inner.reload_providers().await?;
        let provider = row.id;
        loop {
            let forgot = self.inner.store.write(move |tx: &WriteTx<'_>| {
                let changed = provider::forget_answers(tx, provider, FORGOTTEN_AT_ONCE, now)?;
                for indicator in changed.iter().flatten() {
                    stage::alerts_follow(tx, *indicator, now)?;
                }
                Ok::<_, Problem>(changed.is_some())
            });
            if !forgot.await? {
                break;
            }
        }
        let actor = by.actor();
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                secret::remove(tx, &secret_owner(id), None)?;
                if provider::delete(tx, row.id)? {
                    let mut detail = Map::new();
                    detail.insert("deleted".to_owned(), json!(true));
                    record(tx, &actor, (&row, detail), now)?;
                }
                Ok::<_, Problem>(())
            })
            .await?;
        self.inner.reload_providers().await
    }
}

/// The row of a provider by its name, for those that name one in a body.
pub(crate) fn named(tx: &impl Reads, name: &str) -> Result<ProviderRow, Problem> {
    provider::by_name(tx, name)?.ok_or_else(|| {
        let message =
            format!("there is no provider {name:?}; GET /v1/enrichment-providers lists them");
        Problem::new(ErrorCode::ProviderNotFound, message)
    })
}
