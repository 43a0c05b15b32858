//! Microsoft Sentinel: incidents as the API returns them, the body that an automation rule gives
//! a playbook, and the older alert trigger. Entities come in three spellings, hence the lookups
//! without case.

use std::borrow::Cow;

use serde_json::Value;

use super::draft::{Draft, severity, text, texts, time};
use super::{NormalisedAlert, NormalisedField as Field, Refused, RuleReference};
use crate::{IndicatorType as Type, Severity, json, path};

/// What [`normalise`] reads of an incident's entities, for people.
pub(super) const FIELDS: &[(&str, Type)] = &[
    ("Entities[ip].Address", Type::Ip),
    ("Entities[account].Name + UPNSuffix", Type::Account),
    ("Entities[host].HostName + DnsDomain", Type::Domain),
    ("Entities[url].Url", Type::Url),
    ("Entities[filehash].Value (SHA256)", Type::HashSha256),
    ("Entities[filehash].Value (SHA1)", Type::HashSha1),
    ("Entities[filehash].Value (MD5)", Type::HashMd5),
];

pub(super) fn normalise(document: &Value) -> Result<NormalisedAlert, Refused> {
    let incident = document
        .get("object")
        .filter(|o| o.is_object())
        .unwrap_or(document);
    let properties = incident
        .get("properties")
        .filter(|p| p.is_object())
        .unwrap_or(incident);
    let title = prop(properties, &["title", "alertDisplayName"]);
    let word = prop(properties, &["severity", "alertSeverity"]);
    // Without `properties` only the alert trigger's own key tells that it is Sentinel's.
    let is_wrapped = incident.get("properties").is_some_and(Value::is_object);
    let is_alert = !is_wrapped && prop(properties, &["alertDisplayName"]).is_some();
    if !(is_alert || is_wrapped && (title.is_some() || word.is_some())) {
        let message = "a Sentinel incident has an object \"properties\" with a title or a \
                       severity; send the incident as an automation rule's playbook receives it \
                       ({\"object\": {\"properties\": …}}), or the incident itself";
        return Err(Refused {
            message: message.to_owned(),
        });
    }
    let title = title.as_deref().unwrap_or("Untitled Sentinel Incident");
    let mut draft = Draft::new(title, incident_severity(word.as_deref()));
    draft.describe(prop(properties, &["description"]).as_deref());
    draft.occurred_at(
        [
            "firstActivityTimeUtc",
            "startTimeUtc",
            "createdTimeUtc",
            "timeGenerated",
        ]
        .iter()
        .find_map(|name| raw_prop(properties, name).and_then(time)),
    );
    for label in path::lookup_all(properties, "labels.labelName") {
        if let Some(label) = text(label) {
            draft.tag(&label);
        }
    }
    draft.source_url(prop(properties, &["incidentUrl", "alertLink"]).as_deref());
    read_entities(&mut draft, "Entities", raw_prop(document, "entities"));
    if !std::ptr::eq(incident, document) {
        read_entities(
            &mut draft,
            "object.Entities",
            raw_prop(incident, "entities"),
        );
    }
    for (name, path) in [
        ("relatedEntities", "properties.relatedEntities"),
        ("entities", "properties.entities"),
    ] {
        if !std::ptr::eq(properties, document) {
            read_entities(&mut draft, path, raw_prop(properties, name));
        }
    }
    if let Some(rule) = rule(properties, title) {
        draft.rule(rule);
    }
    Ok(draft.finish())
}

/// Sentinel has no Critical, and its `None` is our Informational.
fn incident_severity(word: Option<&str>) -> Severity {
    match word {
        None => Severity::Informational,
        Some(word) if word.eq_ignore_ascii_case("none") => Severity::Informational,
        Some(word) => severity(word),
    }
}

/// The analytics rule, by the last segment of its resource id; its name is in the alerts.
fn rule(properties: &Value, title: &str) -> Option<RuleReference> {
    let resource = path::lookup(properties, "relatedAnalyticRuleIds.0").and_then(text)?;
    let id = resource
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .filter(|id| !id.is_empty())?;
    let name = [
        "alerts.0.properties.additionalData.Analytic Rule Name",
        "alerts.0.properties.alertDisplayName",
    ]
    .iter()
    .find_map(|path| path::lookup(properties, path).and_then(text));
    let mut rule = RuleReference::by_id(id, name.as_deref().or(Some(title)));
    for list in ["additionalData.tactics", "tactics"] {
        for tactic in texts(path::lookup(properties, list)) {
            rule.tactic(&tactic);
        }
    }
    for list in ["additionalData.techniques", "techniques"] {
        for technique in texts(path::lookup(properties, list)) {
            rule.technique(&technique);
        }
    }
    Some(rule)
}

/// A list of entities, or the same list as JSON text (the alert trigger sends it so).
fn read_entities(draft: &mut Draft, path: &str, entities: Option<&Value>) {
    match entities {
        Some(Value::Array(items)) => read_list(draft, path, items),
        Some(Value::String(text)) => {
            if let Ok(Value::Array(items)) = json::parse(text.as_bytes()) {
                read_list(draft, path, &items);
            }
        }
        _ => {}
    }
}

