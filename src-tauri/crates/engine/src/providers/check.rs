//! What a provider must be before it is stored: understood, within its bounds, and reaching only
//! addresses that may be reached.

use std::collections::BTreeMap;

use calseta_contract::Patch;
use calseta_contract::provider::QuotaView;
use calseta_domain::FieldError;
use calseta_egress::{AddressClass, Audience, Target};
use calseta_store::tables::provider::ProviderRow;
use serde_json::{Map, Value};

use super::definition::{MAX_IN_FLIGHT, MAX_TTL_SECS, Provider, effective};
use crate::{Problem, grants};

/// The longest credential.
const CREDENTIAL_MAX: usize = 4096;
/// The longest `display_name`.
const DISPLAY_NAME_MAX: usize = 200;
/// The largest `http_config`, `malice_rules` or `auth_config`, as JSON.
const PART_MAX_BYTES: usize = 256 * 1024;
/// The most lookups a minute and a day that a quota may say.
const QUOTA_MAX: (u32, u32) = (100_000, 100_000_000);
/// The modes.
const MODES: &[&str] = &["live", "mock", "off"];
/// How a provider authenticates. The requests' templates say where credentials stand; with
/// `bearer_token` and `basic_auth` the header is added when no template has one.
const AUTH_TYPES: &[&str] = &[
    "no_auth",
    "api_key",
    "api_token",
    "bearer_token",
    "basic_auth",
    "oauth2_client_credentials",
];
/// The addresses that a definition reaches, each with its path; a template up to its first value,
/// and none when that value decides the host.
pub(super) fn addresses(definition: &Value, base_url: &str) -> Vec<(String, String)> {
    let mut all = vec![("base_url".to_owned(), base_url)];
    if let Some(url) = definition["oauth2"]["token_url"].as_str() {
        all.push(("oauth2.token_url".to_owned(), url));
    }
    let config = &definition["http_config"];
    for (n, step) in config["steps"].as_array().into_iter().flatten().enumerate() {
        let url = step["url"].as_str().unwrap_or_default();
        all.push((format!("http_config.steps.{n}.url"), url));
    }
    for (kind, url) in config["url_templates_by_type"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let path = format!("http_config.url_templates_by_type.{kind}");
        all.push((path, url.as_str().unwrap_or_default()));
    }
    let fixed = |(path, url): (String, &str)| {
        let start = url.split("{{").next().unwrap_or_default();
        let (_, rest) = start.split_once("://")?;
        let has_host = start.len() == url.len() || rest.contains(['/', '?', '#']);
        has_host.then(|| (path, start.to_owned()))
    };
    all.into_iter().filter_map(fixed).collect()
}

