//! Reading filters: every unknown field, operator and value is an error that names it.

use serde_json::{Map, Value};

use super::{Filter, MAX_RULES, MAX_VALUES, Order, Test, fold_tag};
use crate::{FieldError, Severity};

const TRIGGER_FIELDS: &[&str] = &[
    "min_severity",
    "source_names",
    "tags",
    "match_any",
    "match_all",
];
const TARGETING_FIELDS: &[&str] = &["match_any", "match_all"];
const RULE_FIELDS: &[&str] = &["field", "op", "value"];
const SUBJECT_FIELDS: &[&str] = &["source_name", "severity", "tags"];
const OPS: &[&str] = &["eq", "in", "contains", "gte", "lte", "gt", "lt"];
const SOURCE_OPS: &[&str] = &["eq", "in"];
const SEVERITY_OPS: &[&str] = &["eq", "in", "gte", "lte", "gt", "lt"];
const TAGS_OPS: &[&str] = &["contains", "in"];

pub(super) fn trigger(value: &Value, known_sources: &[String]) -> Result<Filter, Vec<FieldError>> {
    read("trigger_filter", TRIGGER_FIELDS, value, known_sources)
}

pub(super) fn targeting(
    value: &Value,
    known_sources: &[String],
) -> Result<Filter, Vec<FieldError>> {
    if value.as_object().is_some_and(Map::is_empty) {
        let message = "give match_any or match_all, or null for no restriction";
        return Err(vec![FieldError::new("targeting_rules", message)]);
    }
    read("targeting_rules", TARGETING_FIELDS, value, known_sources)
}

pub(super) fn legacy(
    sources: &[String],
    severities: &[String],
    known_sources: &[String],
) -> Result<Filter, Vec<FieldError>> {
    let mut reader = Reader {
        known_sources,
        errors: Vec::new(),
    };
    let mut filter = Filter::default();
    let list = |words: &[String]| Value::Array(words.iter().cloned().map(Value::String).collect());
    if !sources.is_empty() {
        filter.group(
            reader
                .sources("trigger_on_sources", &list(sources))
                .into_iter()
                .collect(),
        );
    }
    if !severities.is_empty() {
        let test = reader.severities("trigger_on_severities", &list(severities));
        filter.group(test.into_iter().collect());
    }
    reader.result(filter)
}

fn read(
    root: &str,
    fields: &[&str],
    value: &Value,
    known_sources: &[String],
) -> Result<Filter, Vec<FieldError>> {
    let mut reader = Reader {
        known_sources,
        errors: Vec::new(),
    };
    let mut filter = Filter::default();
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                reader.top_field(&mut filter, root, fields, key, value);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            reader.fail(root, "must be an object");
        }
    }
    reader.result(filter)
}

struct Reader<'a> {
    known_sources: &'a [String],
    errors: Vec<FieldError>,
}

