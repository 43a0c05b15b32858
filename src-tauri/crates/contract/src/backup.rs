//! Backups: whole copies of the database, with the anchors of its event log.

use calseta_domain::Timestamp;
use serde::{Deserialize, Serialize};

/// A backup: a directory with `calseta.db`, `anchors.jsonl` and this as `backup.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupView {
    /// The directory's name.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// `manual` or `scheduled`; only scheduled ones are ever removed by the schedule.
    pub kind: String,
    /// When it was begun: every alert that was accepted before is in it.
    pub made_at: Timestamp,
    /// The program that made it.
    pub version: String,
    /// The schema's version.
    pub schema: i64,
    /// Bytes of the database.
    pub bytes: u64,
    /// SHA-256 of the database, in hex.
    pub sha256: String,
    /// Alerts in it.
    pub alerts: i64,
    /// Its newest event.
    pub events: i64,
}
