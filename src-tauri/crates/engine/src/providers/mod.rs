//! Enrichment providers: who can be asked about an indicator, and what people may change of them.
//!
//! A provider is data: steps, fields to extract, verdict rules. `definition` reads it, `set` keeps
//! all of them ready, `lookup` asks one, `check` judges and `write` stores what people change,
//! `test_run` shows a person what is sent. Credentials are sealed in the vault and appear in no view.

mod check;
pub(crate) mod definition;
pub(crate) mod lookup;
mod oauth;
pub(crate) mod quota;
mod set;
mod test_run;
pub(crate) mod trace;
mod write;

use calseta_contract::provider::{ProviderBrief, ProviderView};
use calseta_domain::ProviderId;
use calseta_egress::{Audience, Grant};
use calseta_store::tables::{Reads, secret};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) use definition::Provider;
pub(crate) use set::ProviderSet;
pub(crate) use test_run::indicator as parse_indicator;
pub(crate) use write::named as named_provider;

use crate::grants::{self, GrantState};
use crate::{Engine, Problem};

/// Which providers to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProviderListQuery {
    /// Whether it is asked.
    pub is_active: Option<bool>,
    /// Whether it came with the product.
    pub is_builtin: Option<bool>,
}

fn optional(value: &Value) -> Option<Value> {
    (!value.is_null()).then(|| value.clone())
}

/// Whether everything that a definition reaches may be reached. A URL whose host is a credential
/// is judged when it is sent.
fn grant_state(provider: &Provider, grants: &[Grant]) -> GrantState {
    let addresses = check::addresses(&provider.definition, &provider.base_url());
    let states = addresses.iter().map(|(_, url)| {
        calseta_egress::judge(url, Audience::Provider)
            .map_or(GrantState::Pending, |target| grants::state(&target, grants))
    });
    states.fold(GrantState::NoneNeeded, |worst, state| {
        match (worst, state) {
            (GrantState::Pending, _) | (_, GrantState::Pending) => GrantState::Pending,
            (GrantState::Granted, _) | (_, GrantState::Granted) => GrantState::Granted,
            (GrantState::NoneNeeded, GrantState::NoneNeeded) => GrantState::NoneNeeded,
        }
    })
}

fn view(provider: &Provider, has_credentials: bool, grants: &[Grant]) -> ProviderView {
    let row = &provider.row;
    let description = provider.definition["description"].as_str();
    ProviderView {
        uuid: row.uuid,
        provider_name: row.name.clone(),
        display_name: row.display_name.clone(),
        description: if row.is_builtin && provider.definition.get("description").is_some() {
            description.map(str::to_owned)
        } else {
            row.description.clone()
        },
        is_builtin: row.is_builtin,
        is_active: row.is_active,
        supported_indicator_types: provider
            .types
            .iter()
            .map(|t| t.as_str().to_owned())
            .collect(),
        base_url: provider.base_url(),
        auth_type: provider.auth_type.clone(),
        has_credentials,
        key_state: row.key_state.clone(),
        is_configured: provider.is_configured(),
        mode: row.mode.clone(),
        grant: grant_state(provider, grants).as_str().to_owned(),
        max_in_flight: provider.max_in_flight,
        quota: provider.quota,
        http_config: provider.definition["http_config"].clone(),
        oauth2: optional(&provider.definition["oauth2"]),
        malice_rules: optional(&provider.definition["malice_rules"]),
        auth_fields: provider.auth_fields.clone(),
        env_var_mapping: provider.env_var_mapping.clone(),
        default_cache_ttl_seconds: provider
            .default_ttl_secs
            .unwrap_or(definition::DEFAULT_TTL_SECS),
        cache_ttl_by_type: provider
            .ttl_secs
            .iter()
            .map(|(kind, secs)| (kind.as_str().to_owned(), json!(secs)))
            .collect(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn read_view(tx: &impl Reads, provider: &Provider) -> Result<ProviderView, Problem> {
    let has = !secret::fields(tx, &provider.secret_owner())?.is_empty();
    Ok(view(provider, has, &grants::of(tx, Audience::Provider)?))
}

fn not_found() -> Problem {
    Problem::not_found("enrichment provider")
}

impl Engine {
    /// `GET /v1/enrichment-providers`.
    pub async fn providers(&self, query: ProviderListQuery) -> Result<Vec<ProviderView>, Problem> {
        let set = self.inner.provider_set();
        self.inner
            .store
            .read(move |tx| {
                set.all()
                    .filter(|provider| {
                        query
                            .is_active
                            .is_none_or(|is| provider.row.is_active == is)
                            && query
                                .is_builtin
                                .is_none_or(|is| provider.row.is_builtin == is)
                    })
                    .map(|provider| read_view(tx, provider))
                    .collect()
            })
            .await
    }

    /// `GET /v1/enrichments/providers`.
    pub fn provider_briefs(&self) -> Vec<ProviderBrief> {
        let set = self.inner.provider_set();
        let brief = |provider: &Arc<Provider>| ProviderBrief {
            provider_name: provider.row.name.clone(),
            display_name: provider.row.display_name.clone(),
            supported_types: provider
                .types
                .iter()
                .map(|t| t.as_str().to_owned())
                .collect(),
            is_configured: provider.is_configured(),
            cache_ttl_seconds: provider
                .default_ttl_secs
                .unwrap_or(definition::DEFAULT_TTL_SECS),
        };
        set.all().map(brief).collect()
    }

    /// `GET /v1/enrichment-providers/{uuid}`.
    pub async fn provider(&self, id: ProviderId) -> Result<ProviderView, Problem> {
        let provider = self.parsed_provider(id)?;
        self.inner
            .store
            .read(move |tx| read_view(tx, &provider))
            .await
    }

    fn parsed_provider(&self, id: ProviderId) -> Result<Arc<Provider>, Problem> {
        let set = self.inner.provider_set();
        let found = set.find(|provider| provider.row.uuid == id);
        found.cloned().ok_or_else(not_found)
    }
}