impl Reader<'_> {
    fn result(self, filter: Filter) -> Result<Filter, Vec<FieldError>> {
        if self.errors.is_empty() {
            Ok(filter)
        } else {
            Err(self.errors)
        }
    }

    fn fail(&mut self, path: &str, message: &str) {
        self.errors.push(FieldError::new(path, message));
    }

    fn unknown<W: AsRef<str>>(&mut self, path: &str, what: &str, given: &str, allowed: &[W]) {
        self.errors
            .push(FieldError::unknown_word(path, what, given, allowed));
    }

    fn top_field(
        &mut self,
        filter: &mut Filter,
        root: &str,
        fields: &[&str],
        key: &str,
        value: &Value,
    ) {
        let path = format!("{root}.{key}");
        if !fields.contains(&key) {
            return self.unknown(&path, "field", key, fields);
        }
        if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
            return;
        }
        match key {
            "min_severity" => {
                filter.group(
                    self.threshold(&path, Order::AtLeast, value)
                        .into_iter()
                        .collect(),
                );
            }
            "source_names" => filter.group(self.sources(&path, value).into_iter().collect()),
            "tags" => filter.group(self.tags(&path, value).into_iter().collect()),
            "match_any" => {
                let rules = self.rules(&path, value);
                filter.group(rules);
            }
            _ => {
                for rule in self.rules(&path, value) {
                    filter.group(vec![rule]);
                }
            }
        }
    }

    fn rules(&mut self, path: &str, value: &Value) -> Vec<Test> {
        let Some(items) = value.as_array() else {
            self.fail(path, "must be a list of rules {field, op, value}");
            return Vec::new();
        };
        if items.len() > MAX_RULES {
            self.fail(path, &format!("has more than {MAX_RULES} rules"));
            return Vec::new();
        }
        let rule = |(n, item)| self.rule(&format!("{path}.{n}"), item);
        items.iter().enumerate().filter_map(rule).collect()
    }

    fn rule(&mut self, path: &str, item: &Value) -> Option<Test> {
        let Some(map) = item.as_object() else {
            self.fail(path, "must be a rule {field, op, value}");
            return None;
        };
        for key in map
            .keys()
            .filter(|key| !RULE_FIELDS.contains(&key.as_str()))
        {
            self.unknown(&format!("{path}.{key}"), "field", key, RULE_FIELDS);
        }
        let field = self.word(map, path, "field", SUBJECT_FIELDS)?;
        let op = self.word(map, path, "op", OPS)?;
        let ops = match field.as_str() {
            "source_name" => SOURCE_OPS,
            "severity" => SEVERITY_OPS,
            _ => TAGS_OPS,
        };
        if !ops.contains(&op.as_str()) {
            self.unknown(
                &format!("{path}.op"),
                &format!("operator for {field}"),
                &op,
                ops,
            );
            return None;
        }
        let path = format!("{path}.value");
        let Some(value) = map.get("value") else {
            self.fail(&path, "is missing");
            return None;
        };
        self.test(&path, &field, &op, value)
    }

    fn word(
        &mut self,
        map: &Map<String, Value>,
        path: &str,
        key: &str,
        allowed: &[&str],
    ) -> Option<String> {
        let path = format!("{path}.{key}");
        match map.get(key) {
            Some(Value::String(word)) if allowed.contains(&word.as_str()) => Some(word.clone()),
            Some(Value::String(word)) => {
                self.unknown(&path, key, word, allowed);
                None
            }
            Some(_) => {
                self.fail(&path, "must be text");
                None
            }
            None => {
                self.unknown(&path, key, "", allowed);
                None
            }
        }
    }

    fn test(&mut self, path: &str, field: &str, op: &str, value: &Value) -> Option<Test> {
        let is_list = op == "in";
        if is_list != value.is_array() {
            let message = if is_list {
                "must be a list for `in`"
            } else {
                "must be one value"
            };
            self.fail(path, message);
            return None;
        }
        let list = if is_list {
            value.clone()
        } else {
            Value::Array(vec![value.clone()])
        };
        let errors_before = self.errors.len();
        let test = match (field, op) {
            ("source_name", _) => self.sources(path, &list),
            ("severity", "eq" | "in") => self.severities(path, &list),
            ("severity", "gte") => self.threshold(path, Order::AtLeast, value),
            ("severity", "lte") => self.threshold(path, Order::AtMost, value),
            ("severity", "gt") => self.threshold(path, Order::Above, value),
            ("severity", _) => self.threshold(path, Order::Below, value),
            _ => self.tags(path, &list),
        };
        if !is_list {
            // The sender wrote one value, not the list that it was read as.
            for error in &mut self.errors[errors_before..] {
                path.clone_into(&mut error.path);
            }
        }
        test
    }

    fn threshold(&mut self, path: &str, order: Order, value: &Value) -> Option<Test> {
        // Pending has no place in the order, so it is no threshold.
        let allowed = &Severity::WORDS[1..];
        let Some(word) = value.as_str() else {
            self.errors.push(FieldError {
                allowed: Some(allowed.iter().map(|w| (*w).to_owned()).collect()),
                ..FieldError::new(path, "must be one severity, as text")
            });
            return None;
        };
        match word.parse() {
            Ok(severity) if severity != Severity::Pending => {
                Some(Test::SeverityOrder(order, severity))
            }
            _ => {
                self.unknown(path, "severity", word, allowed);
                None
            }
        }
    }

    fn severities(&mut self, path: &str, value: &Value) -> Option<Test> {
        let mut severities = Vec::new();
        for (path, word) in self.words(path, value)? {
            match word.parse() {
                Ok(severity) => severities.push(severity),
                Err(_) => self.unknown(&path, "severity", word, Severity::WORDS),
            }
        }
        Some(Test::SeverityIn(severities))
    }

    fn sources(&mut self, path: &str, value: &Value) -> Option<Test> {
        let mut names = Vec::new();
        for (path, name) in self.words(path, value)? {
            if !self.known_sources.is_empty() && !self.known_sources.iter().any(|s| s == name) {
                let known = self.known_sources;
                self.unknown(&path, "source", name, known);
            }
            names.push(name.to_owned());
        }
        Some(Test::SourceIn(names))
    }

    fn tags(&mut self, path: &str, value: &Value) -> Option<Test> {
        let words = self.words(path, value)?;
        Some(Test::TagsAny(
            words.iter().map(|(_, tag)| fold_tag(tag)).collect(),
        ))
    }

    /// The texts of a list, each with its path; none may be blank.
    fn words<'v>(&mut self, path: &str, value: &'v Value) -> Option<Vec<(String, &'v str)>> {
        let Some(items) = value.as_array() else {
            self.fail(path, "must be a list of texts");
            return None;
        };
        if items.is_empty() || items.len() > MAX_VALUES {
            self.fail(path, &format!("must have 1 to {MAX_VALUES} values"));
            return None;
        }
        let mut words = Vec::with_capacity(items.len());
        for (n, item) in items.iter().enumerate() {
            let path = format!("{path}.{n}");
            match item.as_str().filter(|word| !word.trim().is_empty()) {
                Some(word) => words.push((path, word)),
                None => self.fail(&path, "must be text, not empty"),
            }
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn errors(value: &Value) -> Vec<FieldError> {
        let sources = ["generic", "sentinel"].map(str::to_owned);
        trigger(value, &sources).expect_err("not a valid filter")
    }

    fn check(cases: &[(Value, &str, Option<&str>)]) {
        for (value, path, guess) in cases {
            let errors = errors(value);
            assert_eq!(
                errors[0].path,
                format!("trigger_filter.{path}"),
                "{value}: {errors:?}"
            );
            if guess.is_some() {
                assert_eq!(errors[0].did_you_mean.as_deref(), *guess, "{value}");
            }
        }
    }

    #[test]
    fn everything_unknown_is_named_with_a_suggestion() {
        check(&[
            (
                json!({"min_severty": "High"}),
                "min_severty",
                Some("min_severity"),
            ),
            (
                json!({"min_severity": "high"}),
                "min_severity",
                Some("High"),
            ),
            (json!({"min_severity": "Pending"}), "min_severity", None),
            (json!({"min_severity": 4}), "min_severity", None),
            (
                json!({"source_names": ["sentinl"]}),
                "source_names.0",
                Some("sentinel"),
            ),
            (json!({"source_names": "sentinel"}), "source_names", None),
            (json!({"tags": ["a", " "]}), "tags.1", None),
            (json!({"tags": [1]}), "tags.0", None),
            (
                json!({"match_all": [{"field": "tags"}]}),
                "match_all.0.op",
                None,
            ),
            (json!({"match_all": "x"}), "match_all", None),
        ]);
        assert_eq!(errors(&json!([]))[0].path, "trigger_filter");
    }

    #[test]
    fn mistakes_in_a_rule_are_named_too() {
        let rule = |field: &str, op: &str, value: Value| json!({"match_any": [{"field": field, "op": op, "value": value}]});
        check(&[
            (
                rule("severty", "eq", json!("High")),
                "match_any.0.field",
                Some("severity"),
            ),
            (
                rule("severity", "ge", json!("High")),
                "match_any.0.op",
                Some("gte"),
            ),
            (
                rule("severity", "contains", json!("High")),
                "match_any.0.op",
                None,
            ),
            (rule("tags", "eq", json!("a")), "match_any.0.op", None),
            (
                rule("severity", "gte", json!("Hihg")),
                "match_any.0.value",
                None,
            ),
            (
                rule("severity", "eq", json!("high")),
                "match_any.0.value",
                Some("High"),
            ),
            (
                rule("severity", "in", json!("High")),
                "match_any.0.value",
                None,
            ),
            (
                rule("severity", "eq", json!(["High"])),
                "match_any.0.value",
                None,
            ),
        ]);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        assert_eq!(
            errors(&json!({"min_severity": "x", "tags": [""], "other": 1})).len(),
            3
        );
    }

    #[test]
    fn a_stored_filter_is_read_without_knowing_the_sources() {
        assert!(trigger(&json!({"source_names": ["removed_since"]}), &[]).is_ok());
    }

    #[test]
    fn targeting_has_its_own_fields() {
        assert!(targeting(&json!({}), &[]).is_err());
        assert!(targeting(&json!({"min_severity": "High"}), &[]).is_err());
        assert!(
            targeting(&json!(null), &[])
                .expect("no restriction")
                .is_empty()
        );
    }

    #[test]
    fn lists_are_bounded() {
        let rule = json!({"field": "tags", "op": "contains", "value": "a"});
        assert!(trigger(&json!({"match_any": vec![rule; MAX_RULES + 1]}), &[]).is_err());
        assert!(trigger(&json!({"tags": vec!["a"; MAX_VALUES + 1]}), &[]).is_err());
    }
}
