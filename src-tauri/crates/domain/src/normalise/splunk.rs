//! Splunk: the webhook alert action's body, and Enterprise Security notable events in it or bare.

use serde_json::Value;

use super::draft::{Draft, Reads, Row, first_text, severity, texts, time};
use super::{NormalisedAlert, NormalisedField as Field, Refused, RuleReference};
use crate::{IndicatorType as Type, Severity, path};

/// Common Information Model fields of the result. `src` and `dest` hold a name or an address.
pub(super) const TABLE: &[Row] = &[
    ("src_ip", Reads::Is(Type::Ip), Some(Field::SrcIp)),
    ("dest_ip", Reads::Is(Type::Ip), Some(Field::DstIp)),
    ("user", Reads::Is(Type::Account), Some(Field::ActorUsername)),
    (
        "sha256",
        Reads::Is(Type::HashSha256),
        Some(Field::FileHashSha256),
    ),
    ("md5", Reads::Is(Type::HashMd5), Some(Field::FileHashMd5)),
    ("sha1", Reads::Is(Type::HashSha1), Some(Field::FileHashSha1)),
    ("file_hash", Reads::Hash, None),
    ("process_hash", Reads::Hash, None),
    ("url", Reads::Is(Type::Url), Some(Field::HttpUrl)),
    ("domain", Reads::Host, None),
    ("src_host", Reads::Nothing, Some(Field::SrcHostname)),
    ("src_dns", Reads::Nothing, Some(Field::SrcHostname)),
    ("dest_host", Reads::Nothing, Some(Field::DstHostname)),
    ("dest_dns", Reads::Nothing, Some(Field::DstHostname)),
    ("url_domain", Reads::Nothing, Some(Field::HttpHostname)),
    ("query", Reads::Nothing, Some(Field::DnsQuery)),
    ("user_email", Reads::Nothing, Some(Field::ActorEmail)),
    ("sender", Reads::Nothing, Some(Field::EmailFrom)),
    ("reply_to", Reads::Nothing, Some(Field::EmailReplyTo)),
];
/// `src` and `dest` stand in for the addresses when those are absent.
const FALLBACKS: &[(&str, &str, Field, Field)] = &[
    ("src", "src_ip", Field::SrcIp, Field::SrcHostname),
    ("dest", "dest_ip", Field::DstIp, Field::DstHostname),
];
/// A bare notable is recognised by one of each.
const NOTABLE_NAMES: &[&str] = &["rule_name", "rule_title", "search_name", "signature"];
const NOTABLE_MARKS: &[&str] = &["urgency", "event_id", "_time", "_raw"];

pub(super) fn normalise(document: &Value) -> Result<NormalisedAlert, Refused> {
    let Some(result) = result_of(document) else {
        let message = "a Splunk alert is the webhook action's body: an object \"result\" beside \
                       \"search_name\" or \"sid\" (or a notable event with rule_name and urgency), \
                       one result a request (trigger \"For each result\"); use the webhook alert action, or post your own shape to the generic source";
        return Err(Refused {
            message: message.to_owned(),
        });
    };
    let search_name = first_text(document, &["search_name"]);
    let named = first_text(result, &["rule_name", "rule_title", "signature"]);
    let title = named
        .as_deref()
        .or(search_name.as_deref())
        .unwrap_or("Untitled Splunk Alert");
    let word = first_text(result, &["urgency", "severity"]);
    let mut draft = Draft::new(title, word.map_or(Severity::Low, |word| severity(&word)));
    let described = first_text(result, &["rule_description", "signature", "search_name"])
        .filter(|text| text != title)
        .or_else(|| first_text(result, &["_raw"]));
    draft.describe(described.as_deref());
    draft.occurred_at(result.get("_time").and_then(time));
    draft.source_url(first_text(document, &["results_link"]).as_deref());
    read_endpoints(&mut draft, result);
    draft.read_table(result, TABLE);
    let rule_name = first_text(result, &["rule_name"])
        .or(search_name)
        .or_else(|| first_text(result, &["search_name"]));
    if let Some(name) = rule_name {
        draft.rule(rule(result, &name));
    }
    Ok(draft.finish())
}

fn result_of(document: &Value) -> Option<&Value> {
    let object = document.as_object()?;
    let named = |keys: &[&str]| keys.iter().any(|key| object.contains_key(*key));
    // A scripted action posts `results`. Several rows are several alerts, and taking only the first
    // would lose the others without a word.
    let rows = object
        .get("results")
        .and_then(Value::as_array)
        .filter(|rows| rows.len() == 1);
    let rows = rows.and_then(|rows| rows.first());
    let result = object.get("result").or(rows).filter(|r| r.is_object());
    match result {
        Some(_) if named(&["search_name", "sid"]) => result,
        Some(_) => None,
        None => (named(NOTABLE_NAMES) && named(NOTABLE_MARKS)).then_some(document),
    }
}

fn read_endpoints(draft: &mut Draft, result: &Value) {
    for (key, specific, address, name) in FALLBACKS {
        let has_address = first_text(result, &[specific]).is_some();
        for raw in texts(result.get(key)) {
            if crate::indicator::canonical(Type::Ip, &raw).is_none() {
                draft.field(*name, &raw);
            } else if !has_address {
                draft.indicator(Type::Ip, &raw, key);
                draft.field(*address, &raw);
            }
        }
    }
}

fn rule(result: &Value, name: &str) -> RuleReference {
    let mut rule = RuleReference::by_id(name, Some(name));
    let techniques = [
        "annotations.mitre_attack",
        "annotations.mitre_attack.mitre_technique_id",
        "mitre_technique_id",
    ];
    for id in techniques
        .iter()
        .flat_map(|path| texts(path::lookup(result, path)))
    {
        rule.technique(&id);
    }
    let tactics = ["annotations.mitre_attack.mitre_tactic", "mitre_tactic"];
    for tactic in tactics
        .iter()
        .flat_map(|path| texts(path::lookup(result, path)))
    {
        rule.tactic(&tactic);
    }
    rule
}
