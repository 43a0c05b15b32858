//! Pure rules of the console: what an alert, an indicator, a filter or a delivery *is*.
//!
//! Nothing here reads a clock, a random source, a file or a socket; time and ids come in as
//! arguments. The crate compiles to wasm, so the window and the backend decide alike.
//! Read `severity` and `alert` first, then `normalise`, `filter` and `retry`.

pub mod alert;
pub mod attack;
pub mod breaker;
pub mod chart;
pub mod colour;
pub mod error_code;
pub mod evidence;
pub mod extract;
pub mod field_error;
pub mod filter;
pub mod fingerprint;
pub mod id;
pub mod indicator;
pub mod json;
pub mod key;
pub mod metrics;
pub mod normalise;
#[cfg(feature = "openapi")]
mod openapi;
pub mod path;
pub mod query;
pub mod relation;
pub mod retry;
pub mod settings;
pub mod severity;
pub mod signature;
pub mod step;
pub mod template;
pub mod time;

pub use alert::{AlertStatus, CloseClassification, EnrichmentStatus, InvalidTransition};
pub use error_code::ErrorCode;
pub use extract::{ExtractionTarget, Mapping};
pub use field_error::FieldError;
pub use filter::{Clause, Filter, Subject};
pub use fingerprint::fingerprint;
pub use id::{
    AgentId, AlertId, ApiKeyId, ChangeId, DeliveryId, DetectionRuleId, DocumentId, ExtractionId,
    FindingId, IndicatorId, JobId, MappingId, NoteId, ProviderId, RejectId, SourceId,
    SuppressionId, ViewId,
};
pub use indicator::{Indicator, IndicatorType, Malice, Skip};
pub use json::JsonRefusal;
pub use key::{KeyType, Scope};
pub use normalise::{
    ExtractedIndicator, FieldMap, NormalisedAlert, NormalisedField, Pass, Plugin, Refused,
    RuleReference,
};
pub use retry::{Decision, Outcome};
pub use severity::Severity;
pub use signature::{SignatureError, SigningSecret};
pub use step::{ExtractionRule, HttpConfig, RenderedRequest, Step, ValueType, VerdictRules};
pub use time::Timestamp;

/// A word of a closed set that was not recognised. Carries the words that are allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {word:?}; allowed: {}", allowed.join(", "))]
pub struct UnknownWord {
    /// What was being read, for example "severity".
    pub what: &'static str,
    /// The word as it was given.
    pub word: String,
    /// The words that would have been accepted.
    pub allowed: &'static [&'static str],
}

/// A closed set of words, as it stands on the wire and in the store.
///
/// The spelling is the wire's (`reference` names are kept from v1.1.0), and parsing is exact:
/// a filter with an unknown word must be refused, not match nothing.
macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident, $what:literal { $($(#[$vmeta:meta])* $variant:ident => $word:literal),+ $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $word)] $variant),+
        }
        impl $name {
            /// Every member, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Every member's word, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::openapi::words(&[$($doc),*], Self::WORDS)
            }
        }
        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownWord { what: $what, word: word.to_owned(), allowed: Self::WORDS }),
                }
            }
        }
    };
}
pub(crate) use words;
