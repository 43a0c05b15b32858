//! Where an own source keeps what we call title, severity, time and rule.
//!
//! A vendor that we have no plugin for sends what it sends; the map says at which paths the
//! generic plugin finds its fields. What is not mapped is read under generic's own names. The map
//! is checked when it is saved, so that a mistake in it never costs an alert.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::draft::{self, text, texts};
use crate::{FieldError, Severity, Timestamp, path};

/// The longest path, in bytes.
const MAX_PATH_BYTES: usize = 512;
/// The most entries of a severity map.
const MAX_SEVERITIES: usize = 200;
/// The longest key of a severity map, in bytes.
const MAX_KEY_BYTES: usize = 100;

const FIELDS: &[&str] = &[
    "title",
    "severity",
    "severity_map",
    "occurred_at",
    "description",
    "tags",
    "rule_id",
    "rule_name",
    "url",
];

/// The paths of an own source, as `domain::path` reads them: dotted keys and lists on the way are
/// gone through, and the first text that is found counts. The empty map is the generic plugin.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldMap {
    title: Option<String>,
    severity: Option<String>,
    severities: Vec<(Key, Severity)>,
    occurred_at: Option<String>,
    description: Option<String>,
    tags: Option<String>,
    rule_id: Option<String>,
    rule_name: Option<String>,
    url: Option<String>,
}

/// What a severity map's key stands for.
#[derive(Debug, Clone, PartialEq)]
enum Key {
    /// This text, ignoring case.
    Text(String),
    /// Every number from the first to the second, both included: `12-15`.
    Range(f64, f64),
}

impl FieldMap {
    /// Reads `{title, severity, severity_map, occurred_at, description, tags, rule_id, rule_name,
    /// url}`; null is the empty map. All mistakes at once; their paths begin with `field_map`.
    pub fn parse(value: &Value) -> Result<Self, Vec<FieldError>> {
        let map = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(map) => map,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                let message = "must be an object of paths, like {\"title\": \"rule.description\"}";
                return Err(vec![FieldError::new("field_map", message)]);
            }
        };
        let mut errors = Vec::new();
        for key in map.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
            let path = format!("field_map.{key}");
            errors.push(FieldError::unknown_word(path, "field", key, FIELDS));
        }
        let mut path = |key: &str| read_path(map, key, &mut errors);
        let mut read = Self {
            title: path("title"),
            severity: path("severity"),
            severities: Vec::new(),
            occurred_at: path("occurred_at"),
            description: path("description"),
            tags: path("tags"),
            rule_id: path("rule_id"),
            rule_name: path("rule_name"),
            url: path("url"),
        };
        if let Some(value) = map.get("severity_map").filter(|value| !value.is_null()) {
            read.severities = read_severities(value, &mut errors);
            if read.severity.is_none() && !map.contains_key("severity") {
                let message = "has no effect without a path in field_map.severity; name one";
                errors.push(FieldError::new("field_map.severity_map", message));
            }
        }
        if errors.is_empty() {
            Ok(read)
        } else {
            Err(errors)
        }
    }

    /// The title; the error is what to tell the sender.
    pub(super) fn title<'a>(&self, document: &'a Value) -> Result<Option<Cow<'a, str>>, String> {
        let Some(path) = &self.title else {
            return Ok(None);
        };
        first(document, path).map(Some).ok_or_else(|| {
            format!(
                "there is no text at {path:?}, where this source's field_map.title looks for the \
                 title; send it there or change the map"
            )
        })
    }

    /// `None` when the map does not say where it is.
    pub(super) fn severity(&self, document: &Value) -> Option<Severity> {
        let path = self.severity.as_ref()?;
        Some(first(document, path).map_or(Severity::Pending, |word| self.severity_of(&word)))
    }

    fn severity_of(&self, word: &str) -> Severity {
        let exact = |(key, _): &&(Key, Severity)| matches!(key, Key::Text(text) if text == word);
        let same = |(key, _): &&(Key, Severity)| matches!(key, Key::Text(text) if text.to_lowercase() == word.to_lowercase());
        let number: Option<f64> = word.parse().ok();
        let within = |(key, _): &&(Key, Severity)| match (key, number) {
            (Key::Range(low, high), Some(number)) => (*low..=*high).contains(&number),
            _ => false,
        };
        let entries = || self.severities.iter();
        entries()
            .find(exact)
            .or_else(|| entries().find(same))
            .or_else(|| entries().find(within))
            .map_or_else(|| draft::severity(word), |(_, severity)| *severity)
    }

    pub(super) fn occurred_at(&self, document: &Value) -> Reading<Timestamp> {
        Reading::read(self.occurred_at.as_deref(), |path| {
            path::lookup_all(document, path)
                .into_iter()
                .find_map(draft::time)
        })
    }

    pub(super) fn description<'a>(&self, document: &'a Value) -> Reading<Cow<'a, str>> {
        Reading::read(self.description.as_deref(), |path| first(document, path))
    }

    pub(super) fn url<'a>(&self, document: &'a Value) -> Reading<Cow<'a, str>> {
        Reading::read(self.url.as_deref(), |path| first(document, path))
    }

    pub(super) fn tags<'a>(&self, document: &'a Value) -> Reading<Vec<Cow<'a, str>>> {
        Reading::read(self.tags.as_deref(), |path| {
            let found = path::lookup_all(document, path);
            Some(found.into_iter().filter_map(text).collect())
        })
    }

    /// The rule's id; not mapped only when its name is not mapped either.
    pub(super) fn rule_id<'a>(&self, document: &'a Value) -> Reading<Cow<'a, str>> {
        let path = self.rule_id.as_deref();
        match Reading::read(path, |path| first(document, path)) {
            Reading::NotMapped if self.rule_name.is_some() => Reading::Absent,
            id => id,
        }
    }

    /// The rule's name; not mapped only when its id is not mapped either.
    pub(super) fn rule_name<'a>(&self, document: &'a Value) -> Reading<Cow<'a, str>> {
        let path = self.rule_name.as_deref();
        match Reading::read(path, |path| first(document, path)) {
            Reading::NotMapped if self.rule_id.is_some() => Reading::Absent,
            name => name,
        }
    }
}

