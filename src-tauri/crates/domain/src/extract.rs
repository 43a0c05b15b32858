//! The three extraction passes: the source's own table, mappings of normalised fields, mappings
//! of paths in the raw payload.
//!
//! Every value is canonicalised; what is not what its mapping says is no indicator. The first
//! pass that finds an indicator keeps it.

use std::collections::HashSet;

use serde_json::Value;

use crate::indicator::canonical;
use crate::normalise::MAX_INDICATORS;
use crate::{
    ExtractedIndicator, Indicator, IndicatorType, NormalisedAlert, NormalisedField, Pass, path,
    words,
};

words! {
    /// Where a mapping reads from.
    ExtractionTarget, "extraction_target" {
        Normalised => "normalized",
        RawPayload => "raw_payload",
    }
}

/// A field that holds indicators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The source it applies to; `None` = all.
    pub source_name: Option<String>,
    /// Whether `field_path` names a normalised field or a path in the payload.
    pub target: ExtractionTarget,
    /// A [`NormalisedField`]'s word, or a dotted path as `path::lookup_all` takes it.
    pub field_path: String,
    /// The type of what is found there.
    pub kind: IndicatorType,
}

/// The mappings that a new store is seeded with: every normalised field, for all sources.
pub fn system_mappings() -> Vec<Mapping> {
    let mapping = |field: &NormalisedField| Mapping {
        source_name: None,
        target: ExtractionTarget::Normalised,
        field_path: field.as_str().to_owned(),
        kind: field.indicator_type(),
    };
    NormalisedField::ALL.iter().map(mapping).collect()
}

impl NormalisedField {
    /// The type of indicator that this field holds.
    pub const fn indicator_type(self) -> IndicatorType {
        match self {
            Self::SrcIp | Self::DstIp => IndicatorType::Ip,
            Self::SrcHostname | Self::DstHostname | Self::DnsQuery | Self::HttpHostname => {
                IndicatorType::Domain
            }
            Self::FileHashMd5 => IndicatorType::HashMd5,
            Self::FileHashSha256 => IndicatorType::HashSha256,
            Self::FileHashSha1 => IndicatorType::HashSha1,
            Self::ActorEmail | Self::EmailFrom | Self::EmailReplyTo => IndicatorType::Email,
            Self::ActorUsername => IndicatorType::Account,
            Self::HttpUrl => IndicatorType::Url,
        }
    }
}

/// All indicators of an alert, without repetition, in the order of the passes; at most
/// [`MAX_INDICATORS`]. `payload` is the body as it was posted.
pub fn extract(
    source_name: &str,
    alert: &NormalisedAlert,
    payload: &Value,
    mappings: &[Mapping],
) -> Vec<ExtractedIndicator> {
    let mut found = alert.indicators.clone();
    found.truncate(MAX_INDICATORS);
    let mut seen: HashSet<Indicator> = found.iter().map(|e| e.indicator.clone()).collect();
    let mut add = |kind, raw: &str, pass, path: &str| {
        if found.len() >= MAX_INDICATORS {
            return;
        }
        let Some(value) = canonical(kind, raw) else {
            return;
        };
        let indicator = Indicator { kind, value };
        if seen.insert(indicator.clone()) {
            found.push(ExtractedIndicator {
                indicator,
                pass,
                path: path.to_owned(),
            });
        }
    };
    let applies = |mapping: &&Mapping, target| {
        mapping.target == target
            && mapping
                .source_name
                .as_deref()
                .is_none_or(|s| s == source_name)
    };
    for mapping in mappings
        .iter()
        .filter(|m| applies(m, ExtractionTarget::Normalised))
    {
        let field = mapping.field_path.parse::<NormalisedField>().ok();
        for raw in field
            .and_then(|field| alert.fields.get(&field))
            .into_iter()
            .flatten()
        {
            add(
                mapping.kind,
                raw,
                Pass::NormalisedMapping,
                &mapping.field_path,
            );
        }
    }
    for mapping in mappings
        .iter()
        .filter(|m| applies(m, ExtractionTarget::RawPayload))
    {
        for value in path::lookup_all(payload, &mapping.field_path) {
            if let Value::String(raw) = value {
                add(
                    mapping.kind,
                    raw,
                    Pass::RawPayloadMapping,
                    &mapping.field_path,
                );
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::normalise::{Plugin, normalise};

    fn raw(source: Option<&str>, field_path: &str, kind: IndicatorType) -> Mapping {
        Mapping {
            source_name: source.map(str::to_owned),
            target: ExtractionTarget::RawPayload,
            field_path: field_path.to_owned(),
            kind,
        }
    }

    #[test]
    fn there_are_the_fourteen_documented_mappings() {
        assert_eq!(system_mappings().len(), 14);
    }

    #[test]
    fn the_passes_add_to_each_other_and_nothing_comes_twice() {
        let payload = json!({
            "title": "t", "src_ip": "8.8.8.8", "dns_query": "evil[.]com",
            "extra": {"ips": ["8.8.8.8", "1.1.1.1", "none"], "n": 5},
        });
        let alert = normalise(Plugin::Generic, &payload).expect("valid");
        let mut mappings = system_mappings();
        mappings.push(raw(None, "extra.ips", IndicatorType::Ip));
        mappings.push(raw(Some("splunk"), "title", IndicatorType::Account));
        let found = extract("generic", &alert, &payload, &mappings);
        let shown: Vec<_> = found
            .iter()
            .map(|e| (e.indicator.value.as_str(), e.pass, e.path.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("8.8.8.8", Pass::SourcePlugin, "src_ip"),
                ("evil.com", Pass::NormalisedMapping, "dns_query"),
                ("1.1.1.1", Pass::RawPayloadMapping, "extra.ips"),
            ]
        );
    }

    #[test]
    fn an_unknown_field_and_a_wrong_type_find_nothing() {
        let payload = json!({"title": "t", "sha256": "a".repeat(63)});
        let alert = normalise(Plugin::Generic, &payload).expect("valid");
        let mut mappings = system_mappings();
        mappings.push(Mapping {
            field_path: "no_such".to_owned(),
            ..mappings[0].clone()
        });
        mappings.push(raw(None, "sha256", IndicatorType::HashSha256));
        assert!(extract("generic", &alert, &payload, &mappings).is_empty());
    }
}