fn read_list(draft: &mut Draft, path: &str, items: &[Value]) {
    for (n, entity) in items.iter().enumerate() {
        let Some(kind) = prop(entity, &["kind", "type"]) else {
            continue;
        };
        let properties = entity
            .get("properties")
            .filter(|p| p.is_object())
            .unwrap_or(entity);
        read_entity(
            draft,
            &kind.to_ascii_lowercase(),
            properties,
            &format!("{path}.{n}"),
        );
    }
}

fn read_entity(draft: &mut Draft, kind: &str, entity: &Value, path: &str) {
    match kind {
        "ip" => read(draft, Type::Ip, None, prop(entity, &["address"]), path),
        "url" => read(
            draft,
            Type::Url,
            Some(Field::HttpUrl),
            prop(entity, &["url"]),
            path,
        ),
        "account" => {
            read(
                draft,
                Type::Account,
                Some(Field::ActorUsername),
                account(entity),
                path,
            );
        }
        "host" => read(
            draft,
            Type::Domain,
            Some(Field::SrcHostname),
            host(entity),
            path,
        ),
        "dns" | "dnsresolution" => {
            let name = prop(entity, &["domainName"]);
            read(draft, Type::Domain, Some(Field::DnsQuery), name, path);
        }
        "mailbox" => {
            let address = prop(entity, &["mailboxPrimaryAddress", "upn"]);
            read(draft, Type::Email, Some(Field::ActorEmail), address, path);
        }
        "mailmessage" => read_message(draft, entity, path),
        "filehash" => read_hash(draft, entity, path),
        "file" => read_hashes(draft, entity, path),
        "process" => {
            if let Some(image) = raw_prop(entity, "imageFile") {
                read_hashes(draft, image, path);
            }
        }
        _ => {}
    }
}

fn read(
    draft: &mut Draft,
    kind: Type,
    field: Option<Field>,
    raw: Option<Cow<'_, str>>,
    path: &str,
) {
    let Some(raw) = raw else { return };
    draft.indicator(kind, &raw, path);
    if let Some(field) = field {
        draft.field(field, &raw);
    }
}

/// `name@suffix`, else `DOMAIN\name`, else the bare name.
fn account(entity: &Value) -> Option<Cow<'_, str>> {
    let name = prop(entity, &["accountName", "name", "userPrincipalName"])?;
    if name.contains('@') {
        return Some(name);
    }
    if let Some(suffix) = prop(entity, &["upnSuffix"]) {
        return Some(Cow::Owned(format!("{name}@{suffix}")));
    }
    match prop(entity, &["ntDomain"]) {
        Some(domain) => Some(Cow::Owned(format!("{domain}\\{name}"))),
        None => Some(name),
    }
}

fn host(entity: &Value) -> Option<Cow<'_, str>> {
    let name = prop(entity, &["hostName", "netBiosName", "fqdn"])?;
    match prop(entity, &["dnsDomain"]) {
        Some(domain) => Some(Cow::Owned(format!("{name}.{domain}"))),
        None => Some(name),
    }
}

/// The sender is the suspect, the recipient the target; both are evidence.
fn read_message(draft: &mut Draft, entity: &Value, path: &str) {
    for name in ["sender", "p1Sender", "p2Sender"] {
        if let Some(sender) = prop(entity, &[name]) {
            draft.field(Field::EmailFrom, &sender);
        }
    }
    read(draft, Type::Email, None, prop(entity, &["recipient"]), path);
    read(
        draft,
        Type::Ip,
        Some(Field::SrcIp),
        prop(entity, &["senderIP"]),
        path,
    );
    for url in texts(raw_prop(entity, "urls")) {
        read(draft, Type::Url, Some(Field::HttpUrl), Some(url), path);
    }
}

fn read_hashes(draft: &mut Draft, file: &Value, path: &str) {
    if let Some(Value::Array(hashes)) = raw_prop(file, "fileHashes") {
        for hash in hashes {
            read_hash(draft, hash, path);
        }
    }
}

fn read_hash(draft: &mut Draft, entity: &Value, path: &str) {
    let algorithm = prop(entity, &["algorithm"])
        .unwrap_or_default()
        .to_ascii_uppercase();
    let (kind, field) = match algorithm.as_str() {
        "SHA256" => (Type::HashSha256, Field::FileHashSha256),
        "SHA1" => (Type::HashSha1, Field::FileHashSha1),
        "MD5" => (Type::HashMd5, Field::FileHashMd5),
        _ => return,
    };
    read(
        draft,
        kind,
        Some(field),
        prop(entity, &["hashValue", "value"]),
        path,
    );
}

/// A property whatever its case: `Address`, `address`, `UPNSuffix`, `upnSuffix`.
fn raw_prop<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let map = object.as_object()?;
    map.iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// The first of these properties that holds a text.
fn prop<'a>(object: &'a Value, names: &[&str]) -> Option<Cow<'a, str>> {
    names
        .iter()
        .find_map(|name| raw_prop(object, name).and_then(text))
}