/// What a map gives for a field.
pub(super) enum Reading<T> {
    /// The map does not say where it is: generic's own name counts.
    NotMapped,
    /// It is not where the map says.
    Absent,
    Found(T),
}

impl<T> Reading<T> {
    fn read(path: Option<&str>, look: impl FnOnce(&str) -> Option<T>) -> Self {
        match path.map(look) {
            None => Self::NotMapped,
            Some(None) => Self::Absent,
            Some(Some(value)) => Self::Found(value),
        }
    }

    /// The value; what `own` gives when the field is not mapped.
    pub(super) fn or_own(self, own: impl FnOnce() -> Option<T>) -> Option<T> {
        match self {
            Self::NotMapped => own(),
            Self::Absent => None,
            Self::Found(value) => Some(value),
        }
    }
}

fn first<'a>(document: &'a Value, path: &str) -> Option<Cow<'a, str>> {
    let found = path::lookup_all(document, path);
    found
        .into_iter()
        .find_map(|value| texts(Some(value)).next())
}

fn read_path(map: &Map<String, Value>, key: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    let value = map.get(key).filter(|value| !value.is_null())?;
    let path = value.as_str().map(str::trim).unwrap_or_default();
    let is_path = !path.is_empty()
        && path.len() <= MAX_PATH_BYTES
        && path.split('.').all(|segment| !segment.is_empty());
    if !is_path {
        let message = format!(
            "must be a path into the payload, like rule.description, of at most {MAX_PATH_BYTES} \
             bytes"
        );
        errors.push(FieldError::new(format!("field_map.{key}"), message));
        return None;
    }
    Some(path.to_owned())
}

fn read_severities(value: &Value, errors: &mut Vec<FieldError>) -> Vec<(Key, Severity)> {
    let Some(map) = value.as_object().filter(|map| map.len() <= MAX_SEVERITIES) else {
        let message = format!(
            "must be an object of at most {MAX_SEVERITIES} words or numbers with their severity, \
             like {{\"12-14\": \"High\"}}"
        );
        errors.push(FieldError::new("field_map.severity_map", message));
        return Vec::new();
    };
    let mut read = Vec::new();
    for (key, word) in map {
        let path = format!("field_map.severity_map.{key}");
        let Some(key) = read_key(key) else {
            let message = format!(
                "the key must be a word, a number or a range like 12-15, of at most \
                 {MAX_KEY_BYTES} bytes"
            );
            errors.push(FieldError::new(path, message));
            continue;
        };
        let word = word.as_str().unwrap_or_default();
        match word.parse() {
            Ok(severity) => read.push((key, severity)),
            Err(_) => {
                errors.push(FieldError::unknown_word(
                    path,
                    "severity",
                    word,
                    Severity::WORDS,
                ));
            }
        }
    }
    read
}

