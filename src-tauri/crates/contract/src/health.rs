//! `GET /health` and what the window asks once at its start.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthView {
    /// ok, degraded (it works, and something needs a person: see `storage`) or down.
    pub status: String,
    /// The product's version.
    pub version: String,
    /// ok or error.
    pub database: String,
    /// ok; full (the disk takes no more: nothing is stored, reads are answered); `log_over` (the
    /// write-ahead log is over its bound).
    #[serde(default)]
    pub storage: String,
    /// ok or error.
    pub queue: String,
    /// Jobs that wait or run.
    pub queue_depth: u64,
    /// configured or unconfigured, by provider.
    pub enrichment_providers: BTreeMap<String, String>,
}

/// `GET /ui/boot`: what the window needs before its first view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BootView {
    /// Where the API listens, for snippets.
    pub base_url: String,
    /// The product's version.
    pub version: String,
    /// The data directory, for people.
    pub data_dir: String,
    /// Whether enrichment answers from canned demo data.
    pub demo: bool,
    /// Whether the first admin key waits to be shown (`POST /ui/first-key`, once).
    pub first_key_waiting: bool,
    /// Something a person should know, for example that another port was taken.
    pub notice: Option<String>,
}

/// Answer of `POST /ui/first-key`: the key, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FirstKeyView {
    /// `cai_…`.
    pub key: String,
}

/// Body of `POST /ui/session`: the one-time token of the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionRequest {
    /// From the link's fragment.
    pub token: String,
}

/// Answer of `POST /ui/session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// A bearer that dies with the process.
    pub bearer: String,
}
