//! From a vendor's payload to the one shape that everything else works on.
//!
//! Each source has a file with its field table; `draft` holds what they share, above all the
//! bounds. A payload is accepted as the vendor sends it, wrapped or bare. Text from outside
//! stays text: markup, bidirectional marks and formulas pass unchanged and are made harmless
//! where they are shown. Nothing of the payload is copied but what ends up in the alert.

mod draft;
mod elastic;
mod field_map;
mod generic;
mod sentinel;
mod splunk;
pub mod verbatim;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Indicator, IndicatorType, Severity, Timestamp, words};

pub use draft::{
    MAX_DESCRIPTION_CHARS, MAX_FIELD_VALUES, MAX_INDICATORS, MAX_TAG_CHARS, MAX_TAGS,
    MAX_TITLE_CHARS,
};
pub use field_map::FieldMap;

words! {
    /// Whose payloads a source understands.
    Plugin, "plugin" {
        Generic => "generic",
        Sentinel => "sentinel",
        Elastic => "elastic",
        Splunk => "splunk",
    }
}

impl Plugin {
    /// The name for people.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Generic => "Generic Webhook",
            Self::Sentinel => "Microsoft Sentinel",
            Self::Elastic => "Elastic Security",
            Self::Splunk => "Splunk",
        }
    }
}

words! {
    /// A field that means the same in every source, so that one mapping serves all of them.
    NormalisedField, "normalised field" {
        SrcIp => "src_ip",
        DstIp => "dst_ip",
        SrcHostname => "src_hostname",
        DstHostname => "dst_hostname",
        FileHashMd5 => "file_hash_md5",
        FileHashSha256 => "file_hash_sha256",
        FileHashSha1 => "file_hash_sha1",
        ActorEmail => "actor_email",
        ActorUsername => "actor_username",
        DnsQuery => "dns_query",
        HttpUrl => "http_url",
        HttpHostname => "http_hostname",
        EmailFrom => "email_from",
        EmailReplyTo => "email_reply_to",
    }
}

/// The detection rule that a payload names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleReference {
    /// The rule's id at the source; with the source's name it identifies the rule.
    pub source_rule_id: String,
    /// Its name for people; the id when the payload has no name.
    pub name: String,
    /// The rule's own severity, when it differs in kind from the alert's.
    pub severity: Option<Severity>,
    /// Markdown that the source keeps with the rule.
    pub documentation: Option<String>,
    /// ATT&CK tactic ids (`TA0001`) where the name is known, else as the source wrote them.
    pub mitre_tactics: Vec<String>,
    /// Technique ids, `T1078`.
    pub mitre_techniques: Vec<String>,
    /// Sub-technique ids, `T1078.004`.
    pub mitre_subtechniques: Vec<String>,
}

/// An alert as every source's looks after normalising.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalisedAlert {
    /// Never empty, at most [`MAX_TITLE_CHARS`].
    pub title: String,
    /// At most [`MAX_DESCRIPTION_CHARS`].
    pub description: Option<String>,
    /// `Pending` when the source's word is not understood.
    pub severity: Severity,
    /// `None` when the payload has no readable time; the caller then takes the time of receipt.
    pub occurred_at: Option<Timestamp>,
    /// At most [`MAX_TAGS`], each at most [`MAX_TAG_CHARS`], without repetition.
    pub tags: Vec<String>,
    /// The alert in the source's own console, http or https.
    pub source_url: Option<String>,
    /// The rule that fired.
    pub rule: Option<RuleReference>,
    /// What the plugin itself found: the first of the three passes.
    pub indicators: Vec<ExtractedIndicator>,
    /// Raw texts by field, for the second pass; at most [`MAX_FIELD_VALUES`] a field.
    pub fields: BTreeMap<NormalisedField, Vec<String>>,
}

/// Which of the three extraction passes found an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pass {
    /// The source's own table.
    SourcePlugin,
    /// A mapping of a normalised field.
    NormalisedMapping,
    /// A mapping of a path in the raw payload.
    RawPayloadMapping,
}

/// An indicator and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedIndicator {
    /// The canonical indicator.
    pub indicator: Indicator,
    /// The pass that found it first.
    pub pass: Pass,
    /// The path or field it was read from.
    pub path: String,
}

/// A payload that is not the source's. The message says what the source expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// What is missing and what to do, for the sender.
    pub message: String,
}

