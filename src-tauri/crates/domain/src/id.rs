//! Ids: UUIDv7 newtypes, so that an alert's id can never be passed for an agent's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id that was made or read elsewhere.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }
            /// The id itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    )+};
}

ids! {
    /// An alert.
    AlertId,
    /// An indicator, shared by all alerts that name it.
    IndicatorId,
    /// A detection rule.
    DetectionRuleId,
    /// A context document.
    DocumentId,
    /// An enrichment provider.
    ProviderId,
    /// A registered agent.
    AgentId,
    /// One delivery of one alert to one agent.
    DeliveryId,
    /// An agent's or analyst's finding.
    FindingId,
    /// An API key (never the key itself).
    ApiKeyId,
    /// An alert source.
    SourceId,
    /// A refused payload that was kept.
    RejectId,
    /// A saved view of the queue.
    ViewId,
    /// An indicator field mapping.
    MappingId,
    /// A rule that takes a field out of a provider's answer.
    ExtractionId,
    /// A note on an alert.
    NoteId,
    /// One change by a person, of one alert or of many, that can be undone.
    ChangeId,
    /// A job in quarantine.
    JobId,
    /// A rule that keeps alerts out of the queue.
    SuppressionId,
}

impl DeliveryId {
    /// The Standard Webhooks message id of this delivery: `msg_` and the uuid without dashes.
    /// It holds no `.`, which the signature uses as its separator.
    pub fn webhook_id(self) -> String {
        format!("msg_{}", self.0.simple())
    }
}
