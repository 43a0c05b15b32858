//! Settings: what was chosen over what is the default, and what follows from it here.
//!
//! They are read once at the start and kept; a change replaces them as a whole and is announced on
//! a watch, so that whoever acts on one (limits, ingest) acts on the new one with the next request.

use std::collections::BTreeMap;
use std::sync::Arc;

use calseta_contract::settings::{ApprovalDefaults, SecurityView, SettingSchema, SettingsView};
use calseta_domain::settings::{self, SETTINGS, Setting};
use calseta_domain::{FieldError, Scope};
use calseta_store::tables::event::Actor;
use calseta_store::tables::setting;
use calseta_store::{Store, StoreError, WriteTx};
use serde_json::{Map, Value, json};

use crate::start::Inner;
use crate::{Engine, Principal, Problem, outbound};

/// Milliseconds an hour.
const HOUR_MS: i64 = 3600 * 1000;
/// Milliseconds a second.
const SECOND_MS: i64 = 1000;

/// All settings as they are now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// By `group.key`: what was chosen. The rest has its default.
    chosen: BTreeMap<String, Value>,
}

impl Settings {
    pub(crate) async fn load(store: &Store) -> Result<Self, StoreError> {
        let stored = store.read(|tx| setting::all(tx)).await?;
        let mut chosen = BTreeMap::new();
        for (name, text) in stored {
            let value = serde_json::from_str::<Value>(&text).ok();
            let known = name
                .split_once('.')
                .zip(value)
                .and_then(|((group, key), value)| settings::validate(group, key, &value).ok());
            // One of an earlier program that is gone, or out of today's bounds: the default holds.
            if let Some(value) = known {
                chosen.insert(name, value);
            }
        }
        Ok(Self { chosen })
    }

    fn value(&self, setting: &Setting) -> Value {
        self.chosen
            .get(&setting.name())
            .cloned()
            .unwrap_or_else(|| setting.default_value())
    }

    fn get(&self, group: &str, key: &str) -> Value {
        settings::setting(group, key).map_or(Value::Null, |setting| self.value(setting))
    }

    /// A number.
    pub fn number(&self, group: &str, key: &str) -> i64 {
        self.get(group, key).as_i64().unwrap_or(0)
    }

    /// A yes or no.
    pub fn flag(&self, group: &str, key: &str) -> bool {
        self.get(group, key).as_bool().unwrap_or(false)
    }

    /// A text.
    pub fn text(&self, group: &str, key: &str) -> String {
        self.get(group, key).as_str().unwrap_or_default().to_owned()
    }

    fn groups(&self) -> BTreeMap<String, Map<String, Value>> {
        let mut groups: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for setting in SETTINGS {
            groups
                .entry(setting.group.to_owned())
                .or_default()
                .insert(setting.key.to_owned(), self.value(setting));
        }
        groups
    }
}

impl Inner {
    /// How long an alert waits for its enrichment before agents are told what there is by then.
    pub(crate) fn budget_ms(&self) -> i64 {
        self.settings.borrow().number("enrichment", "wait_seconds") * SECOND_MS
    }

    /// How long after its last sighting an alert swallows repetitions; 0 is never.
    pub(crate) fn dedup_window_ms(&self) -> i64 {
        self.settings
            .borrow()
            .number("ingest", "dedup_window_hours")
            * HOUR_MS
    }

    /// Whether no alerts are taken in.
    pub(crate) fn is_paused(&self) -> bool {
        self.settings.borrow().flag("ingest", "paused")
    }
}

