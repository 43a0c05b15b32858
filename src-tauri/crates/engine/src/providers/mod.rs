//! Enrichment providers: their definitions, ready to be asked, and what people may change of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use calseta_contract::Patch;
use calseta_contract::provider::{ProviderPatch, ProviderView, QuotaView};
use calseta_domain::step::ValueType;
use calseta_domain::{
    ErrorCode, ExtractionRule, FieldError, HttpConfig, Indicator, IndicatorType, ProviderId,
    VerdictRules,
};
use calseta_egress::{AddressClass, Audience, Grant};
use calseta_store::WriteTx;
use calseta_store::tables::event::{self, NewEvent};
use calseta_store::tables::provider::{self, ProviderRow};
use calseta_store::tables::{Reads, enrichment, secret};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use crate::documents::set;
use crate::{Engine, Principal, Problem, grants};

/// Seconds an answer is kept when the definition does not say, by type.
const DEFAULT_TTL_SECS: i64 = 3600;
/// Requests at once when the definition does not say.
const DEFAULT_IN_FLIGHT: u64 = 4;
/// The most requests at once to one provider.
const MAX_IN_FLIGHT: u64 = 32;
/// The longest credential.
const CREDENTIAL_MAX: usize = 4096;
/// The modes.
const MODES: &[&str] = &["live", "mock", "off"];

/// A provider, parsed.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) row: ProviderRow,
    pub(crate) types: Vec<IndicatorType>,
    pub(crate) config: HttpConfig,
    pub(crate) verdicts: VerdictRules,
    pub(crate) extractions: Vec<ExtractionRule>,
    pub(crate) auth_fields: Vec<String>,
    pub(crate) base_url: String,
    pub(crate) ttl_secs: BTreeMap<IndicatorType, i64>,
    pub(crate) mock: Map<String, Value>,
    pub(crate) max_in_flight: u32,
    pub(crate) slots: Arc<Semaphore>,
}

/// All providers as they are now.
#[derive(Debug, Default)]
pub(crate) struct ProviderSet {
    by_row: HashMap<i64, Arc<Provider>>,
    order: Vec<i64>,
}

impl ProviderSet {
    pub(crate) fn from_rows(rows: &[ProviderRow], demo: bool) -> Result<Self, Problem> {
        let mut set = Self::default();
        for row in rows {
            let mut row = row.clone();
            // Demo answers everything from canned data; what a person switched off stays off.
            if demo && row.mode == "live" {
                "mock".clone_into(&mut row.mode);
            }
            let provider = Provider::parse(row.clone()).map_err(|errors| {
                tracing::error!(provider.name = row.name, errors = ?errors, "a provider cannot be read");
                Problem::fields(&errors)
            })?;
            set.order.push(row.id);
            set.by_row.insert(row.id, Arc::new(provider));
        }
        Ok(set)
    }

    /// Takes over the slots of an earlier set: requests that are under way keep counting.
    pub(crate) fn keeping_slots(mut self, earlier: &Self) -> Self {
        for (row, provider) in &mut self.by_row {
            let same = earlier
                .by_row
                .get(row)
                .filter(|known| known.max_in_flight == provider.max_in_flight);
            if let (Some(known), Some(provider)) = (same, Arc::get_mut(provider)) {
                provider.slots = Arc::clone(&known.slots);
            }
        }
        self
    }

    pub(crate) fn name(&self, row: i64) -> Option<String> {
        self.by_row
            .get(&row)
            .map(|provider| provider.row.name.clone())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.order.iter().filter_map(|row| self.by_row.get(row))
    }

    /// The rows of the providers that are to be asked about an indicator.
    pub(crate) fn applicable<'a>(
        &'a self,
        indicator: &'a Indicator,
    ) -> impl Iterator<Item = i64> + 'a {
        let enrichable =
            calseta_domain::indicator::enrichable(indicator.kind, &indicator.value).is_ok();
        self.all()
            .filter(move |provider| enrichable && provider.answers(indicator.kind))
            .map(|provider| provider.row.id)
    }
}

impl Provider {
    fn parse(row: ProviderRow) -> Result<Self, Vec<FieldError>> {
        let bad = |path: &str, text: &str| vec![FieldError::new(path, text)];
        let value: Value =
            serde_json::from_str(&row.definition).map_err(|_| bad("definition", "is no JSON"))?;
        let types = value["supported_indicator_types"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|word| word.as_str()?.parse().ok())
            .collect::<Vec<IndicatorType>>();
        let default_url = value["base_url"].as_str().unwrap_or_default().to_owned();
        let ttl_secs = value["cache_ttl_by_type"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(kind, secs)| Some((kind.parse().ok()?, secs.as_i64()?)))
            .collect();
        let in_flight = value["max_in_flight"]
            .as_u64()
            .unwrap_or(DEFAULT_IN_FLIGHT)
            .clamp(1, MAX_IN_FLIGHT);
        let max_in_flight = u32::try_from(in_flight).unwrap_or(1);
        Ok(Self {
            config: HttpConfig::parse(&value["http_config"])?,
            verdicts: VerdictRules::parse(&value["malice_rules"])?,
            extractions: extractions(&value["extractions"], &types)?,
            auth_fields: texts(&value["auth_fields"]),
            base_url: row.base_url.clone().unwrap_or(default_url),
            mock: value["mock_responses"]
                .as_object()
                .cloned()
                .unwrap_or_default(),
            types,
            ttl_secs,
            max_in_flight,
            slots: Arc::new(Semaphore::new(max_in_flight as usize)),
            row,
        })
    }

