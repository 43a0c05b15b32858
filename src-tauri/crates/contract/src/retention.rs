//! Retention: what is removed when, what that would remove now, and deleting on purpose.

use calseta_domain::{AlertId, Timestamp};
use serde::{Deserialize, Serialize};

/// How many of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionCounts {
    /// Closed alerts, with their findings, notes and deliveries.
    pub closed_alerts: u64,
    /// Alerts that are not closed, with the same.
    pub open_alerts: u64,
    /// Deliveries that are over, with what was sent and answered.
    pub deliveries: u64,
    /// Events that lose their details.
    pub event_details: u64,
    /// Refused payloads.
    pub rejects: u64,
}

/// When retention ran last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionRun {
    /// When.
    pub at: Timestamp,
    /// What it removed.
    pub removed: RetentionCounts,
}

/// All alerts are being deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletingAll {
    /// How many are gone.
    pub deleted: u64,
    /// Alerts that came before this are deleted; those that come later stay.
    pub asked_at: Timestamp,
}

/// `GET /v1/retention`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionView {
    /// What a run would remove now.
    pub would_remove: RetentionCounts,
    /// The last run; `null` before the first.
    pub last_run: Option<RetentionRun>,
    /// Set while all alerts are being deleted.
    pub deleting_all: Option<DeletingAll>,
}

/// Answer of `POST /v1/retention/run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionRunView {
    /// What this call removed.
    pub removed: RetentionCounts,
    /// Whether nothing is left that is too old. Otherwise the rest follows by itself.
    pub is_done: bool,
}

/// Body of `POST /v1/alerts/{uuid}/purge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurgeRequest {
    /// Why; it stays in the event log.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub reason: String,
}

/// What stays of a purged alert, here and in the event log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurgeView {
    /// Which alert it was.
    pub alert_uuid: AlertId,
    /// SHA-256 of its payload, in hex: to recognise it, should it come again.
    pub payload_sha256: String,
    /// Findings that are gone.
    pub findings: u64,
    /// Notes that are gone.
    pub notes: u64,
    /// Deliveries that are gone, with what was sent and answered.
    pub deliveries: u64,
    /// Indicators that no other alert had, gone with what providers said of them.
    pub indicators: u64,
    /// Events that lost their details.
    pub event_details: u64,
}

/// Body of `POST /v1/alerts/delete-all`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeleteAllRequest {
    /// `delete N alerts`, with the number of alerts that there are.
    pub confirm: String,
}

/// Answer of `POST /v1/alerts/delete-all`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeleteAllView {
    /// How many alerts are being deleted; `GET /v1/retention` says how far that has come.
    pub alerts: u64,
}
