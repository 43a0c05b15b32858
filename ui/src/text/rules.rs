//! Targeting rules in words, for people who did not write them.

use serde_json::Value;

/// Clauses that are said; more are counted.
const MAX_CLAUSES: usize = 8;

/// `severity is at least High and tags contain vpn`; rules of another shape as they are.
pub(crate) fn rules_in_words(rules: &Value) -> String {
    let group = |name: &str, between: &str| {
        let clauses = rules.get(name)?.as_array()?;
        if clauses.is_empty() {
            return None;
        }
        let mut said: Vec<String> = clauses.iter().take(MAX_CLAUSES).map(clause).collect();
        if clauses.len() > MAX_CLAUSES {
            said.push(format!("{} more", clauses.len() - MAX_CLAUSES));
        }
        Some(said.join(between))
    };
    match (group("match_all", " and "), group("match_any", " or ")) {
        (Some(all), Some(any)) => format!("{all}, and {any}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => rules.to_string(),
    }
}

fn clause(clause: &Value) -> String {
    let field = clause.get("field").and_then(Value::as_str).unwrap_or("?");
    let op = clause.get("op").and_then(Value::as_str).unwrap_or("?");
    let value = clause.get("value").map(value).unwrap_or_default();
    let op = match op {
        "eq" => "is",
        "in" => "is one of",
        "contains" => "contains",
        "gte" => "is at least",
        "lte" => "is at most",
        other => other,
    };
    format!("{} {op} {value}", field.replace('_', " "))
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(self::value).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_a_sentence() {
        let rules = json!({
            "match_all": [{"field": "severity", "op": "gte", "value": "High"}],
            "match_any": [{"field": "tags", "op": "contains", "value": "vpn"},
                          {"field": "source_name", "op": "in", "value": ["elastic", "splunk"]}],
        });
        assert_eq!(
            rules_in_words(&rules),
            "severity is at least High, and tags contains vpn or source name is one of elastic, splunk"
        );
        assert_eq!(rules_in_words(&json!({"x": 1})), r#"{"x":1}"#);
    }
}
