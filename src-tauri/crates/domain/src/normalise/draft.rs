//! What the sources share: bounded building of an alert, and reading of loosely typed values.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::{ExtractedIndicator, NormalisedAlert, NormalisedField, Pass, RuleReference};
use crate::indicator::{MAX_VALUE_BYTES, hash_kind};
use crate::{Indicator, IndicatorType, Severity, Timestamp, attack, path};

/// The longest title, in characters; longer ones are cut.
pub const MAX_TITLE_CHARS: usize = 500;
/// The longest description, in characters; longer ones are cut.
pub const MAX_DESCRIPTION_CHARS: usize = 20_000;
/// The longest rule documentation, in characters; longer ones are cut.
const MAX_DOCUMENTATION_CHARS: usize = 60_000;
/// The most tags; more are dropped.
pub const MAX_TAGS: usize = 50;
/// The longest tag, in characters; longer ones are cut.
pub const MAX_TAG_CHARS: usize = 100;
/// The most indicators an alert has; more are dropped.
pub const MAX_INDICATORS: usize = 1_000;
/// The most raw values kept for one normalised field.
pub const MAX_FIELD_VALUES: usize = 100;
/// The most ATT&CK ids of one kind kept for a rule.
const MAX_MITRE_IDS: usize = 50;
/// Numbers from here on are epoch milliseconds, below it seconds (the year 5138).
const FIRST_EPOCH_MS: f64 = 1e11;

/// How a table reads a value into an indicator.
#[derive(Clone, Copy)]
pub(super) enum Reads {
    /// It is no indicator by itself; a mapping may make it one.
    Nothing,
    /// One of this type.
    Is(IndicatorType),
    /// An address or a domain name, whichever it is.
    Host,
    /// A hash, its type by its length.
    Hash,
}

/// One row of a source's table: path, indicator, normalised field.
pub(super) type Row = (&'static str, Reads, Option<NormalisedField>);

/// An alert under construction.
pub(super) struct Draft {
    alert: NormalisedAlert,
    seen: HashSet<Indicator>,
}

impl Draft {
    pub(super) fn new(title: &str, severity: Severity) -> Self {
        let alert = NormalisedAlert {
            title: clamp(title, MAX_TITLE_CHARS),
            description: None,
            severity,
            occurred_at: None,
            tags: Vec::new(),
            source_url: None,
            rule: None,
            indicators: Vec::new(),
            fields: BTreeMap::new(),
        };
        Self {
            alert,
            seen: HashSet::new(),
        }
    }

    pub(super) fn finish(self) -> NormalisedAlert {
        self.alert
    }

    pub(super) fn describe(&mut self, description: Option<&str>) {
        self.alert.description = description.map(|text| clamp(text, MAX_DESCRIPTION_CHARS));
    }

    pub(super) fn occurred_at(&mut self, time: Option<Timestamp>) {
        self.alert.occurred_at = time;
    }

    /// Kept only when it is http or https: it becomes a link.
    pub(super) fn source_url(&mut self, raw: Option<&str>) {
        self.alert.source_url = raw
            .filter(|text| text.len() <= MAX_VALUE_BYTES)
            .filter(|text| {
                url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
            })
            .map(str::to_owned);
    }

    pub(super) fn tag(&mut self, raw: &str) {
        let tag = clamp(raw, MAX_TAG_CHARS);
        if !tag.is_empty() && self.alert.tags.len() < MAX_TAGS && !self.alert.tags.contains(&tag) {
            self.alert.tags.push(tag);
        }
    }

    pub(super) fn tags(&mut self, list: Option<&Value>) {
        for tag in texts(list) {
            self.tag(&tag);
        }
    }

    pub(super) fn rule(&mut self, rule: RuleReference) {
        self.alert.rule = Some(rule);
    }

    /// Adds an indicator of the first pass, unless the value is none or is there already.
    pub(super) fn indicator(&mut self, kind: IndicatorType, raw: &str, path: &str) -> bool {
        let Some(indicator) = Indicator::new(kind, raw) else {
            return false;
        };
        if self.seen.len() < MAX_INDICATORS && self.seen.insert(indicator.clone()) {
            let path = path.to_owned();
            let extracted = ExtractedIndicator {
                indicator,
                pass: Pass::SourcePlugin,
                path,
            };
            self.alert.indicators.push(extracted);
        }
        true
    }

    /// Keeps a raw text under a field, for the mappings.
    pub(super) fn field(&mut self, field: NormalisedField, raw: &str) {
        let raw = raw.trim();
        if raw.is_empty() || raw.len() > MAX_VALUE_BYTES {
            return;
        }
        let values = self.alert.fields.entry(field).or_default();
        if values.len() < MAX_FIELD_VALUES && !values.iter().any(|known| known == raw) {
            values.push(raw.to_owned());
        }
    }

    pub(super) fn read(&mut self, reads: Reads, raw: &str, path: &str) {
        match reads {
            Reads::Nothing => {}
            Reads::Is(kind) => {
                self.indicator(kind, raw, path);
            }
            Reads::Host => {
                if !self.indicator(IndicatorType::Ip, raw, path) {
                    self.indicator(IndicatorType::Domain, raw, path);
                }
            }
            Reads::Hash => {
                if let Some(kind) = hash_kind(raw) {
                    self.indicator(kind, raw, path);
                }
            }
        }
    }

    /// Reads every row of a table out of a document.
    pub(super) fn read_table(&mut self, document: &Value, table: &[Row]) {
        for (path, reads, field) in table {
            for value in path::lookup_all(document, path) {
                let Some(raw) = text(value) else { continue };
                self.read(*reads, &raw, path);
                if let Some(field) = field {
                    self.field(*field, &raw);
                }
            }
        }
    }
}

impl RuleReference {
    /// A rule by its id, with the name for people when there is one.
    pub(super) fn by_id(id: &str, name: Option<&str>) -> Self {
        Self {
            source_rule_id: clamp(id, MAX_TITLE_CHARS),
            name: clamp(name.unwrap_or(id), MAX_TITLE_CHARS),
            ..Self::default()
        }
    }

    pub(super) fn document(&mut self, text: Option<&str>) {
        self.documentation = text.map(|text| clamp(text, MAX_DOCUMENTATION_CHARS));
    }

    pub(super) fn tactic(&mut self, raw: &str) {
        push_id(&mut self.mitre_tactics, attack::tactic_id(raw));
    }

    pub(super) fn technique(&mut self, raw: &str) {
        let raw = raw.trim();
        if raw.contains('.') {
            push_id(&mut self.mitre_subtechniques, raw);
        } else {
            push_id(&mut self.mitre_techniques, raw);
        }
    }
}

fn push_id(ids: &mut Vec<String>, id: &str) {
    let id = clamp(id, MAX_TAG_CHARS);
    if !id.is_empty() && ids.len() < MAX_MITRE_IDS && !ids.contains(&id) {
        ids.push(id);
    }
}

/// Trimmed and cut to a number of characters.
fn clamp(text: &str, max_chars: usize) -> String {
    text.trim().chars().take(max_chars).collect()
}

/// A value as text: a string that is not blank, or a number.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.trim())
            .filter(|t| !t.is_empty())
            .map(Cow::Borrowed),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The texts of a list, or of a single value.
pub(super) fn texts(value: Option<&Value>) -> impl Iterator<Item = Cow<'_, str>> {
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items.iter().filter_map(text)
}

