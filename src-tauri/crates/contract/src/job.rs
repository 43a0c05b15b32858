//! Jobs in quarantine.

use calseta_domain::{AlertId, JobId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum JobKindWord {
    /// Asks a provider about an indicator.
    Enrich,
    /// Matches an alert with agents, documents and workflows.
    Match,
}

/// A job that three times in a row ended the program, broke off or hung. It is not tried again by
/// itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobView {
    /// The job.
    pub uuid: JobId,
    /// What it does.
    pub kind: JobKindWord,
    /// match: the alert; `null` when it is gone.
    pub alert_uuid: Option<AlertId>,
    /// match: the alert's title; enrich: the indicator's value.
    pub subject: Option<String>,
    /// enrich: the provider's name.
    pub provider: Option<String>,
    /// How often in a row.
    pub crashes: u32,
    /// What is known of the last time.
    pub last_error: Option<String>,
    /// Since when it is in quarantine.
    pub quarantined_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
}