    /// Whether it is to be asked about this type: active, switched on and with what it needs.
    pub(crate) fn answers(&self, kind: IndicatorType) -> bool {
        self.is_configured() && self.types.contains(&kind)
    }

    pub(crate) fn is_configured(&self) -> bool {
        self.row.is_active
            && match &*self.row.mode {
                "off" => false,
                "mock" => true,
                _ => self.auth_fields.is_empty() || self.row.key_state != "missing",
            }
    }

    pub(crate) fn ttl_ms(&self, kind: IndicatorType) -> i64 {
        self.ttl_secs
            .get(&kind)
            .copied()
            .unwrap_or(DEFAULT_TTL_SECS)
            * 1000
    }

    /// The canned answer for a type.
    pub(crate) fn canned(&self, kind: IndicatorType) -> Option<&Value> {
        self.mock
            .get(kind.as_str())
            .or_else(|| self.mock.get("default"))
    }

    /// The owner of its secrets.
    pub(crate) fn secret_owner(&self) -> String {
        format!("provider:{}", self.row.uuid)
    }
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|t| t.as_str().map(str::to_owned))
        .collect()
}

/// `{type | "*": [[path, key, value type], …]}`.
fn extractions(
    value: &Value,
    types: &[IndicatorType],
) -> Result<Vec<ExtractionRule>, Vec<FieldError>> {
    let mut rules = Vec::new();
    for (kind, list) in value.as_object().into_iter().flatten() {
        let kinds = match kind.as_str() {
            "*" => types.to_vec(),
            word => word.parse().map(|kind| vec![kind]).map_err(|_| {
                vec![FieldError::unknown_word(
                    "extractions",
                    "type",
                    word,
                    IndicatorType::WORDS,
                )]
            })?,
        };
        for rule in list.as_array().into_iter().flatten() {
            let [path, key, value_type] = [&rule[0], &rule[1], &rule[2]].map(Value::as_str);
            let (Some(path), Some(key), Some(word)) = (path, key, value_type) else {
                return Err(vec![FieldError::new(
                    "extractions",
                    "an entry is [path, key, value type]",
                )]);
            };
            let value_type: ValueType = word.parse().map_err(|_| {
                vec![FieldError::unknown_word(
                    "extractions",
                    "value type",
                    word,
                    ValueType::WORDS,
                )]
            })?;
            rules.extend(kinds.iter().map(|kind| ExtractionRule {
                indicator_type: *kind,
                source_path: path.to_owned(),
                target_key: key.to_owned(),
                value_type,
            }));
        }
    }
    Ok(rules)
}

