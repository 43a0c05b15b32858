use std::collections::BTreeMap;
use serde_json::Value;
use crate::{Indicator, Severity, Timestamp, words};

words! {
    /// Which vendor's shape a payload has.
    Plugin, "plugin" {
        Generic => "generic",
        Sentinel => "sentinel",
        Elastic => "elastic",
        Splunk => "splunk",
    }
}

words! {
    /// A field of the normalised alert that a mapping may read.
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReference {
    pub source_rule_id: String,
    pub name: String,
    pub severity: Option<Severity>,
    pub documentation: Option<String>,
    pub mitre_tactics: Vec<String>,
    pub mitre_techniques: Vec<String>,
    pub mitre_subtechniques: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NormalisedAlert {
    pub title: String,
    pub description: Option<String>,
    pub severity: Severity,
    pub occurred_at: Option<Timestamp>,
    pub tags: Vec<String>,
    pub source_url: Option<String>,
    pub rule: Option<RuleReference>,
    pub indicators: Vec<ExtractedIndicator>,
    pub fields: BTreeMap<NormalisedField, Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pass { SourcePlugin, NormalisedMapping, RawPayloadMapping }

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedIndicator {
    pub indicator: Indicator,
    pub pass: Pass,
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused { pub message: String }

pub fn normalise(plugin: Plugin, payload: &Value) -> Result<NormalisedAlert, Refused> { let _ = (plugin, payload); unimplemented!() }
pub fn split(plugin: Plugin, payload: &Value) -> Vec<&Value> { let _ = (plugin, payload); unimplemented!() }
