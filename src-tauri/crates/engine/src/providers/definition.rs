//! A provider, parsed: its definition with what people changed of it, ready to be asked.
//!
//! The stored definition is data (assets/catalog, or what a person posted). Of a built-in provider
//! people's changes are kept beside it in `overrides`, so that a newer catalogue can replace the
//! definition without undoing them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use calseta_contract::provider::QuotaView;
use calseta_domain::{
    ExtractionRule, FieldError, HttpConfig, IndicatorType, ProviderId, Timestamp, VerdictRules,
};
use calseta_store::tables::provider::ProviderRow;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use zeroize::Zeroize;

use super::oauth::{ClientCredentials, TokenCache};
use super::quota::{Allowance, Usage};
use crate::enrichments::KnownAnswers;

/// Seconds an answer is kept when neither the definition nor the type says.
pub(crate) const DEFAULT_TTL_SECS: u32 = 3600;
/// The longest time that an answer is kept: a day.
pub(crate) const MAX_TTL_SECS: u64 = 86_400;
/// Requests at once when the definition does not say.
const DEFAULT_IN_FLIGHT: u32 = 4;
/// The most requests at once to one provider.
pub(crate) const MAX_IN_FLIGHT: u32 = 32;

/// Credentials by field name, in the clear; wiped when dropped, never shown.
#[derive(Default)]
pub(crate) struct Credentials(pub(crate) BTreeMap<String, String>);

impl Drop for Credentials {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// A provider that can be asked.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) row: ProviderRow,
    pub(crate) types: Vec<IndicatorType>,
    pub(crate) config: HttpConfig,
    pub(crate) verdicts: VerdictRules,
    pub(crate) extractions: Vec<ExtractionRule>,
    pub(crate) auth_type: String,
    /// The credentials that its templates name.
    pub(crate) auth_fields: Vec<String>,
    pub(crate) oauth: Option<ClientCredentials>,
    /// Empty when a person has to say it; may name a credential, as in `https://{{auth.domain}}`.
    pub(crate) base_url: String,
    pub(crate) env_var_mapping: BTreeMap<String, String>,
    /// Fields that are stored in the vault.
    pub(crate) stored_fields: Vec<String>,
    pub(crate) ttl_secs: BTreeMap<IndicatorType, i64>,
    pub(crate) default_ttl_secs: Option<u32>,
    pub(crate) mock: Map<String, Value>,
    pub(crate) quota: QuotaView,
    pub(crate) max_in_flight: u32,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) usage: Arc<Usage>,
    pub(crate) tokens: Arc<TokenCache>,
    /// What was asked on demand.
    pub(crate) known: Arc<KnownAnswers>,
    /// With the changes applied; for the API's view.
    pub(crate) definition: Value,
}

/// The definition with people's changes over it.
pub(crate) fn effective(row: &ProviderRow) -> Result<Value, Vec<FieldError>> {
    let read = |name: &str, text: &str| {
        serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| vec![FieldError::new(name, "is no JSON object")])
    };
    let mut value = read("definition", &row.definition)?;
    let Value::Object(changes) = read("overrides", &row.overrides)? else {
        return Ok(value);
    };
    for (key, change) in changes {
        value[key] = change;
    }
    Ok(value)
}

impl Provider {
    /// Reads a stored provider.
    pub(crate) fn parse(
        row: ProviderRow,
        extractions: Vec<ExtractionRule>,
        stored_fields: Vec<String>,
    ) -> Result<Self, Vec<FieldError>> {
        let value = effective(&row)?;
        let types = types(&value)?;
        let config = HttpConfig::parse(&value["http_config"])?;
        let oauth = ClientCredentials::parse(&value["oauth2"])?;
        let catalogue_url = value["base_url"].as_str().unwrap_or_default().to_owned();
        let max_in_flight = value["max_in_flight"]
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(DEFAULT_IN_FLIGHT)
            .clamp(1, MAX_IN_FLIGHT);
        Ok(Self {
            verdicts: VerdictRules::parse(&value["malice_rules"])?,
            auth_type: value["auth_type"].as_str().unwrap_or("no_auth").to_owned(),
            auth_fields: auth_fields(&value),
            base_url: row.base_url.clone().unwrap_or(catalogue_url),
            env_var_mapping: texts(&value["env_var_mapping"]),
            ttl_secs: ttls(&value["cache_ttl_by_type"]),
            default_ttl_secs: value["default_cache_ttl_seconds"]
                .as_u64()
                .and_then(|n| u32::try_from(n).ok()),
            mock: object(&value["mock_responses"]),
            quota: serde_json::from_value(value["quota"].clone()).unwrap_or_default(),
            slots: Arc::new(Semaphore::new(max_in_flight as usize)),
            usage: Arc::default(),
            tokens: Arc::default(),
            known: Arc::default(),
            definition: value,
            types,
            config,
            extractions,
            oauth,
            stored_fields,
            max_in_flight,
            row,
        })
    }

    /// Whether it is to be asked about this type: active, switched on and with what it needs.
    pub(crate) fn answers(&self, kind: IndicatorType) -> bool {
        self.is_configured() && self.types.contains(&kind)
    }

    /// Active, switched on and with every credential and address that its requests name.
    pub(crate) fn is_configured(&self) -> bool {
        self.row.is_active
            && match &*self.row.mode {
                "off" => false,
                "mock" => !self.mock.is_empty(),
                _ => self.has_what_it_needs(),
            }
    }

    fn has_what_it_needs(&self) -> bool {
        let environment = self.environment();
        let has = |field: &String| {
            self.stored_fields.contains(field) || environment.0.contains_key(field)
        };
        self.auth_fields.iter().all(has) && (!self.base_url.is_empty() || !self.names_base_url())
    }