fn view(provider: &Provider, has_credentials: bool, grants: &[Grant]) -> ProviderView {
    let row = &provider.row;
    let grant = calseta_egress::judge(&provider.base_url, Audience::Provider)
        .map_or("pending", |target| grants::state(&target, grants).as_str());
    ProviderView {
        uuid: row.uuid,
        provider_name: row.name.clone(),
        display_name: row.display_name.clone(),
        description: row.description.clone(),
        is_builtin: row.is_builtin,
        is_active: row.is_active,
        supported_indicator_types: provider
            .types
            .iter()
            .map(|t| t.as_str().to_owned())
            .collect(),
        base_url: provider.base_url.clone(),
        auth_type: if provider.auth_fields.is_empty() {
            "no_auth"
        } else {
            "api_key"
        }
        .to_owned(),
        has_credentials,
        key_state: row.key_state.clone(),
        is_configured: provider.is_configured(),
        mode: row.mode.clone(),
        grant: grant.to_owned(),
        max_in_flight: provider.max_in_flight,
        quota: QuotaView::default(),
        http_config: Value::Null,
        malice_rules: None,
        auth_fields: provider.auth_fields.clone(),
        env_var_mapping: BTreeMap::new(),
        default_cache_ttl_seconds: u32::try_from(DEFAULT_TTL_SECS).unwrap_or(0),
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

impl Engine {
    /// `GET /v1/enrichment-providers`.
    pub async fn providers(&self) -> Result<Vec<ProviderView>, Problem> {
        let set = self.inner.provider_set();
        self.inner
            .store
            .read(move |tx| set.all().map(|provider| read_view(tx, provider)).collect())
            .await
    }

    /// `GET /v1/enrichment-providers/{uuid}`.
    pub async fn provider(&self, id: ProviderId) -> Result<ProviderView, Problem> {
        let set = self.inner.provider_set();
        let provider = set.all().find(|provider| provider.row.uuid == id).cloned();
        let provider = provider.ok_or_else(|| Problem::not_found("enrichment provider"))?;
        self.inner
            .store
            .read(move |tx| read_view(tx, &provider))
            .await
    }

    /// `PATCH /v1/enrichment-providers/{uuid}`. An address on this machine or the local network is
    /// allowed by the human who sets it.
    pub async fn patch_provider(
        &self,
        by: &Principal,
        id: ProviderId,
        patch: ProviderPatch,
    ) -> Result<ProviderView, Problem> {
        by.need_human("changing an enrichment provider")?;
        let credentials = credentials(&patch.auth_config)?;
        let base_url = match &patch.base_url {
            Patch::Set(url) => Some(
                grants::judge("base_url", url, Audience::Provider)
                    .map_err(|error| Problem::fields(&[error]))?,
            ),
            Patch::Keep | Patch::Clear => None,
        };
        let class = base_url.as_ref().and_then(calseta_egress::Target::class);
        if class == Some(AddressClass::Private) && !patch.allow_private {
            return Err(Problem::field(
                "base_url",
                "is on the local network; send allow_private: true to allow it",
            ));
        }
        let (inner, now, actor) = (Arc::clone(&self.inner), self.inner.clock.now(), by.actor());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let mut row = provider::by_uuid(tx, id)?
                    .ok_or_else(|| Problem::not_found("enrichment provider"))?;
                let before = row.clone();
                apply(&mut row, patch.is_active, patch.mode, patch.base_url)?;
                let owner = format!("provider:{id}");
                if let Some(fields) = &credentials {
                    secret::remove(tx, &owner, None)?;
                    for (field, value) in fields {
                        let sealed = inner.vault.seal(&owner, field, value)?;
                        secret::put(tx, (&owner, field), &sealed, now)?;
                    }
                    let state = if fields.is_empty() { "missing" } else { "set" };
                    state.clone_into(&mut row.key_state);
                }
                if let Some(target) = &base_url
                    && target.needs_grant()
                {
                    grants::allow(tx, target, None, now)?;
                }
                if row == before && credentials.is_none() {
                    return Ok(());
                }
                row.updated_at = now;
                provider::update(tx, &row)?;
                enrichment::forget_failures(tx, row.id)?;
                let mut detail = Map::new();
                detail.insert("provider_name".to_owned(), json!(row.name));
                detail.insert(
                    "credentials_changed".to_owned(),
                    json!(credentials.is_some()),
                );
                event::append(
                    tx,
                    NewEvent {
                        at: now,
                        actor: &actor,
                        kind: "provider.updated",
                        object: ("provider", Some(id.uuid())),
                        alert: None,
                        detail,
                    },
                )?;
                Ok::<_, Problem>(())
            })
            .await?;
        self.inner.reload_providers().await?;
        self.provider(id).await
    }
}

fn apply(
    row: &mut ProviderRow,
    is_active: Patch<bool>,
    mode: Patch<String>,
    base_url: Patch<String>,
) -> Result<(), Problem> {
    let mut errors = Vec::new();
    set(&mut errors, "is_active", &mut row.is_active, is_active);
    set(&mut errors, "mode", &mut row.mode, mode);
    if !MODES.contains(&&*row.mode) {
        errors.push(FieldError::unknown_word("mode", "mode", &row.mode, MODES));
    }
    row.base_url = base_url.apply(row.base_url.take());
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(&errors))
    }
}

/// The credentials to store; `None` keeps those that are there.
fn credentials(
    patch: &Patch<Map<String, Value>>,
) -> Result<Option<BTreeMap<String, String>>, Problem> {
    let fields = match patch {
        Patch::Keep => return Ok(None),
        Patch::Clear => return Ok(Some(BTreeMap::new())),
        Patch::Set(fields) => fields,
    };
    let mut kept = BTreeMap::new();
    for (name, value) in fields {
        let text = value.as_str().map(str::trim).unwrap_or_default();
        let usable = !text.is_empty()
            && text.len() <= CREDENTIAL_MAX
            && text.chars().all(|c| !c.is_control());
        if !usable {
            return Err(Problem::new(
                ErrorCode::ValidationError,
                format!("auth_config.{name} must be a text of 1 to {CREDENTIAL_MAX} characters"),
            ));
        }
        kept.insert(name.clone(), text.to_owned());
    }
    Ok(Some(kept))
}