/// Normalises one alert; of a body that carries several, the first (see [`split`]).
pub fn normalise(plugin: Plugin, payload: &Value) -> Result<NormalisedAlert, Refused> {
    normalise_with(plugin, &FieldMap::default(), payload)
}

/// As [`normalise`], for an own source: the generic plugin looks where the map says. The other
/// plugins know their fields and take no map.
pub fn normalise_with(
    plugin: Plugin,
    field_map: &FieldMap,
    payload: &Value,
) -> Result<NormalisedAlert, Refused> {
    let Some(document) = first_document(plugin, payload) else {
        return Err(Refused {
            message: "the body carries no alert: its list is empty".to_owned(),
        });
    };
    match plugin {
        Plugin::Generic => generic::normalise(document, field_map),
        Plugin::Sentinel => sentinel::normalise(document),
        Plugin::Elastic => elastic::normalise(document),
        Plugin::Splunk => splunk::normalise(document),
    }
}

/// Where a plugin itself looks for indicators, and as what it reads them: the first of the three
/// passes, for people. A hash is the type of its length, a host an address or a domain name.
pub fn plugin_fields(plugin: Plugin) -> Vec<(&'static str, IndicatorType)> {
    let table = match plugin {
        Plugin::Generic => generic::TABLE,
        Plugin::Elastic => elastic::TABLE,
        Plugin::Splunk => splunk::TABLE,
        Plugin::Sentinel => return sentinel::FIELDS.to_vec(),
    };
    table
        .iter()
        .filter_map(|(path, reads, _)| match reads {
            draft::Reads::Nothing => None,
            draft::Reads::Is(kind) => Some((*path, *kind)),
            draft::Reads::Host => Some((*path, IndicatorType::Domain)),
            draft::Reads::Hash => Some((*path, IndicatorType::HashSha256)),
        })
        .collect()
}

/// The alert documents in a body, as the vendors bundle them: a JSON list, Elastic's connector
/// and search bodies, the list of Sentinel's API. A body with one alert gives that one.
pub fn split(plugin: Plugin, payload: &Value) -> Vec<&Value> {
    match bundle(plugin, payload) {
        Some(items) => items.iter().collect(),
        None => vec![payload],
    }
}

fn first_document(plugin: Plugin, payload: &Value) -> Option<&Value> {
    bundle(plugin, payload).map_or(Some(payload), |items| items.first())
}