    /// Whether a request begins with the base URL.
    fn names_base_url(&self) -> bool {
        let text = self.definition["http_config"].to_string();
        text.contains("{{base_url")
            || text.contains("{{ base_url")
            || text.contains("auth.base_url")
    }

    /// What the environment gives of its credentials: v1.1.0's way, for fields that nobody stored.
    pub(crate) fn environment(&self) -> Credentials {
        let named = self.env_var_mapping.iter();
        let found =
            named.filter_map(|(field, name)| Some((field.clone(), from_environment(name)?)));
        Credentials(found.collect())
    }

    /// Where it is asked; a template when it names a credential. The environment's when nobody
    /// said one.
    pub(crate) fn base_url(&self) -> String {
        if !self.base_url.is_empty() {
            return self.base_url.clone();
        }
        let name = self.env_var_mapping.get("base_url");
        name.and_then(|name| from_environment(name))
            .unwrap_or_default()
    }

    /// How long an answer about this type is kept. The definition's time for the type comes first,
    /// then its own default, then the type's.
    pub(crate) fn ttl_ms(&self, kind: IndicatorType) -> i64 {
        let own = self.ttl_secs.get(&kind).copied();
        let seconds = own
            .or_else(|| self.default_ttl_secs.map(i64::from))
            .unwrap_or_else(|| type_ttl_secs(kind));
        seconds * 1000
    }

    /// How much it may be asked now; canned answers are free.
    pub(crate) fn allowance(&self, now: Timestamp) -> Allowance {
        if self.row.mode == "mock" {
            Allowance::Now(u32::MAX)
        } else {
            self.usage.allowance(&self.quota, now)
        }
    }

    /// The canned answer for a type.
    pub(crate) fn canned(&self, kind: IndicatorType) -> Option<&Value> {
        self.mock
            .get(kind.as_str())
            .or_else(|| self.mock.get("default"))
    }

    /// The owner of its secrets.
    pub(crate) fn secret_owner(&self) -> String {
        secret_owner(self.row.uuid)
    }
}

/// The owner of a provider's secrets in the vault.
pub(crate) fn secret_owner(id: ProviderId) -> String {
    format!("provider:{id}")
}

/// How long an answer is kept by its type: addresses change hands sooner than files change.
fn type_ttl_secs(kind: IndicatorType) -> i64 {
    match kind {
        IndicatorType::Ip | IndicatorType::Email => 3_600,
        IndicatorType::Domain => 21_600,
        IndicatorType::HashMd5 | IndicatorType::HashSha1 | IndicatorType::HashSha256 => 86_400,
        IndicatorType::Url => 1_800,
        IndicatorType::Account => 900,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the engine reads the environment: credentials named by a definition"
)]
fn from_environment(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    (!value.trim().is_empty()).then_some(value)
}

fn types(value: &Value) -> Result<Vec<IndicatorType>, Vec<FieldError>> {
    let path = "supported_indicator_types";
    let words = value[path]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if words.is_empty() {
        let message = "must name at least one indicator type";
        return Err(vec![FieldError::new(path, message)]);
    }
    let parse = |word: &Value| {
        let word = word.as_str().unwrap_or_default();
        word.parse().map_err(|_| {
            let what = "indicator type";
            vec![FieldError::unknown_word(
                path,
                what,
                word,
                IndicatorType::WORDS,
            )]
        })
    };
    words.iter().map(parse).collect()
}

fn ttls(value: &Value) -> BTreeMap<IndicatorType, i64> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter_map(|(kind, secs)| Some((kind.parse().ok()?, secs.as_i64()?)))
        .collect()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned())))
        .collect()
}

/// The credentials that the definition lists, else those that its templates name.
fn auth_fields(value: &Value) -> Vec<String> {
    if let Some(listed) = value["auth_fields"].as_array() {
        let names = listed.iter().filter_map(Value::as_str);
        return names.map(str::to_owned).collect();
    }
    let mut found = BTreeSet::new();
    for part in ["http_config", "oauth2", "base_url"] {
        named_credentials(&value[part], &mut found);
    }
    if value["oauth2"].is_object() {
        found.extend(["client_id".to_owned(), "client_secret".to_owned()]);
        found.remove("access_token");
    }
    found.remove("base_url");
    if found.is_empty() {
        let own: &[&str] = match value["auth_type"].as_str() {
            Some("bearer_token") => &["token"],
            Some("basic_auth") => &["password", "username"],
            _ => &[],
        };
        found.extend(own.iter().map(|field| (*field).to_owned()));
    }
    found.into_iter().collect()
}

fn named_credentials(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            for placeholder in text.split("{{").skip(1) {
                let inside = placeholder.split("}}").next().unwrap_or_default();
                let name = inside.split('|').next().unwrap_or_default().trim();
                if let Some(field) = name.strip_prefix("auth.") {
                    found.insert(field.to_owned());
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named_credentials(item, found)),
        Value::Object(map) => map.values().for_each(|item| named_credentials(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_found_where_templates_name_them() {
        let fields = auth_fields(&json!({
            "base_url": "https://{{auth.domain}}",
            "http_config": {"steps": [{"headers": {"A": "SSWS {{ auth.api_token | urlencode }}"}}]},
        }));
        assert_eq!(fields, ["api_token", "domain"]);
        let fields = auth_fields(&json!({
            "oauth2": {"token_url": "https://login/{{auth.tenant}}"},
            "http_config": {"steps": [{"headers": {"A": "Bearer {{auth.access_token}}"}}]},
        }));
        assert_eq!(fields, ["client_id", "client_secret", "tenant"]);
    }
}
