//! Every payload in `assets/samples` against what an analyst reads out of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use calseta_domain::normalise::{normalise, normalise_with};
use calseta_domain::{
    ExtractedIndicator, FieldMap, Mapping, NormalisedAlert, Pass, Plugin, Severity, Timestamp,
    extract, json,
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
    /// Checked where the sample has one.
    description: Option<String>,
    url: Option<String>,
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

fn folder(source: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../assets/samples")
        .join(source)
}

/// The payloads in a source's folder, in order.
fn files(source: &str) -> Vec<PathBuf> {
    let folder = folder(source);
    // Beside the payloads lie what is expected of them (`.expected.json`), maps and mappings.
    let is_payload = |path: &PathBuf| {
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        path.extension()
            .is_some_and(|extension| extension == "json")
            && stem.is_some_and(|stem| {
                stem.starts_with(|c: char| c.is_ascii_digit()) && !stem.contains('.')
            })
    };
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("readable").path())
        .filter(is_payload)
        .collect();
    files.sort();
    files
}

fn samples(plugin: Plugin) -> Vec<PathBuf> {
    files(plugin.as_str())
}

fn read(plugin: Plugin, file: &Path) -> (NormalisedAlert, Vec<ExtractedIndicator>) {
    let bytes = fs::read(file).expect("readable");
    let payload = json::parse(&bytes).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let alert = normalise(plugin, &payload).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mappings = extract::system_mappings();
    let found = extract::extract(plugin.as_str(), &alert, &payload, &mappings);
    (alert, found)
}

/// What was read is what the file beside the sample says, and nothing else.
fn assert_reads(file: &Path, alert: NormalisedAlert, found: &[ExtractedIndicator]) {
    let name = file.display();
    let expected = fs::read(file.with_extension("expected.json"))
        .unwrap_or_else(|e| panic!("{name} has no expectation: {e}"));
    let expected: Expected =
        serde_json::from_slice(&expected).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(alert.title, expected.title, "{name}");
    assert_eq!(alert.severity, expected.severity, "{name}");
    assert_eq!(alert.occurred_at, expected.occurred_at, "{name}");
    assert_eq!(alert.tags, expected.tags, "{name}");
    if expected.description.is_some() {
        assert_eq!(alert.description, expected.description, "{name}");
    }
    if expected.url.is_some() {
        assert_eq!(alert.source_url, expected.url, "{name}");
    }
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

#[test]
fn every_sample_reads_as_an_analyst_reads_it() {
    for plugin in Plugin::ALL {
        for file in samples(*plugin) {
            let (alert, found) = read(*plugin, &file);
            assert_reads(&file, alert, &found);
        }
    }
}

/// Vendors without a plugin: read by a field map and raw payload mappings, as a user writes them.
const OWN_SOURCES: &[&str] = &["crowdstrike", "suricata", "wazuh"];
/// Fewer would not show that a map holds for more than one alert.
const MIN_OWN_SAMPLES: usize = 2;

#[derive(Deserialize)]
struct SampleMapping {
    source_name: String,
    extraction_target: String,
    field_path: String,
    indicator_type: String,
}

/// The vendor's field map and mappings, validated as the API validates them.
fn own_source(vendor: &str) -> (FieldMap, Vec<Mapping>) {
    let read = |name: &str| {
        let file = folder(vendor).join(name);
        fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    };
    let map: serde_json::Value = serde_json::from_slice(&read("field_map.json")).expect("JSON");
    let map = FieldMap::parse(&map).unwrap_or_else(|errors| panic!("{vendor}: {errors:?}"));
    let rows: Vec<SampleMapping> = serde_json::from_slice(&read("mappings.json")).expect("JSON");
    let mapping = |row: SampleMapping| Mapping {
        source_name: Some(row.source_name),
        target: row.extraction_target.parse().expect("a target"),
        field_path: row.field_path,
        kind: row.indicator_type.parse().expect("a type"),
    };
    (map, rows.into_iter().map(mapping).collect())
}

#[test]
fn own_sources_read_by_their_maps_as_an_analyst_reads_them() {
    for vendor in OWN_SOURCES {
        let (map, mut mappings) = own_source(vendor);
        mappings.extend(extract::system_mappings());
        let files: Vec<_> = files(vendor);
        assert!(
            files.len() >= MIN_OWN_SAMPLES,
            "{vendor} has {} samples",
            files.len()
        );
        let mut by_raw_path = 0;
        for file in files {
            let payload = json::parse(&fs::read(&file).expect("readable")).expect("JSON");
            let alert = normalise_with(Plugin::Generic, &map, &payload)
                .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            let found = extract::extract(vendor, &alert, &payload, &mappings);
            by_raw_path += found
                .iter()
                .filter(|e| e.pass == Pass::RawPayloadMapping)
                .count();
            assert_reads(&file, alert, &found);
        }
        assert!(by_raw_path > 0, "{vendor}: the third pass finds nothing");
    }
}

#[test]
fn without_its_map_an_own_source_is_refused_or_read_wrongly() {
    // The control: the maps do the work, not the generic plugin's own names.
    for vendor in OWN_SOURCES {
        for file in files(vendor) {
            let payload = json::parse(&fs::read(&file).expect("readable")).expect("JSON");
            assert!(
                normalise(Plugin::Generic, &payload).is_err(),
                "{}",
                file.display()
            );
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
