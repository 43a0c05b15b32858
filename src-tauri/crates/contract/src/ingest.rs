//! What an alert's sender is told.

use calseta_domain::AlertId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Body of `POST /v1/alerts`: the same pipeline as `POST /v1/ingest/{source}`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestRequest {
    /// A known source.
    pub source_name: String,
    /// The source's payload, an object of at most 1 MB.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload: Box<RawValue>,
}

/// Whether an accepted alert is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IngestStatus {
    /// A new alert; its pipeline has begun.
    Queued,
    /// A repetition of an alert that is still open; it was counted there.
    Deduplicated,
}

/// Answer 202 to an accepted alert. Once sent, the alert survives a crash and a power loss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestView {
    /// The alert, new or the one it repeats.
    pub alert_uuid: AlertId,
    /// `queued` or `deduplicated`.
    pub status: IngestStatus,
    /// The same as a truth value, as v1.1.0 sent it.
    pub is_duplicate: bool,
    /// How often the alert has repeated; `null` for a new one.
    pub duplicate_count: Option<u64>,
}
