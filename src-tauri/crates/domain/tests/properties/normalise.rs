//! Normalising and extracting.

use std::collections::HashSet;

use calseta_domain::normalise::{
    MAX_DESCRIPTION_CHARS, MAX_FIELD_VALUES, MAX_INDICATORS, MAX_TAG_CHARS, MAX_TAGS,
    MAX_TITLE_CHARS, normalise, normalise_with, split,
};
use calseta_domain::{
    ExtractedIndicator, ExtractionTarget, FieldMap, Indicator, IndicatorType, Mapping,
    NormalisedAlert, Plugin, extract,
};
use proptest::prelude::*;
use serde_json::Value;

use super::CASES;
use super::documents::{leaf, nearly_a_sample};

fn holds(alert: &NormalisedAlert) -> Result<(), TestCaseError> {
    let chars = |text: &str| text.chars().count();
    prop_assert!(!alert.title.is_empty() && chars(&alert.title) <= MAX_TITLE_CHARS);
    let description = alert.description.as_deref().unwrap_or_default();
    prop_assert!(chars(description) <= MAX_DESCRIPTION_CHARS);
    prop_assert!(alert.tags.len() <= MAX_TAGS);
    prop_assert!(
        alert
            .tags
            .iter()
            .all(|tag| (1..=MAX_TAG_CHARS).contains(&chars(tag)))
    );
    let tags: HashSet<_> = alert.tags.iter().collect();
    prop_assert_eq!(tags.len(), alert.tags.len(), "no tag twice");
    if let Some(url) = &alert.source_url {
        let scheme = url
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        prop_assert!(
            scheme.trim() == "http" || scheme.trim() == "https",
            "{}",
            url
        );
    }
    if let Some(time) = alert.occurred_at {
        let written = time.to_string();
        prop_assert_eq!(written.parse(), Ok(time), "{}", written);
    }
    prop_assert!(
        alert
            .fields
            .values()
            .all(|v| (1..=MAX_FIELD_VALUES).contains(&v.len()))
    );
    if let Some(rule) = &alert.rule {
        prop_assert!(!rule.source_rule_id.is_empty() && !rule.name.is_empty());
        prop_assert!(chars(&rule.source_rule_id) <= MAX_TITLE_CHARS);
    }
    canonical(&alert.indicators)
}

fn canonical(found: &[ExtractedIndicator]) -> Result<(), TestCaseError> {
    prop_assert!(found.len() <= MAX_INDICATORS);
    let mut seen = HashSet::new();
    for one in found {
        let again = Indicator::new(one.indicator.kind, &one.indicator.value);
        prop_assert_eq!(again.as_ref(), Some(&one.indicator), "canonical already");
        prop_assert!(seen.insert(&one.indicator), "nothing comes twice");
        prop_assert!(!one.path.is_empty());
    }
    Ok(())
}

/// Every plugin must stand every vendor's payload, not only its own.
fn reads(plugin: Plugin, payload: &Value) -> Result<(), TestCaseError> {
    for document in split(plugin, payload) {
        match normalise(plugin, document) {
            Ok(alert) => {
                holds(&alert)?;
                let again = normalise(plugin, document);
                prop_assert_eq!(again.as_ref(), Ok(&alert), "the same twice");
                let found = extract::extract("x", &alert, document, &extract::system_mappings());
                canonical(&found)?;
                prop_assert!(
                    found.starts_with(&alert.indicators),
                    "the first pass comes first"
                );
            }
            Err(refused) => prop_assert!(refused.message.len() > 20),
        }
    }
    Ok(())
}

fn raw_mapping() -> impl Strategy<Value = Mapping> {
    let path = prop::sample::select(vec![
        "src_ip",
        "result.src",
        "properties.title",
        "kibana.alert.rule.name",
        "Entities.Address",
        "event.UserName",
        "alert.signature",
        "rule.groups",
        "data.srcip",
        "0",
        "a..b",
        "indicators.value",
    ]);
    (
        path,
        prop::sample::select(IndicatorType::ALL),
        prop::option::of(Just("x".to_owned())),
    )
        .prop_map(|(path, kind, source_name)| Mapping {
            source_name,
            target: ExtractionTarget::RawPayload,
            field_path: path.to_owned(),
            kind,
        })
}

fn field_map() -> impl Strategy<Value = FieldMap> {
    let path = || {
        prop::option::of(prop::sample::select(vec![
            "title",
            "rule.description",
            "alert.signature",
            "event.Name",
            "properties",
            "result.urgency",
            "rule.level",
            "timestamp",
            "kibana.alert.rule.name",
            "indicators.value",
            "Entities.0.Address",
        ]))
    };
    (path(), path(), path(), path(), path()).prop_map(|(title, severity, at, tags, rule)| {
        let map = serde_json::json!({
            "title": title, "severity": severity, "occurred_at": at, "tags": tags, "rule_id": rule,
            "description": title, "url": tags, "rule_name": at,
        });
        FieldMap::parse(&map).expect("paths")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn generic_stands_any_payload((_, payload) in nearly_a_sample()) {
        reads(Plugin::Generic, &payload)?;
    }

    #[test]
    fn sentinel_stands_any_payload((_, payload) in nearly_a_sample()) {
        reads(Plugin::Sentinel, &payload)?;
    }

    #[test]
    fn elastic_stands_any_payload((_, payload) in nearly_a_sample()) {
        reads(Plugin::Elastic, &payload)?;
    }

    #[test]
    fn splunk_stands_any_payload((_, payload) in nearly_a_sample()) {
        reads(Plugin::Splunk, &payload)?;
    }

    #[test]
    fn an_own_source_stands_any_payload_and_any_map(
        (_, payload) in nearly_a_sample(),
        map in field_map(),
    ) {
        match normalise_with(Plugin::Generic, &map, &payload) {
            Ok(alert) => holds(&alert)?,
            Err(refused) => prop_assert!(refused.message.len() > 20),
        }
    }

    #[test]
    fn whatever_mappings_find_is_canonical_and_comes_once(
        (_, payload) in nearly_a_sample(),
        mappings in prop::collection::vec(raw_mapping(), 0..6),
    ) {
        if let Ok(alert) = normalise(Plugin::Generic, &payload) {
            let found = extract::extract("x", &alert, &payload, &mappings);
            canonical(&found)?;
            let elsewhere = extract::extract("y", &alert, &payload, &mappings);
            prop_assert!(elsewhere.len() <= found.len(), "a mapping of another source is not run");
        }
    }

    #[test]
    fn a_field_map_is_read_or_refused_with_paths(key in "[a-z_]{1,12}|severity_map|title", value in leaf()) {
        let map = serde_json::json!({ key: value });
        if let Err(errors) = FieldMap::parse(&map) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| error.path.starts_with("field_map.")));
        }
    }
}
