//! Every payload in `assets/samples` against what an analyst reads out of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use calseta_domain::normalise::normalise;
use calseta_domain::{
    ExtractedIndicator, NormalisedAlert, Pass, Plugin, Severity, Timestamp, extract, json,
};
use serde::Deserialize;

/// Fewer would leave a vendor shape out: a wrapper, a bare document, hostile text, odd spellings.
const MIN_SAMPLES: usize = 4;

#[derive(Deserialize)]
struct Expected {
    title: String,
    severity: Severity,
    occurred_at: Option<Timestamp>,
    indicators: Vec<ExpectedIndicator>,
    rule: Option<ExpectedRule>,
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct ExpectedIndicator {
    r#type: String,
    value: String,
}

#[derive(Deserialize)]
struct ExpectedRule {
    source_rule_id: String,
    name: String,
}

fn samples(plugin: Plugin) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../assets/samples")
        .join(plugin.as_str());
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter(|path| !path.to_string_lossy().ends_with(".expected.json"))
        .collect();
    files.sort();
    files
}

fn read(plugin: Plugin, file: &Path) -> (NormalisedAlert, Vec<ExtractedIndicator>) {
    let bytes = fs::read(file).expect("readable");
    let payload = json::parse(&bytes).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let alert = normalise(plugin, &payload).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mappings = extract::system_mappings();
    let found = extract::extract(plugin.as_str(), &alert, &payload, &mappings);
    (alert, found)
}

#[test]
fn every_sample_reads_as_an_analyst_reads_it() {
    for plugin in Plugin::ALL {
        for file in samples(*plugin) {
            let name = file.display();
            let expected = fs::read(file.with_extension("expected.json"))
                .unwrap_or_else(|e| panic!("{name} has no expectation: {e}"));
            let expected: Expected =
                serde_json::from_slice(&expected).unwrap_or_else(|e| panic!("{name}: {e}"));
            let (alert, found) = read(*plugin, &file);
            assert_eq!(alert.title, expected.title, "{name}");
            assert_eq!(alert.severity, expected.severity, "{name}");
            assert_eq!(alert.occurred_at, expected.occurred_at, "{name}");
            assert_eq!(alert.tags, expected.tags, "{name}");
            let rule = alert.rule.map(|r| (r.source_rule_id, r.name));
            assert_eq!(
                rule,
                expected.rule.map(|r| (r.source_rule_id, r.name)),
                "{name}"
            );
            let got: BTreeSet<_> = found
                .iter()
                .map(|e| {
                    (
                        e.indicator.kind.as_str().to_owned(),
                        e.indicator.value.clone(),
                    )
                })
                .collect();
            let wanted: BTreeSet<_> = expected
                .indicators
                .into_iter()
                .map(|i| (i.r#type, i.value))
                .collect();
            assert_eq!(got, wanted, "{name}");
            assert_eq!(found.len(), got.len(), "{name}: nothing comes twice");
        }
    }
}

#[test]
fn every_source_has_its_samples() {
    for plugin in Plugin::ALL {
        let count = samples(*plugin).len();
        assert!(count >= MIN_SAMPLES, "{plugin} has {count} samples");
    }
}

#[test]
fn every_source_fills_fields_that_only_the_seeded_mappings_turn_into_indicators() {
    for plugin in Plugin::ALL {
        let by_mapping = samples(*plugin)
            .iter()
            .flat_map(|file| read(*plugin, file).1)
            .filter(|found| found.pass == Pass::NormalisedMapping)
            .count();
        assert!(by_mapping > 0, "{plugin} gives the second pass nothing");
    }
}

#[test]
fn every_seeded_mapping_is_filled_by_some_source() {
    let filled: BTreeSet<_> = Plugin::ALL
        .iter()
        .flat_map(|plugin| samples(*plugin).into_iter().map(|file| (*plugin, file)))
        .flat_map(|(plugin, file)| read(plugin, &file).0.fields.into_keys())
        .map(|field| field.as_str().to_owned())
        .collect();
    let seeded: BTreeSet<_> = extract::system_mappings()
        .into_iter()
        .map(|mapping| mapping.field_path)
        .collect();
    assert_eq!(filled, seeded);
}

#[test]
fn links_to_the_source_are_web_links_or_absent() {
    for plugin in Plugin::ALL {
        for file in samples(*plugin) {
            if let Some(url) = read(*plugin, &file).0.source_url {
                assert!(
                    url.starts_with("https://") || url.starts_with("http://"),
                    "{url}"
                );
            }
        }
    }
}

/// Deterministic damage: one byte of a sample replaced, removed, doubled, or the end cut off.
fn damaged(bytes: &[u8], n: usize) -> Vec<u8> {
    // A fixed multiplier spreads the positions; the test must fail the same way twice.
    let at = n.wrapping_mul(2_654_435_761) % bytes.len();
    let mut out = bytes.to_vec();
    match n % 5 {
        0 => out[at] = b"\"{}[],:0-\\\0\xff"[n / 5 % 12],
        1 => drop(out.remove(at)),
        2 => out.insert(at, out[at]),
        3 => out.truncate(at),
        _ => out.splice(at..at, *b"null").for_each(drop),
    }
    out
}

#[test]
fn damaged_samples_are_refused_or_read_but_never_panic() {
    const ROUNDS: usize = 300;
    let mappings = extract::system_mappings();
    let mut read = 0;
    for plugin in Plugin::ALL {
        for file in samples(*plugin) {
            let bytes = fs::read(&file).expect("readable");
            for n in 0..ROUNDS {
                let Ok(payload) = json::parse(&damaged(&bytes, n)) else {
                    continue;
                };
                // Every plugin must stand every vendor's payload, not only its own.
                for reader in Plugin::ALL {
                    let Ok(alert) = normalise(*reader, &payload) else {
                        continue;
                    };
                    assert!(!alert.title.is_empty());
                    let found = extract::extract("x", &alert, &payload, &mappings);
                    for one in found {
                        let again = calseta_domain::Indicator::new(
                            one.indicator.kind,
                            &one.indicator.value,
                        );
                        assert_eq!(again, Some(one.indicator), "{}", file.display());
                    }
                    read += 1;
                }
            }
        }
    }
    assert!(read > 100, "the damage left enough to read: {read}");
}