/// The first of these paths that holds a text; for a list its first text.
pub(super) fn first_text<'a>(document: &'a Value, paths: &[&str]) -> Option<Cow<'a, str>> {
    paths
        .iter()
        .find_map(|path| texts(path::lookup(document, path)).next())
}

/// The severity that a word of any case names; `Pending` when none.
pub(super) fn severity(word: &str) -> Severity {
    let word = word.trim();
    let named = Severity::ALL
        .iter()
        .find(|s| s.as_str().eq_ignore_ascii_case(word));
    match named {
        Some(severity) => *severity,
        None if word.eq_ignore_ascii_case("info") => Severity::Informational,
        None => Severity::Pending,
    }
}

/// A time as sources write it: RFC 3339, ISO 8601 without a zone (taken as UTC), or the epoch in
/// seconds or milliseconds, as a number or as text.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let text = match value {
        Value::Number(number) => return epoch(number.as_f64()?),
        Value::String(text) => text.trim(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
        let time = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        return Some(Timestamp::from_millis(time.as_millisecond()));
    }
    epoch(text.parse().ok()?)
}

fn epoch(number: f64) -> Option<Timestamp> {
    let seconds = if number.abs() >= FIRST_EPOCH_MS {
        number / 1_000.0
    } else {
        number
    };
    Timestamp::from_unix_seconds(seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_sources_use() {
        let expected: Timestamp = "2025-01-15T10:28:00.5Z".parse().expect("valid");
        for value in [
            json!("2025-01-15T10:28:00.5000000Z"),
            json!("2025-01-15T12:28:00.500+02:00"),
            json!("2025-01-15T12:28:00.500+0200"),
            json!("2025-01-15T10:28:00.5"),
            json!("2025-01-15 10:28:00.5"),
            json!("1736936880.500"),
            json!(1_736_936_880.5),
            json!(1_736_936_880_500_i64),
        ] {
            assert_eq!(time(&value), Some(expected), "{value}");
        }
        for value in [
            json!("yesterday"),
            json!(""),
            json!(null),
            json!("NaN"),
            json!(1e300),
        ] {
            assert_eq!(time(&value), None, "{value}");
        }
    }
}
