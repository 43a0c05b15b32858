//! Picking the fields out of an answer that agents and analysts read.

use serde_json::{Map, Number, Value, json};

use crate::{IndicatorType, path, words};

words! {
    /// What an extracted field is coerced to.
    ValueType, "value_type" {
        Text => "string",
        Int => "int",
        Float => "float",
        Number => "number",
        Bool => "bool",
        List => "list",
        Dict => "dict",
        Any => "any",
    }
}

/// One field of a provider's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractionRule {
    /// The type of indicator whose answers have the field.
    pub indicator_type: IndicatorType,
    /// Where it is in the raw response; with several steps it begins with the step's name.
    pub source_path: String,
    /// What it is called in `extracted`.
    pub target_key: String,
    /// What it is coerced to.
    pub value_type: ValueType,
}

/// The extracted fields of an answer, in the order of the rules. What is missing, null or cannot
/// be coerced is left out; rules for other indicator types are not run.
pub fn extract_fields(
    rules: &[ExtractionRule],
    kind: IndicatorType,
    response: &Value,
) -> Map<String, Value> {
    rules
        .iter()
        .filter(|rule| rule.indicator_type == kind)
        .filter_map(|rule| {
            let value = found(rule, response)?;
            Some((rule.target_key.clone(), value))
        })
        .collect()
}

/// What one rule finds. A path of type list also goes through lists on its way, so that
/// `groups.name` over a list of groups gives the names.
fn found(rule: &ExtractionRule, response: &Value) -> Option<Value> {
    match path::lookup(response, &rule.source_path) {
        Some(value) => coerce(value, rule.value_type),
        None if rule.value_type == ValueType::List => {
            let all = path::lookup_all(response, &rule.source_path);
            let values: Vec<Value> = all.into_iter().filter(|v| !v.is_null()).cloned().collect();
            (!values.is_empty()).then_some(Value::Array(values))
        }
        None => None,
    }
}

fn coerce(value: &Value, to: ValueType) -> Option<Value> {
    if value.is_null() {
        return None;
    }
    match to {
        ValueType::List | ValueType::Dict | ValueType::Any => Some(value.clone()),
        ValueType::Text => match value {
            Value::String(_) => Some(value.clone()),
            Value::Number(_) | Value::Bool(_) => Some(Value::String(value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        },
        ValueType::Int => int(value),
        ValueType::Float => float(value).and_then(Number::from_f64).map(Value::Number),
        // Whole where it is whole: `number` is what people write who do not care which.
        ValueType::Number => match value {
            Value::Number(_) => Some(value.clone()),
            _ => int(value)
                .filter(|whole| whole.as_f64() == float(value))
                .or_else(|| coerce(value, ValueType::Float)),
        },
        ValueType::Bool => match value {
            Value::Bool(_) => Some(value.clone()),
            Value::Number(number) => Some(json!(number.as_f64()? != 0.0)),
            Value::String(text) => {
                let yes = ["true", "1", "yes"];
                Some(json!(
                    yes.iter()
                        .any(|word| text.trim().eq_ignore_ascii_case(word))
                ))
            }
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        },
    }
}

fn int(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => return Some(value.clone()),
        Value::String(text) => {
            if let Ok(whole) = text.trim().parse::<i64>() {
                return Some(json!(whole));
            }
        }
        _ => {}
    }
    let whole = float(value)?.trunc();
    // Beyond 2^53 a float has no whole number of its own.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be within 2^53")]
    (whole.abs() <= 9_007_199_254_740_992.0).then(|| json!(whole as i64))
}

/// A number, or a text or flag that stands for one.
pub(super) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
