//! The log of outgoing requests.

use calseta_domain::Timestamp;
use serde::{Deserialize, Serialize};

/// A request that left the machine, or was refused. Never its path, headers or body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EgressView {
    /// Its place in the log.
    pub id: i64,
    /// When it ended.
    pub at: Timestamp,
    /// agent, provider or workflow.
    #[serde(rename = "for")]
    pub audience: String,
    /// The method.
    pub method: String,
    /// http or https; empty when the URL was not understood.
    pub scheme: String,
    /// The host; empty when the URL was not understood.
    pub host: String,
    /// The port; 0 when the URL was not understood.
    pub port: u16,
    /// Whether it was let out.
    pub allowed: bool,
    /// `answered`, `abandoned`, a refusal's code such as `grant_needed`, or what went wrong, such as `timeout`.
    pub outcome: String,
    /// Why it was refused or failed.
    pub reason: Option<String>,
    /// The address that was connected to, or that it was refused for.
    pub ip: Option<String>,
    /// public, loopback, private, `link_local` or forbidden.
    pub class: Option<String>,
    /// Whether it went through the proxy, which then resolved the name.
    pub by_proxy: bool,
    /// The status of the answer.
    pub status_code: Option<u16>,
    /// Bytes of the body that was sent.
    pub sent_bytes: u64,
    /// Bytes of the answer's body that were read.
    pub received_bytes: u64,
    /// From the beginning to the end.
    pub duration_ms: u64,
}
