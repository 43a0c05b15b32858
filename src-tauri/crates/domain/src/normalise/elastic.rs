//! Elastic Security alerts: documents of the alerts index, flat or nested, and what Kibana's
//! connectors and the search API wrap around them.

use serde_json::Value;

use super::draft::{Draft, Reads, Row, first_text, severity, texts, time};
use super::{NormalisedAlert, NormalisedField as Field, Refused, RuleReference};
use crate::{IndicatorType as Type, Severity, path};

/// Elastic Common Schema fields, in the order in which the indicators are listed.
pub(super) const TABLE: &[Row] = &[
    ("source.ip", Reads::Is(Type::Ip), Some(Field::SrcIp)),
    ("destination.ip", Reads::Is(Type::Ip), Some(Field::DstIp)),
    ("host.ip", Reads::Is(Type::Ip), None),
    ("threat.indicator.ip", Reads::Is(Type::Ip), None),
    ("destination.domain", Reads::Host, Some(Field::DstHostname)),
    (
        "dns.question.name",
        Reads::Is(Type::Domain),
        Some(Field::DnsQuery),
    ),
    ("url.domain", Reads::Host, Some(Field::HttpHostname)),
    ("threat.indicator.domain", Reads::Host, None),
    ("url.full", Reads::Is(Type::Url), Some(Field::HttpUrl)),
    (
        "process.hash.sha256",
        Reads::Is(Type::HashSha256),
        Some(Field::FileHashSha256),
    ),
    (
        "file.hash.sha256",
        Reads::Is(Type::HashSha256),
        Some(Field::FileHashSha256),
    ),
    (
        "threat.indicator.file.hash.sha256",
        Reads::Is(Type::HashSha256),
        None,
    ),
    (
        "process.hash.sha1",
        Reads::Is(Type::HashSha1),
        Some(Field::FileHashSha1),
    ),
    (
        "file.hash.sha1",
        Reads::Is(Type::HashSha1),
        Some(Field::FileHashSha1),
    ),
    (
        "process.hash.md5",
        Reads::Is(Type::HashMd5),
        Some(Field::FileHashMd5),
    ),
    (
        "file.hash.md5",
        Reads::Is(Type::HashMd5),
        Some(Field::FileHashMd5),
    ),
    (
        "user.email",
        Reads::Is(Type::Email),
        Some(Field::ActorEmail),
    ),
    (
        "user.name",
        Reads::Is(Type::Account),
        Some(Field::ActorUsername),
    ),
    ("source.domain", Reads::Nothing, Some(Field::SrcHostname)),
    ("host.name", Reads::Nothing, Some(Field::SrcHostname)),
    ("email.from.address", Reads::Nothing, Some(Field::EmailFrom)),
    (
        "email.reply_to.address",
        Reads::Nothing,
        Some(Field::EmailReplyTo),
    ),
];

/// Where connector and search bodies keep their list of alerts.
pub(super) const BUNDLES: &[&str] = &[
    "alerts",
    "context.alerts",
    "alerts.new.data",
    "alerts.all.data",
    "hits.hits",
];

pub(super) fn bundle(payload: &Value) -> Option<&[Value]> {
    BUNDLES
        .iter()
        .find_map(|path| path::lookup(payload, path)?.as_array().map(Vec::as_slice))
}

pub(super) fn normalise(document: &Value) -> Result<NormalisedAlert, Refused> {
    // A search hit carries the document one level down.
    let document = document
        .get("_source")
        .filter(|s| s.is_object())
        .unwrap_or(document);
    let name = first_text(document, &["kibana.alert.rule.name"]);
    let uuid = first_text(document, &["kibana.alert.rule.uuid"]);
    if name.is_none() && uuid.is_none() {
        let message = "an Elastic alert has kibana.alert.rule.name or kibana.alert.rule.uuid, flat \
                       or nested; send the alert document itself, or a connector body with \
                       {\"alerts\": [document]} ({{{context.alerts}}} in a rule action)";
        return Err(Refused {
            message: message.to_owned(),
        });
    }
    let reason = first_text(document, &["kibana.alert.reason"]);
    let title = name
        .as_deref()
        .or(reason.as_deref())
        .unwrap_or("Untitled Elastic Alert");
    let word = first_text(
        document,
        &["kibana.alert.severity", "kibana.alert.rule.severity"],
    );
    let mut draft = Draft::new(
        title,
        word.map_or(Severity::Pending, |word| severity(&word)),
    );
    let described = first_text(document, &["kibana.alert.rule.description"]);
    let described = described.as_deref().filter(|text| *text != title);
    draft.describe(described.or(reason.as_deref()));
    draft.occurred_at(
        ["kibana.alert.start", "@timestamp"]
            .iter()
            .find_map(|path| path::lookup(document, path).and_then(time)),
    );
    draft.tags(path::lookup(document, "kibana.alert.rule.tags"));
    draft.source_url(first_text(document, &["kibana.alert.url"]).as_deref());
    draft.read_table(document, TABLE);
    if let Some(id) = uuid.as_deref().or(name.as_deref()) {
        draft.rule(rule(document, id, name.as_deref()));
    }
    Ok(draft.finish())
}

fn rule(document: &Value, id: &str, name: Option<&str>) -> RuleReference {
    let mut rule = RuleReference::by_id(id, name);
    rule.severity = first_text(document, &["kibana.alert.rule.severity"])
        .map(|word| severity(&word))
        .filter(|severity| *severity != Severity::Pending);
    rule.document(
        first_text(
            document,
            &[
                "kibana.alert.rule.note",
                "kibana.alert.rule.parameters.note",
            ],
        )
        .as_deref(),
    );
    let threats = [
        "kibana.alert.rule.threat",
        "kibana.alert.rule.parameters.threat",
        "threat",
    ];
    for threat in threats
        .iter()
        .filter_map(|path| path::lookup(document, path))
    {
        read_ids(threat, "tactic.id", |id| rule.tactic(id));
        read_ids(threat, "technique.id", |id| rule.technique(id));
        read_ids(threat, "technique.subtechnique.id", |id| rule.technique(id));
    }
    rule
}

fn read_ids(threat: &Value, path: &str, mut add: impl FnMut(&str)) {
    for id in path::lookup_all(threat, path)
        .into_iter()
        .flat_map(|value| texts(Some(value)))
    {
        add(&id);
    }
}
