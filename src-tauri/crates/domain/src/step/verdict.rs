//! What an answer says about the indicator: the first rule that matches.

use serde_json::Value;

use super::fields::float;
use crate::{FieldError, Malice, path};

/// The most rules of one provider.
const MAX_RULES: usize = 100;
/// How much of a value a sentence shows, in characters.
const MAX_ECHO_CHARS: usize = 60;
const FIELDS: &[&str] = &["rules", "default_verdict", "not_found_verdict"];
const RULE_FIELDS: &[&str] = &["field", "operator", "value", "verdict"];
const OPERATORS: &[&str] = &[">", ">=", "<", "<=", "==", "!=", "contains", "in"];

/// A provider's rules, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictRules {
    rules: Vec<Rule>,
    default: Malice,
    not_found: Malice,
}

#[derive(Debug, Clone, PartialEq)]
struct Rule {
    field: String,
    operator: Operator,
    value: Value,
    verdict: Malice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    NotEqual,
    Contains,
    In,
}

impl Default for VerdictRules {
    /// No rules: `Pending` for everything.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            default: Malice::Pending,
            not_found: Malice::Pending,
        }
    }
}

impl VerdictRules {
    /// Reads `malice_rules`; null means no rules. Paths in errors begin with `malice_rules`.
    pub fn parse(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let rules = read(value, &mut errors);
        if errors.is_empty() {
            Ok(rules)
        } else {
            Err(errors)
        }
    }

    /// The verdict of a raw response. A rule whose field is missing or null does not match.
    pub fn verdict(&self, response: &Value) -> Malice {
        let matching = self.rules.iter().find(|rule| rule.matches(response));
        matching.map_or(self.default, |rule| rule.verdict)
    }

    /// The rule that gives the verdict of a raw response, in words: the field, what it holds and what
    /// the rule asks. `None` when no rule matches and the default applies.
    pub fn in_words(&self, response: &Value) -> Option<String> {
        let rule = self.rules.iter().find(|rule| rule.matches(response))?;
        let field = path::lookup(response, &rule.field)?;
        let name = rule.field.rsplit('.').next().unwrap_or(&rule.field);
        let wanted = echo(&rule.value);
        Some(format!(
            "{name} is {}, {} {wanted}: {}",
            echo(field),
            rule.operator.in_words(),
            rule.verdict
        ))
    }

    /// The verdict when the provider does not know the indicator.
    pub fn not_found(&self) -> Malice {
        self.not_found
    }
}

impl Operator {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Above => "more than",
            Self::AtLeast => "at least",
            Self::Below => "less than",
            Self::AtMost => "at most",
            Self::Equal => "as asked:",
            Self::NotEqual => "other than",
            Self::Contains => "with",
            Self::In => "one of",
        }
    }
}

/// A value as a sentence shows it.
fn echo(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let mut short: String = text.chars().take(MAX_ECHO_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl Rule {
    fn matches(&self, response: &Value) -> bool {
        let field = path::lookup(response, &self.field).filter(|value| !value.is_null());
        let Some(field) = field else { return false };
        let numbers = || Some((float(field)?, float(&self.value)?));
        match self.operator {
            Operator::Above => numbers().is_some_and(|(a, b)| a > b),
            Operator::AtLeast => numbers().is_some_and(|(a, b)| a >= b),
            Operator::Below => numbers().is_some_and(|(a, b)| a < b),
            Operator::AtMost => numbers().is_some_and(|(a, b)| a <= b),
            Operator::Equal => same(field, &self.value),
            Operator::NotEqual => !same(field, &self.value),
            Operator::Contains => contains(field, &self.value),
            Operator::In => contains(&self.value, field),
        }
    }
}

/// Equal, with 1 and 1.0 the same number.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => left == right,
    }
}

/// Part of a text, member of a list, or key of an object.
fn contains(whole: &Value, part: &Value) -> bool {
    match whole {
        Value::String(text) => part.as_str().is_some_and(|part| text.contains(part)),
        Value::Array(items) => items.iter().any(|item| same(item, part)),
        Value::Object(map) => part.as_str().is_some_and(|part| map.contains_key(part)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn read(value: &Value, errors: &mut Vec<FieldError>) -> VerdictRules {
    let mut rules = VerdictRules::default();
    let Some(map) = value.as_object() else {
        if !value.is_null() {
            errors.push(FieldError::new("malice_rules", "must be an object"));
        }
        return rules;
    };
    for (key, value) in map {
        let path = format!("malice_rules.{key}");
        match key.as_str() {
            "default_verdict" => rules.default = verdict(&path, value, errors),
            "not_found_verdict" => rules.not_found = verdict(&path, value, errors),
            "rules" => rules.rules = read_rules(&path, value, errors),
            _ => errors.push(FieldError::unknown_word(path, "field", key, FIELDS)),
        }
    }
    rules
}

fn read_rules(path: &str, value: &Value, errors: &mut Vec<FieldError>) -> Vec<Rule> {
    let Some(items) = value.as_array().filter(|items| items.len() <= MAX_RULES) else {
        let message = format!("must be a list of at most {MAX_RULES} rules");
        errors.push(FieldError::new(path, message));
        return Vec::new();
    };
    let rule = |(n, item)| read_rule(&format!("{path}.{n}"), item, errors);
    items.iter().enumerate().filter_map(rule).collect()
}

fn read_rule(path: &str, item: &Value, errors: &mut Vec<FieldError>) -> Option<Rule> {
    let Some(map) = item.as_object() else {
        errors.push(FieldError::new(
            path,
            "must be a rule {field, operator, value, verdict}",
        ));
        return None;
    };
    for key in map
        .keys()
        .filter(|key| !RULE_FIELDS.contains(&key.as_str()))
    {
        let path = format!("{path}.{key}");
        errors.push(FieldError::unknown_word(path, "field", key, RULE_FIELDS));
    }
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let field = text("field").trim();
    if field.is_empty() {
        errors.push(FieldError::new(
            format!("{path}.field"),
            "must be a path into the response",
        ));
    }
    let value = map.get("value").cloned();
    if value.is_none() {
        errors.push(FieldError::new(format!("{path}.value"), "is missing"));
    }
    let operator = operator(text("operator"));
    if operator.is_none() {
        let path = format!("{path}.operator");
        errors.push(FieldError::unknown_word(
            path,
            "operator",
            text("operator"),
            OPERATORS,
        ));
    }
    let given = map.get("verdict").unwrap_or(&Value::Null);
    let verdict = verdict(&format!("{path}.verdict"), given, errors);
    Some(Rule {
        field: field.to_owned(),
        operator: operator?,
        value: value?,
        verdict,
    })
}

fn operator(word: &str) -> Option<Operator> {
    Some(match word {
        ">" => Operator::Above,
        ">=" => Operator::AtLeast,
        "<" => Operator::Below,
        "<=" => Operator::AtMost,
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "contains" => Operator::Contains,
        "in" => Operator::In,
        _ => return None,
    })
}

fn verdict(path: &str, value: &Value, errors: &mut Vec<FieldError>) -> Malice {
    let word = value.as_str().unwrap_or_default();
    word.parse().unwrap_or_else(|_| {
        errors.push(FieldError::unknown_word(
            path,
            "verdict",
            word,
            Malice::WORDS,
        ));
        Malice::Pending
    })
}
