//! What may change of an API key. Its name, type, owner and expiry never do: make another one.

use calseta_contract::Patch;
use calseta_contract::api_key::{ApiKeyPatch, ApiKeyView};
use calseta_domain::{ApiKeyId, FieldError, Scope, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::api_key::{self, ApiKeyRow};
use serde_json::{Map, Value, json};

use crate::api_keys::{check_sources, is_open_admin, last_admin, row, scopes_of, view};
use crate::changes::differences;
use crate::{Engine, Principal, Problem};

impl Engine {
    /// `PATCH /v1/api-keys/{uuid}`: scopes, sources and whether it works. The last human admin key
    /// keeps being one.
    pub async fn patch_api_key(
        &self,
        by: &Principal,
        id: ApiKeyId,
        patch: ApiKeyPatch,
    ) -> Result<ApiKeyView, Problem> {
        by.need_human("changing API keys")?;
        let wanted = Wanted::parse(patch, &self.inner.source_names())?;
        let change = self.change(by);
        let view = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let after = wanted.apply(before.clone(), change.at);
                if is_open_admin(&before, change.at)
                    && !is_open_admin(&after, change.at)
                    && api_key::other_admins(tx, before.id, change.at)? == 0
                {
                    return Err(last_admin());
                }
                if after == before {
                    return Ok(view(&before, None));
                }
                api_key::update(
                    tx,
                    after.id,
                    &after.scopes,
                    after.allowed_sources.as_deref(),
                )?;
                match (before.revoked_at, after.revoked_at) {
                    (None, Some(at)) => api_key::revoke(tx, after.id, at)?,
                    (Some(_), None) => api_key::restore(tx, after.id)?,
                    (None, None) | (Some(_), Some(_)) => {}
                }
                let mut detail = changes(&before, &after);
                detail.insert("name".to_owned(), json!(before.name));
                let kind = match (before.revoked_at, after.revoked_at) {
                    (None, Some(_)) => "key.revoked",
                    _ => "key.updated",
                };
                change.append(tx, kind, ("api_key", Some(id.uuid())), detail)?;
                Ok(view(&after, None))
            })
            .await?;
        self.inner.keys.forget();
        Ok(view)
    }
}

/// A PATCH with every word understood.
struct Wanted {
    scopes: Option<Vec<Scope>>,
    allowed_sources: Patch<Vec<String>>,
    is_active: Option<bool>,
}

impl Wanted {
    fn parse(patch: ApiKeyPatch, known_sources: &[String]) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let null = |path: &str| FieldError::new(path, "cannot be null; leave it out to keep it");
        let scopes = match patch.scopes {
            Patch::Keep => None,
            Patch::Clear => {
                errors.push(null("scopes"));
                None
            }
            Patch::Set(words) => Some(scopes_of(&mut errors, &words)),
        };
        let is_active = match patch.is_active {
            Patch::Keep => None,
            Patch::Clear => {
                errors.push(null("is_active"));
                None
            }
            Patch::Set(is_active) => Some(is_active),
        };
        if let Patch::Set(sources) = &patch.allowed_sources {
            check_sources(&mut errors, sources, known_sources);
        }
        if errors.is_empty() {
            Ok(Self {
                scopes,
                allowed_sources: patch.allowed_sources,
                is_active,
            })
        } else {
            Err(Problem::fields(&errors))
        }
    }

    fn apply(self, mut row: ApiKeyRow, now: Timestamp) -> ApiKeyRow {
        if let Some(scopes) = self.scopes {
            row.scopes = scopes;
        }
        row.allowed_sources = self
            .allowed_sources
            .apply(row.allowed_sources)
            .filter(|sources| !sources.is_empty());
        row.revoked_at = match self.is_active {
            None => row.revoked_at,
            Some(true) => None,
            Some(false) => row.revoked_at.or(Some(now)),
        };
        row
    }
}

fn changes(before: &ApiKeyRow, after: &ApiKeyRow) -> Map<String, Value> {
    differences([
        ("scopes", json!(before.scopes), json!(after.scopes)),
        (
            "allowed_sources",
            json!(before.allowed_sources),
            json!(after.allowed_sources),
        ),
        (
            "is_active",
            json!(before.revoked_at.is_none()),
            json!(after.revoked_at.is_none()),
        ),
    ])
}