fn read_key(key: &str) -> Option<Key> {
    let key = key.trim();
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return None;
    }
    let number = |text: &str| -> Option<f64> {
        let text = text.trim();
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        text.parse().ok().filter(|_| is_number)
    };
    let range = key
        .split_once('-')
        .map(|(low, high)| (number(low), number(high)));
    match range {
        Some((Some(low), Some(high))) => (low <= high).then_some(Key::Range(low, high)),
        _ => Some(Key::Text(key.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::normalise::{Plugin, normalise, normalise_with};

    fn map(value: &Value) -> FieldMap {
        FieldMap::parse(value).expect("a valid map")
    }

    fn wazuh() -> FieldMap {
        map(&json!({
            "title": "rule.description", "severity": "rule.level", "occurred_at": "timestamp",
            "severity_map": {"0-3": "Informational", "4-6": "Low", "7-11": "Medium",
                "12-14": "High", "15": "Critical", "odd": "Low"},
            "tags": "rule.groups", "rule_id": "rule.id", "rule_name": "rule.description",
            "description": "full_log", "url": "links.href",
        }))
    }

    #[test]
    fn an_own_sources_alert_is_read_by_its_map() {
        let alert = normalise_with(
            Plugin::Generic,
            &wazuh(),
            &json!({
                "timestamp": "2025-01-15T10:28:00.000+0000",
                "rule": {"level": 12, "description": "sshd: brute force", "id": 5712,
                    "groups": ["sshd", "authentication_failures"]},
                "full_log": "Failed password", "links": [{"href": "https://siem.example/a/1"}],
                "src_ip": "185.220.101.47",
            }),
        )
        .expect("an alert");
        assert_eq!(alert.title, "sshd: brute force");
        assert_eq!(alert.severity, Severity::High);
        assert_eq!(alert.description.as_deref(), Some("Failed password"));
        assert_eq!(alert.tags, ["sshd", "authentication_failures"]);
        assert_eq!(
            alert.source_url.as_deref(),
            Some("https://siem.example/a/1")
        );
        assert_eq!(
            alert.occurred_at.map(|t| t.to_string()).as_deref(),
            Some("2025-01-15T10:28:00Z")
        );
        let rule = alert.rule.expect("a rule");
        assert_eq!(
            (rule.source_rule_id.as_str(), rule.name.as_str()),
            ("5712", "sshd: brute force")
        );
        assert_eq!(alert.indicators.len(), 1, "generic's own names still count");
    }

    #[test]
    fn numbers_ranges_and_words_become_severities() {
        let map = wazuh();
        for (word, expected) in [
            ("0", Severity::Informational),
            ("3.0", Severity::Informational),
            ("6", Severity::Low),
            ("11", Severity::Medium),
            ("14", Severity::High),
            ("15", Severity::Critical),
            ("16", Severity::Pending),
            ("ODD", Severity::Low),
            ("critical", Severity::Critical),
            ("14.5", Severity::Pending),
        ] {
            assert_eq!(map.severity_of(word), expected, "{word}");
        }
    }

    #[test]
    fn flat_keys_and_lists_are_reached() {
        let flat = map(&json!({"title": "rule.name", "severity": "events.level"}));
        let alert = normalise_with(
            Plugin::Generic,
            &flat,
            &json!({"rule.name": "t", "events": [{"x": 1}, {"level": "high"}]}),
        )
        .expect("an alert");
        assert_eq!(
            (alert.title.as_str(), alert.severity),
            ("t", Severity::High)
        );
    }

    #[test]
    fn a_payload_without_the_title_is_refused_with_the_path() {
        let payload = json!({"title": "generic's own name does not stand in", "rule": {}});
        let refused = normalise_with(Plugin::Generic, &wazuh(), &payload).expect_err("no title");
        assert!(
            refused.message.contains("\"rule.description\""),
            "{refused}"
        );
    }

    #[test]
    fn the_empty_map_is_the_generic_plugin() {
        let payload = json!({"title": "t", "severity": "low", "tags": ["a"], "rule_id": 7});
        let none = FieldMap::parse(&Value::Null).expect("null is the empty map");
        assert_eq!(
            normalise_with(Plugin::Generic, &none, &payload),
            normalise(Plugin::Generic, &payload)
        );
    }

    #[test]
    fn every_mistake_is_named_where_it_is() {
        let errors = FieldMap::parse(&json!({
            "titel": "a", "severity": 5, "tags": "", "url": "a..b", "rule_id": null,
            "severity_map": {"1": "high", "9-3": "Low", "": "Low", "x": 5},
        }))
        .expect_err("mistakes");
        let paths: Vec<_> = errors.iter().map(|e| e.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "field_map.titel",
                "field_map.severity",
                "field_map.tags",
                "field_map.url",
                "field_map.severity_map.1",
                "field_map.severity_map.9-3",
                "field_map.severity_map.",
                "field_map.severity_map.x",
            ]
        );
        assert_eq!(errors[0].did_you_mean.as_deref(), Some("title"));
        assert_eq!(errors[4].did_you_mean.as_deref(), Some("High"));
        assert!(FieldMap::parse(&json!([])).is_err());
        let alone = FieldMap::parse(&json!({"severity_map": {"1": "High"}})).expect_err("no path");
        assert_eq!(alone[0].path, "field_map.severity_map");
    }
}
