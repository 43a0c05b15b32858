//! Alerts that have something in common, and why.

use calseta_domain::{IndicatorType, Malice};
use serde::{Deserialize, Serialize};

use crate::alert::AlertSummary;

/// `GET /v1/alerts/{uuid}/related`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelatedView {
    /// Highest score first.
    pub related: Vec<RelatedAlert>,
    /// Values that too many alerts have to mean anything.
    pub ignored: Vec<SharedValue>,
    /// What this alert's rule has led to lately; absent without a rule.
    pub track_record: Option<TrackRecord>,
}

/// One related alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelatedAlert {
    /// The alert.
    pub alert: AlertSummary,
    /// Rarer shared values and more recent alerts weigh more.
    pub score: f64,
    /// What both have, rarest first.
    pub shared: Vec<SharedValue>,
    /// Whether the same rule raised it.
    pub is_same_rule: bool,
}

/// A value that several alerts have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SharedValue {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Its verdict.
    pub malice: Malice,
    /// How many alerts have it.
    pub alert_count: u64,
    /// Whether at most 5 have it.
    pub is_rare: bool,
}

/// What became of a rule's alerts in the last 30 days.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrackRecord {
    /// Alerts that it raised.
    pub alerts: u64,
    /// Of these, closed.
    pub closed: u64,
    /// How its last 20 closed alerts were classified, most frequent first.
    pub last_closed: Vec<ClassificationCount>,
    /// Alerts closed as one of the false positives.
    pub false_positives: u64,
    /// Half of the closed ones took at most this long, in milliseconds.
    pub median_close_ms: Option<i64>,
}

/// How often a classification was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassificationCount {
    /// The classification, in the wire's words.
    pub classification: String,
    /// How often.
    pub count: u64,
}
