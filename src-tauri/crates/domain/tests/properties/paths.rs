//! Paths through JSON.

use calseta_domain::path::{MAX_MATCHES, lookup, lookup_all};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::CASES;
use super::documents::nearly_a_sample;

/// Segments grouped into keys: `[[a, b], [c]]` is `{"a.b": {"c": …}}`.
fn grouped() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec("[a-z]{1,3}", 1..3), 1..5)
}

fn nested(groups: &[Vec<String>], leaf: Value) -> Value {
    groups.iter().rev().fold(leaf, |inner, group| {
        let mut map = Map::new();
        map.insert(group.join("."), inner);
        Value::Object(map)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_value_is_found_however_its_keys_are_joined(groups in grouped(), at in 0..9_usize) {
        let path = groups.concat().join(".");
        let leaf = json!(7);
        let document = nested(&groups, leaf.clone());
        prop_assert_eq!(lookup(&document, &path), Some(&leaf));
        prop_assert_eq!(lookup_all(&document, &path), [&leaf]);
        // A list on the way is gone through, and indexed when the path says so.
        let list = nested(&groups[..1], json!([0, nested(&groups[1..], leaf.clone())]));
        let all = lookup_all(&list, &path);
        prop_assert!(all.contains(&&leaf));
        let mut indexed: Vec<String> = groups[0].clone();
        indexed.push("1".to_owned());
        indexed.extend(groups[1..].concat());
        prop_assert_eq!(lookup(&list, &indexed.join(".")), Some(&leaf));
        // A path that goes on finds nothing.
        let longer = format!("{path}.{at}");
        prop_assert_eq!(lookup(&document, &longer), None);
    }

    #[test]
    fn no_path_and_no_document_panics_or_gives_too_much(
        (_, document) in nearly_a_sample(),
        path in "[a-z.0-9]{0,20}|\\PC{0,20}|properties\\.[a-zA-Z.]{0,12}|result\\.[a-z_]{0,8}",
    ) {
        let all = lookup_all(&document, &path);
        prop_assert!(all.len() <= MAX_MATCHES);
        if let Some(one) = lookup(&document, &path)
            && !one.is_array()
        {
            prop_assert!(all.contains(&one), "what one finds all find: {}", path);
        }
    }
}