/// A change as it was understood: setting and its new value; `None` goes back to the default.
type Wanted = Vec<(&'static Setting, Option<Value>)>;

fn wanted(patch: &Map<String, Value>) -> Result<Wanted, Problem> {
    let mut errors = Vec::new();
    let mut wanted = Vec::new();
    for (group, keys) in patch {
        let Value::Object(keys) = keys else {
            errors.push(FieldError::new(
                group,
                "must be an object of this group's settings",
            ));
            continue;
        };
        for (key, value) in keys {
            let checked = settings::setting(group, key).and_then(|setting| {
                let value = match value {
                    Value::Null => None,
                    value => Some(setting.validate(value)?),
                };
                Ok((setting, value))
            });
            match checked {
                Ok(pair) => wanted.push(pair),
                Err(error) => errors.push(error),
            }
        }
    }
    if errors.is_empty() {
        Ok(wanted)
    } else {
        Err(Problem::fields(&errors))
    }
}

impl Engine {
    /// The settings as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.inner.settings.borrow())
    }

    /// Is told of every change of the settings.
    pub fn watch_settings(&self) -> tokio::sync::watch::Receiver<Arc<Settings>> {
        self.inner.settings.subscribe()
    }

    /// Who somebody is in events: the analyst bears the name of the settings.
    pub(crate) fn actor(&self, by: &Principal) -> Actor {
        let mut actor = by.actor();
        if by.api_key().is_none() {
            actor.name = self.inner.settings.borrow().text("general", "analyst_name");
        }
        actor
    }

    /// `GET /v1/settings`.
    pub fn settings_view(&self) -> SettingsView {
        let key = self.key_store();
        SettingsView {
            groups: self.settings().groups(),
            security: SecurityView {
                master_key: key.state.to_owned(),
                master_key_version: key.version,
                rotated_at: key.rotated_at,
            },
        }
    }

    /// `GET /v1/settings/schema`.
    pub fn settings_schema() -> Vec<SettingSchema> {
        SETTINGS.iter().map(schema).collect()
    }

    /// `PATCH /v1/settings`: `{group: {key: value}}`; `null` goes back to the default. All of it
    /// or nothing.
    pub async fn patch_settings(
        &self,
        by: &Principal,
        patch: &Map<String, Value>,
    ) -> Result<SettingsView, Problem> {
        by.need(Scope::Admin)?;
        by.need_human("changing settings")?;
        let wanted = wanted(patch)?;
        let (change, before) = (self.change(by), self.settings());
        let mut after = Settings::clone(&before);
        let mut detail = Map::new();
        for (setting, value) in wanted {
            let name = setting.name();
            match value {
                Some(value) => after.chosen.insert(name.clone(), value),
                None => after.chosen.remove(&name),
            };
            let (old, new) = (before.value(setting), after.value(setting));
            if old != new {
                detail.insert(name, json!([old, new]));
            }
        }
        if after == *before {
            return Ok(self.settings_view());
        }
        // A file that cannot be read is refused now, and asks nobody who changes something else.
        let rules = detail
            .keys()
            .any(|name| name.starts_with("network."))
            .then(|| outbound::rules(&after))
            .transpose()?;
        let stored = after.clone();
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                for name in before.chosen.keys() {
                    if !stored.chosen.contains_key(name) {
                        setting::delete(tx, name)?;
                    }
                }
                for (name, value) in &stored.chosen {
                    if before.chosen.get(name) != Some(value) {
                        setting::put(tx, name, &value.to_string())?;
                    }
                }
                if detail.is_empty() {
                    return Ok::<_, Problem>(());
                }
                change.append(tx, "settings.updated", ("settings", None), detail)
            })
            .await?;
        if let Some(rules) = rules {
            self.inner.egress.set_rules(rules);
        }
        self.inner.settings.send_replace(Arc::new(after));
        Ok(self.settings_view())
    }

    /// `GET /v1/settings/approval-defaults`, in v1.1.0's shape.
    pub fn approval_defaults(&self) -> ApprovalDefaults {
        let settings = self.settings();
        let seconds = settings.number("approvals", "default_timeout_seconds");
        ApprovalDefaults {
            notifier: settings.text("approvals", "notifier"),
            default_channel: None,
            default_timeout_seconds: u64::try_from(seconds).unwrap_or(0),
            slack_configured: false,
            teams_configured: false,
        }
    }
}

fn schema(setting: &Setting) -> SettingSchema {
    let (minimum, maximum) = setting.range().unzip();
    SettingSchema {
        group: setting.group.to_owned(),
        key: setting.key.to_owned(),
        kind: setting.json_type().to_owned(),
        default: setting.default_value(),
        minimum,
        maximum,
        allowed: setting
            .allowed()
            .map(|words| words.iter().map(|word| (*word).to_owned()).collect()),
        text: setting.text.to_owned(),
        needs_restart: setting.needs_restart,
    }
}
