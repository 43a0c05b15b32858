//! The names of the fields, their other spellings, and what they mean for people.

use crate::words;

words! {
    /// A field of the grammar.
    Field, "field" {
        Status => "status",
        Severity => "sev",
        Source => "source",
        Rule => "rule",
        Tag => "tag",
        Title => "title",
        Ip => "ip",
        Domain => "domain",
        Hash => "hash",
        Url => "url",
        Email => "email",
        Account => "account",
        Indicator => "ind",
        Verdict => "verdict",
        Finding => "finding",
        Agent => "agent",
        Says => "says",
        Confidence => "conf",
        Disagree => "disagree",
        Classification => "class",
        Enrichment => "enrich",
        Delivery => "delivery",
        Approval => "approval",
        Mitre => "mitre",
        Duplicates => "dup",
        Age => "age",
        Occurred => "occurred",
        Ingested => "ingested",
        Updated => "updated",
        Closed => "closed",
        Is => "is",
        Raw => "raw",
        Document => "doc",
        Has => "has",
        Id => "id",
        Sort => "sort",
        Group => "group",
    }
}

/// Other names that are understood: the API's own names for the same things.
const OTHER_NAMES: &[(&str, Field)] = &[
    ("severity", Field::Severity),
    ("source_name", Field::Source),
    ("detection_rule", Field::Rule),
    ("tags", Field::Tag),
    ("indicator", Field::Indicator),
    ("md5", Field::Hash),
    ("sha1", Field::Hash),
    ("sha256", Field::Hash),
    ("malice", Field::Verdict),
    ("findings", Field::Finding),
    ("confidence", Field::Confidence),
    ("classification", Field::Classification),
    ("close_classification", Field::Classification),
    ("enrichment", Field::Enrichment),
    ("enrichment_status", Field::Enrichment),
    ("duplicates", Field::Duplicates),
    ("duplicate_count", Field::Duplicates),
    ("occurred_at", Field::Occurred),
    ("ingested_at", Field::Ingested),
    ("updated_at", Field::Updated),
    ("closed_at", Field::Closed),
    ("document", Field::Document),
    ("uuid", Field::Id),
    ("order", Field::Sort),
];

impl Field {
    /// The field of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        let same = |word: &&'static str| word.eq_ignore_ascii_case(name);
        if let Some(at) = Self::WORDS.iter().position(same) {
            return Self::ALL.get(at).copied();
        }
        let other = OTHER_NAMES.iter().find(|(word, _)| same(word));
        other.map(|(_, field)| *field)
    }

    /// Every name that is understood: the grammar's first.
    pub(super) fn names() -> Vec<&'static str> {
        let others = OTHER_NAMES.iter().map(|(name, _)| *name);
        Self::WORDS.iter().copied().chain(others).collect()
    }

    /// What the field looks at, for people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Status => "where the investigation stands",
            Self::Severity => "severity, also >=high",
            Self::Source => "the source's name",
            Self::Rule => "the detection rule's name or id",
            Self::Tag => "a tag",
            Self::Title => "the title",
            Self::Ip => "an address, a network or 10.0.*",
            Self::Domain => "a domain, also *.evil.tld",
            Self::Hash => "an MD5, SHA-1 or SHA-256",
            Self::Url => "a URL",
            Self::Email => "a mail address",
            Self::Account => "a user's account",
            Self::Indicator => "an indicator of any kind",
            Self::Verdict => "the worst verdict on its indicators",
            Self::Finding => "yes, no or how many, like >2",
            Self::Agent => "who posted a finding",
            Self::Says => "what a finding says",
            Self::Confidence => "a finding's confidence, a word or >=0.8",
            Self::Disagree => "whether findings disagree: yes or no",
            Self::Classification => "why it was closed",
            Self::Enrichment => "how the enrichment went",
            Self::Delivery => "how the deliveries to agents went",
            Self::Approval => "approvals that it waits for",
            Self::Mitre => "an ATT&CK id of its rule, like T1078",
            Self::Duplicates => "how often it was repeated, like >5",
            Self::Age => "how long it has been here, like <4h",
            Self::Occurred => "when it happened: a day, a time, today",
            Self::Ingested => "when it came in",
            Self::Updated => "when it was last changed",
            Self::Closed => "when it was closed",
            Self::Is => "marks, like unread",
            Self::Raw => "a path in the raw payload, like raw.event.action",
            Self::Document => "the title of a context document that applies",
            Self::Has => "things it has, like note",
            Self::Id => "the alert's id",
            Self::Sort => "the order, like -sev,occurred",
            Self::Group => "what the list is grouped by",
        }
    }
}
