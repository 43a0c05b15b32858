//! Egress grants: addresses that a human has allowed.

use calseta_domain::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Body of `POST /v1/egress/grants` (human keys only).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantRequest {
    /// http or https.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::GrantScheme))]
    pub scheme: String,
    /// As in the URL, without brackets; or a part of the local network, such as 10.1.0.0/16.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub host: String,
    /// 1..=65535.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 65_535))]
    pub port: u16,
    /// agent, provider or workflow.
    #[serde(rename = "for")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Audience))]
    pub audience: String,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantView {
    /// The grant.
    pub uuid: Uuid,
    /// http or https.
    pub scheme: String,
    /// The host, or the network.
    pub host: String,
    /// The port.
    pub port: u16,
    /// loopback or private.
    pub class: String,
    /// agent, provider or workflow.
    #[serde(rename = "for")]
    pub audience: String,
    /// When a human allowed it.
    pub created_at: Timestamp,
}
