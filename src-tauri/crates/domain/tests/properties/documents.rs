//! Payloads that are nearly a vendor's: the samples with damage that keeps them JSON.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What happens to one place of a document.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    Replace(Value),
    Remove,
    /// The value becomes the only member of a list.
    Wrap,
    /// Twice in a list.
    Double,
    /// More texts than any list of an alert keeps.
    Many,
    /// An object's keys are joined to its parent's with a dot.
    Flatten,
}

/// The payloads in one folder of the samples.
pub(crate) fn samples(folder: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../assets/samples")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(&path)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        .map(|entry| entry.expect("readable").path())
        .filter(|file| {
            let name = file.to_string_lossy();
            file.extension().is_some_and(|e| e == "json") && !name.contains(".expected.")
        })
        .filter(|file| {
            let name = file.file_name().map(|n| n.to_string_lossy().into_owned());
            name.is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect();
    files.sort();
    let read = |file: &std::path::PathBuf| {
        serde_json::from_slice(&fs::read(file).expect("readable")).expect("JSON")
    };
    files.iter().map(read).collect()
}

/// Every sample of every folder, with its folder.
pub(crate) fn all_samples() -> &'static [(&'static str, Value)] {
    static ALL: OnceLock<Vec<(&'static str, Value)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let folders = [
            "generic",
            "sentinel",
            "elastic",
            "splunk",
            "crowdstrike",
            "suricata",
            "wazuh",
        ];
        let of = |folder: &'static str| samples(folder).into_iter().map(move |v| (folder, v));
        folders.into_iter().flat_map(of).collect()
    })
}

/// Values of every type, with those that have hurt parsers before.
pub(crate) fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            json!(""),
            json!(" "),
            json!([]),
            json!({}),
            json!([[]]),
            json!([{}]),
            json!(1e300),
            json!("1e400"),
            json!("NaN"),
            json!("-"),
            json!("9999-12-31T23:59:59.999Z"),
            json!("0000-01-01T00:00:00Z"),
            json!("\u{202e}evil"),
            json!("=cmd|' /C calc'!A0"),
            json!("<script>alert(1)</script>"),
            json!("http://[::1]:80/../.."),
            json!("xn--\u{df}"),
            json!("185[.]220[.]101[.]47:443"),
            json!("hxxps://evil[.]com/a b"),
            json!("a@b@c"),
            json!("\u{1}\u{7f}"),
            json!("x".repeat(3_000)),
            json!("é".repeat(600)),
        ]),
        "\\PC{0,30}".prop_map(Value::from),
        "[0-9a-fA-F]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9.]{1,15}|[a-z.@/:]{1,20}"
            .prop_map(Value::from),
        prop::collection::vec("[a-zA-Z0-9.]{1,8}".prop_map(Value::from), 0..4)
            .prop_map(Value::from),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => leaf().prop_map(Damage::Replace),
        1 => Just(Damage::Remove),
        1 => Just(Damage::Wrap),
        1 => Just(Damage::Double),
        1 => Just(Damage::Many),
        2 => Just(Damage::Flatten),
    ]
}

/// A sample of any vendor with up to six places damaged, and the vendor's folder.
pub(crate) fn nearly_a_sample() -> impl Strategy<Value = (&'static str, Value)> {
    let places = prop::collection::vec((any::<u16>(), damage()), 0..6);
    (0..all_samples().len(), places).prop_map(|(at, places)| {
        let (folder, sample) = &all_samples()[at];
        let mut value = sample.clone();
        for (place, damage) in places {
            let count = size(&value);
            apply(&mut value, &mut (usize::from(place) % count), &damage);
        }
        (*folder, value)
    })
}

/// How many places a document has.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(map) => map.values().map(size).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Damages the place that is `left` places on; whether it was reached.
fn apply(value: &mut Value, left: &mut usize, damage: &Damage) -> bool {
    if *left == 0 {
        match damage {
            Damage::Replace(new) => *value = new.clone(),
            Damage::Remove => *value = Value::Null,
            Damage::Wrap => *value = Value::Array(vec![value.take()]),
            Damage::Double => *value = Value::Array(vec![value.clone(), value.take()]),
            Damage::Many => {
                let text = |n| format!("8.8.{}.{n}", n % 9);
                *value = (0..150).map(text).map(Value::from).collect();
            }
            Damage::Flatten => flatten(value),
        }
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| apply(item, left, damage)),
        Value::Object(map) => map.values_mut().any(|item| apply(item, left, damage)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn flatten(value: &mut Value) {
    let Value::Object(map) = value else { return };
    let mut flat = Map::new();
    for (key, inner) in std::mem::take(map) {
        match inner {
            Value::Object(inner) => {
                for (rest, value) in inner {
                    flat.insert(format!("{key}.{rest}"), value);
                }
            }
            other => {
                flat.insert(key, other);
            }
        }
    }
    *map = flat;
}
