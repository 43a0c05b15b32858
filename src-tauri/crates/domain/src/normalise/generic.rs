//! Payloads of no particular vendor: a flat object that the sender writes for us.

use std::borrow::Cow;

use serde_json::Value;

use super::draft::{Draft, Reads, Row, first_text, severity, text, texts, time};
use super::{FieldMap, NormalisedAlert, NormalisedField as Field, Refused, RuleReference};
use crate::{IndicatorType as Type, Severity, path};

/// The top-level keys that are read; the names of the normalised fields are keys too.
pub(super) const TABLE: &[Row] = &[
    ("src_ip", Reads::Is(Type::Ip), Some(Field::SrcIp)),
    ("dest_ip", Reads::Is(Type::Ip), Some(Field::DstIp)),
    ("dst_ip", Reads::Is(Type::Ip), Some(Field::DstIp)),
    ("source_ip", Reads::Is(Type::Ip), Some(Field::SrcIp)),
    ("destination_ip", Reads::Is(Type::Ip), Some(Field::DstIp)),
    ("ip", Reads::Is(Type::Ip), None),
    ("domain", Reads::Host, None),
    ("hostname", Reads::Host, Some(Field::SrcHostname)),
    ("url", Reads::Is(Type::Url), Some(Field::HttpUrl)),
    ("user", Reads::Is(Type::Account), Some(Field::ActorUsername)),
    (
        "username",
        Reads::Is(Type::Account),
        Some(Field::ActorUsername),
    ),
    ("email", Reads::Is(Type::Email), Some(Field::ActorEmail)),
    ("md5", Reads::Is(Type::HashMd5), Some(Field::FileHashMd5)),
    ("sha1", Reads::Is(Type::HashSha1), Some(Field::FileHashSha1)),
    (
        "sha256",
        Reads::Is(Type::HashSha256),
        Some(Field::FileHashSha256),
    ),
    ("hash", Reads::Hash, None),
    ("src_hostname", Reads::Nothing, Some(Field::SrcHostname)),
    ("dst_hostname", Reads::Nothing, Some(Field::DstHostname)),
    ("file_hash_md5", Reads::Nothing, Some(Field::FileHashMd5)),
    ("file_hash_sha1", Reads::Nothing, Some(Field::FileHashSha1)),
    (
        "file_hash_sha256",
        Reads::Nothing,
        Some(Field::FileHashSha256),
    ),
    ("actor_email", Reads::Nothing, Some(Field::ActorEmail)),
    ("actor_username", Reads::Nothing, Some(Field::ActorUsername)),
    ("dns_query", Reads::Nothing, Some(Field::DnsQuery)),
    ("http_url", Reads::Nothing, Some(Field::HttpUrl)),
    ("http_hostname", Reads::Nothing, Some(Field::HttpHostname)),
    ("email_from", Reads::Nothing, Some(Field::EmailFrom)),
    ("email_reply_to", Reads::Nothing, Some(Field::EmailReplyTo)),
];

pub(super) fn normalise(document: &Value, map: &FieldMap) -> Result<NormalisedAlert, Refused> {
    let title = title(document, map)?;
    let severity = map.severity(document).unwrap_or_else(|| {
        first_text(document, &["severity"]).map_or(Severity::Pending, |word| severity(&word))
    });
    let mut draft = Draft::new(&title, severity);
    let description = map
        .description(document)
        .or_own(|| first_text(document, &["description"]));
    draft.describe(description.as_deref());
    draft.occurred_at(map.occurred_at(document).or_own(|| {
        ["occurred_at", "timestamp"]
            .iter()
            .find_map(|key| document.get(key).and_then(time))
    }));
    let tags = map
        .tags(document)
        .or_own(|| Some(texts(document.get("tags")).collect()));
    tags.iter().flatten().for_each(|tag| draft.tag(tag));
    let link = map
        .url(document)
        .or_own(|| first_text(document, &["source_url", "link"]));
    draft.source_url(link.as_deref());
    read_indicators(&mut draft, document);
    draft.read_table(document, TABLE);
    if let Some(rule) = rule(document, map) {
        draft.rule(rule);
    }
    Ok(draft.finish())
}

fn title<'a>(document: &'a Value, map: &FieldMap) -> Result<Cow<'a, str>, Refused> {
    if let Some(title) = map.title(document).map_err(|message| Refused { message })? {
        return Ok(title);
    }
    let title = document
        .as_object()
        .and_then(|o| o.get("title"))
        .and_then(text);
    title.ok_or_else(|| Refused {
        message: "a generic alert is a JSON object with a \"title\" (text, not empty); severity, \
                  description, occurred_at, tags, source_url, rule_id, rule_name and indicators \
                  [{type, value}] are optional"
            .to_owned(),
    })
}

/// The explicit list; entries of an unknown type are left out.
fn read_indicators(draft: &mut Draft, document: &Value) {
    let Some(items) = document.get("indicators").and_then(Value::as_array) else {
        return;
    };
    for (n, item) in items.iter().enumerate() {
        let kind = item.get("type").and_then(Value::as_str);
        let value = item.get("value").and_then(text);
        if let (Some(Ok(kind)), Some(value)) = (kind.map(str::parse::<Type>), value) {
            draft.indicator(kind, &value, &format!("indicators.{n}.value"));
        }
    }
}

fn rule(document: &Value, map: &FieldMap) -> Option<RuleReference> {
    let name = map
        .rule_name(document)
        .or_own(|| first_text(document, &["rule_name", "rule.name"]));
    let id = map
        .rule_id(document)
        .or_own(|| first_text(document, &["rule_id", "rule.id"]));
    let id = id.or_else(|| name.clone())?;
    let mut rule = RuleReference::by_id(&id, name.as_deref());
    rule.severity = first_text(document, &["rule.severity"]).map(|word| severity(&word));
    rule.document(first_text(document, &["rule.documentation"]).as_deref());
    for tactic in texts(path::lookup(document, "rule.mitre_tactics")) {
        rule.tactic(&tactic);
    }
    for technique in texts(path::lookup(document, "rule.mitre_techniques")) {
        rule.technique(&technique);
    }
    Some(rule)
}
