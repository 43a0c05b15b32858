//! Dotted paths through JSON, for field mappings, extraction and verdict rules.
//!
//! Elastic writes the same field as nested objects, as one flat dotted key, or as a mixture, so
//! at every level the longest run of segments that is a key wins. A numeric segment indexes an
//! array.

use serde_json::Value;

/// How many values [`lookup_all`] returns at most.
pub const MAX_MATCHES: usize = 1_000;

/// The value at a path, or `None`. A JSON null is a value. The empty path is the value itself.
pub fn lookup<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    match value {
        Value::Object(map) => prefixes(path).find_map(|(key, rest)| {
            let inner = map.get(key)?;
            lookup(inner, rest)
        }),
        Value::Array(items) => {
            let (segment, rest) = first_segment(path);
            lookup(items.get(segment.parse::<usize>().ok()?)?, rest)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Every value at a path, going through arrays: `a.b` over `{"a": [{"b": 1}, {"b": 2}]}` gives
/// both. An array at the end gives its elements. At most [`MAX_MATCHES`], in document order.
pub fn lookup_all<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    collect(value, path, &mut found);
    found
}

/// Returns whether anything was found, so that the longest key that leads somewhere wins.
fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) -> bool {
    if found.len() >= MAX_MATCHES {
        return true;
    }
    match value {
        Value::Array(items) => {
            if !path.is_empty() {
                let (segment, rest) = first_segment(path);
                if let Some(item) = segment.parse::<usize>().ok().and_then(|n| items.get(n)) {
                    return collect(item, rest, found);
                }
            }
            let mut any = false;
            for item in items {
                any |= collect(item, path, found);
            }
            any
        }
        _ if path.is_empty() => {
            found.push(value);
            true
        }
        Value::Object(map) => prefixes(path).any(|(key, rest)| {
            map.get(key)
                .is_some_and(|inner| collect(inner, rest, found))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Every way to cut a path into a key and a rest, the longest key first.
fn prefixes(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let whole = std::iter::once((path, ""));
    whole.chain(
        path.rmatch_indices('.')
            .map(|(at, _)| (&path[..at], &path[at + 1..])),
    )
}

fn first_segment(path: &str) -> (&str, &str) {
    path.split_once('.').unwrap_or((path, ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_flat_and_mixed_keys_are_found() {
        for doc in [
            json!({"kibana": {"alert": {"rule": {"name": "n"}}}}),
            json!({"kibana.alert.rule.name": "n"}),
            json!({"kibana.alert": {"rule.name": "n"}}),
            json!({"kibana.alert": {"other": 1}, "kibana": {"alert.rule": {"name": "n"}}}),
        ] {
            assert_eq!(
                lookup(&doc, "kibana.alert.rule.name"),
                Some(&json!("n")),
                "{doc}"
            );
        }
    }

    #[test]
    fn the_flat_key_wins_over_the_nested_one() {
        let doc = json!({"a": {"b": "nested"}, "a.b": "flat"});
        assert_eq!(lookup(&doc, "a.b"), Some(&json!("flat")));
    }

    #[test]
    fn numbers_index_arrays_and_nothing_else_does() {
        let doc = json!({"devices": [{"os": "x"}, {"os": "y"}], "n": {"0": "key"}});
        assert_eq!(lookup(&doc, "devices.1.os"), Some(&json!("y")));
        assert_eq!(lookup(&doc, "devices.2.os"), None);
        assert_eq!(lookup(&doc, "devices.os"), None);
        assert_eq!(lookup(&doc, "n.0"), Some(&json!("key")));
        assert_eq!(lookup(&doc, "devices.0.os.more"), None);
    }

    #[test]
    fn lookup_all_goes_through_arrays() {
        let doc = json!({"a": [{"b": 1}, {"b": [2, 3]}, {"c": 4}, 5]});
        assert_eq!(lookup_all(&doc, "a.b"), [&json!(1), &json!(2), &json!(3)]);
        assert_eq!(lookup_all(&doc, "a.1.b"), [&json!(2), &json!(3)]);
        assert!(lookup_all(&doc, "a.x").is_empty());
    }

    #[test]
    fn lookup_all_is_bounded() {
        let doc = json!({"a": vec![1; 5_000]});
        assert_eq!(lookup_all(&doc, "a").len(), MAX_MATCHES);
    }
}