/// Judges every address; those that a human must grant.
fn judged(
    definition: &Value,
    base_url: &str,
    allow_private: bool,
) -> Result<Vec<Target>, Vec<FieldError>> {
    let (mut targets, mut errors) = (Vec::new(), Vec::new());
    for (path, url) in addresses(definition, base_url) {
        match grants::judge(&path, &url, Audience::Provider) {
            Ok(target) if target.class() == Some(AddressClass::Private) && !allow_private => {
                let message = "is on the local network; send allow_private: true to allow it";
                errors.push(FieldError::new(path, message));
            }
            Ok(target) => targets.push(target),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(targets)
    } else {
        Err(errors)
    }
}

fn in_bounds(errors: &mut Vec<FieldError>, definition: &Value) {
    for part in ["http_config", "malice_rules"] {
        if definition[part].to_string().len() > PART_MAX_BYTES {
            errors.push(FieldError::new(part, "must be at most 256 KB as JSON"));
        }
    }
    let auth_type = definition["auth_type"].as_str().unwrap_or("no_auth");
    if !AUTH_TYPES.contains(&auth_type) {
        let error = FieldError::unknown_word("auth_type", "auth type", auth_type, AUTH_TYPES);
        errors.push(error);
    }
    if auth_type == "oauth2_client_credentials" && definition["oauth2"].is_null() {
        let names_token = definition["http_config"]
            .to_string()
            .contains("auth.access_token");
        if names_token {
            let message = "must say where the token comes from: {token_url, scope}";
            errors.push(FieldError::new("oauth2", message));
        }
    }
    let seconds = |value: &Value| value.as_u64().is_some_and(|n| n <= MAX_TTL_SECS);
    let default = &definition["default_cache_ttl_seconds"];
    if !default.is_null() && !seconds(default) {
        let message = "must be 0 to 86400 seconds";
        errors.push(FieldError::new("default_cache_ttl_seconds", message));
    }
    for (kind, value) in definition["cache_ttl_by_type"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let path = format!("cache_ttl_by_type.{kind}");
        let words = calseta_domain::IndicatorType::WORDS;
        if !words.contains(&&**kind) {
            errors.push(FieldError::unknown_word(
                path,
                "indicator type",
                kind,
                words,
            ));
        } else if !seconds(value) {
            errors.push(FieldError::new(path, "must be 0 to 86400 seconds"));
        }
    }
    let in_flight = &definition["max_in_flight"];
    let few = |n: u64| (1..=u64::from(MAX_IN_FLIGHT)).contains(&n);
    if !in_flight.is_null() && !in_flight.as_u64().is_some_and(few) {
        errors.push(FieldError::new("max_in_flight", "must be 1 to 32"));
    }
    let quota: QuotaView = serde_json::from_value(definition["quota"].clone()).unwrap_or_default();
    let limits = [
        ("quota.per_minute", quota.per_minute, QUOTA_MAX.0),
        ("quota.per_day", quota.per_day, QUOTA_MAX.1),
    ];
    for (path, limit, most) in limits {
        if limit.is_some_and(|n| n == 0 || n > most) {
            errors.push(FieldError::new(
                path,
                format!("must be 1 to {most}, or null"),
            ));
        }
    }
}

/// Everything that is wrong with a row that is about to be stored, and what it needs granted.
pub(super) fn check(row: &ProviderRow, allow_private: bool) -> Result<Vec<Target>, Problem> {
    let mut errors = Vec::new();
    let length = row.display_name.trim().chars().count();
    if length == 0 || length > DISPLAY_NAME_MAX {
        let message = format!("must have 1 to {DISPLAY_NAME_MAX} characters");
        errors.push(FieldError::new("display_name", message));
    }
    if !MODES.contains(&&*row.mode) {
        errors.push(FieldError::unknown_word("mode", "mode", &row.mode, MODES));
    }
    let definition = effective(row).map_err(|errors| Problem::fields(&errors))?;
    in_bounds(&mut errors, &definition);
    let base_url = row.base_url.clone().unwrap_or_else(|| {
        let url = definition["base_url"].as_str();
        url.unwrap_or_default().to_owned()
    });
    let targets = judged(&definition, &base_url, allow_private);
    if let Err(more) = Provider::parse(row.clone(), Vec::new(), Vec::new()) {
        errors.extend(more);
    }
    match targets {
        Ok(targets) if errors.is_empty() => Ok(targets),
        Ok(_) => Err(Problem::fields(&errors)),
        Err(more) => {
            errors.extend(more);
            Err(Problem::fields(&errors))
        }
    }
}

/// What a request gives of a provider's credentials.
#[derive(Default)]
pub(super) struct Given {
    /// To store instead of those that are there; `None` keeps them.
    pub(super) fields: Option<BTreeMap<String, String>>,
    /// v1.1.0 kept an address among the credentials.
    pub(super) base_url: Option<String>,
}

/// Reads `auth_config`.
pub(super) fn credentials(patch: &Patch<Map<String, Value>>) -> Result<Given, Problem> {
    let fields = match patch {
        Patch::Keep => return Ok(Given::default()),
        Patch::Clear => {
            return Ok(Given {
                fields: Some(BTreeMap::new()),
                base_url: None,
            });
        }
        Patch::Set(fields) => fields,
    };
    let mut kept = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, value) in fields {
        let text = value.as_str().map(str::trim).unwrap_or_default();
        let usable = !text.is_empty()
            && text.len() <= CREDENTIAL_MAX
            && text.chars().all(|c| !c.is_control());
        if usable {
            kept.insert(name.clone(), text.to_owned());
        } else {
            let message = format!("must be a text of 1 to {CREDENTIAL_MAX} characters");
            errors.push(FieldError::new(format!("auth_config.{name}"), message));
        }
    }
    if errors.is_empty() {
        let base_url = kept.remove("base_url");
        Ok(Given {
            fields: Some(kept),
            base_url,
        })
    } else {
        Err(Problem::fields(&errors))
    }
}