fn bundle(plugin: Plugin, payload: &Value) -> Option<&[Value]> {
    if let Value::Array(items) = payload {
        return Some(items);
    }
    match plugin {
        Plugin::Generic | Plugin::Splunk => None,
        Plugin::Sentinel => payload.get("value")?.as_array().map(Vec::as_slice),
        Plugin::Elastic => elastic::bundle(payload),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_refusal_says_what_the_source_expects() {
        for plugin in Plugin::ALL {
            for payload in [
                json!({}),
                json!([]),
                json!([1]),
                json!({"properties": 1}),
                json!("x"),
            ] {
                let refused = normalise(*plugin, &payload).expect_err("no alert in there");
                assert!(refused.message.len() > 30, "{plugin}: {refused}");
            }
        }
    }

    #[test]
    fn every_source_has_its_own_words_for_severity() {
        let with = |plugin: Plugin, word: Value| match plugin {
            Plugin::Generic => json!({"title": "t", "severity": word}),
            Plugin::Sentinel => json!({"properties": {"title": "t", "severity": word}}),
            Plugin::Elastic => {
                json!({"kibana.alert.rule.name": "t", "kibana.alert.severity": word})
            }
            Plugin::Splunk => json!({"sid": "1", "result": {"signature": "t", "urgency": word}}),
        };
        let absent = [
            Severity::Pending,
            Severity::Informational,
            Severity::Pending,
            Severity::Low,
        ];
        for (plugin, absent) in Plugin::ALL.iter().zip(absent) {
            let read = |word: Value| {
                normalise(*plugin, &with(*plugin, word))
                    .expect("an alert")
                    .severity
            };
            assert_eq!(read(json!("high")), Severity::High, "{plugin}");
            assert_eq!(read(json!("Medium")), Severity::Medium, "{plugin}");
            assert_eq!(
                read(json!("informational")),
                Severity::Informational,
                "{plugin}"
            );
            assert_eq!(read(json!("catastrophic")), Severity::Pending, "{plugin}");
            assert_eq!(read(json!(null)), absent, "{plugin}");
        }
        let none = with(Plugin::Sentinel, json!("None"));
        let none = normalise(Plugin::Sentinel, &none).expect("an incident");
        assert_eq!(none.severity, Severity::Informational);
    }

    #[test]
    fn a_rule_carries_its_attack_ids() {
        let sentinel = json!({"properties": {
            "title": "t", "relatedAnalyticRuleIds": ["/x/alertRules/id-1"],
            "additionalData": {"tactics": ["InitialAccess", "Novel"], "techniques": ["T1078", "T1078.004"]},
        }});
        let rule = normalise(Plugin::Sentinel, &sentinel)
            .expect("valid")
            .rule
            .expect("a rule");
        assert_eq!(rule.source_rule_id, "id-1");
        assert_eq!(rule.mitre_tactics, ["TA0001", "Novel"]);
        assert_eq!(rule.mitre_techniques, ["T1078"]);
        assert_eq!(rule.mitre_subtechniques, ["T1078.004"]);
        let elastic = json!({
            "kibana.alert.rule.uuid": "u", "kibana.alert.rule.severity": "high",
            "kibana.alert.rule.note": "## Triage",
            "kibana.alert.rule.parameters": {"threat": [{"tactic": {"id": "TA0002"}, "technique": [
                {"id": "T1059", "subtechnique": [{"id": "T1059.001"}]},
            ]}]},
        });
        let rule = normalise(Plugin::Elastic, &elastic)
            .expect("valid")
            .rule
            .expect("a rule");
        assert_eq!(rule.mitre_tactics, ["TA0002"]);
        assert_eq!(rule.mitre_techniques, ["T1059"]);
        assert_eq!(rule.mitre_subtechniques, ["T1059.001"]);
        assert_eq!(rule.severity, Some(Severity::High));
        assert_eq!(rule.documentation.as_deref(), Some("## Triage"));
    }

    #[test]
    fn several_results_in_one_body_are_refused_rather_than_lost() {
        let body = |rows: Value| json!({"sid": "1", "search_name": "s", "results": rows});
        assert!(normalise(Plugin::Splunk, &body(json!([{"user": "a"}]))).is_ok());
        let refused = normalise(Plugin::Splunk, &body(json!([{"user": "a"}, {"user": "b"}])))
            .expect_err("two alerts");
        assert!(refused.message.contains("For each result"), "{refused}");
    }

    #[test]
    fn bundles_are_split_and_single_alerts_are_not() {
        let one = json!({"title": "a"});
        assert_eq!(split(Plugin::Generic, &one), [&one]);
        assert_eq!(
            split(Plugin::Generic, &json!([{"title": "a"}, {"title": "b"}])).len(),
            2
        );
        assert_eq!(
            split(Plugin::Sentinel, &json!({"value": [{}, {}, {}]})).len(),
            3
        );
        for body in [
            json!({"alerts": [{}, {}]}),
            json!({"context": {"alerts": [{}, {}]}}),
            json!({"alerts": {"new": {"count": 2, "data": [{}, {}]}}}),
            json!({"hits": {"hits": [{"_source": {}}, {"_source": {}}]}}),
        ] {
            assert_eq!(split(Plugin::Elastic, &body).len(), 2, "{body}");
        }
    }

    #[test]
    fn everything_is_bounded() {
        let many: Vec<_> = (0..5_000)
            .map(|n| json!({"type": "ip", "value": format!("1.1.{}.{}", n / 250, n % 250)}))
            .collect();
        let tags: Vec<_> = (0..200)
            .map(|n| format!("{n}{}", "t".repeat(300)))
            .collect();
        let alert = normalise(
            Plugin::Generic,
            &json!({
                "title": "ü".repeat(2_000),
                "description": "d".repeat(100_000),
                "tags": tags,
                "indicators": many,
            }),
        )
        .expect("large but valid");
        assert_eq!(alert.title.chars().count(), MAX_TITLE_CHARS);
        assert_eq!(
            alert.description.map(|d| d.len()),
            Some(MAX_DESCRIPTION_CHARS)
        );
        assert_eq!(alert.tags.len(), MAX_TAGS);
        assert!(
            alert
                .tags
                .iter()
                .all(|t| t.chars().count() <= MAX_TAG_CHARS)
        );
        assert_eq!(alert.indicators.len(), MAX_INDICATORS);
    }
}
