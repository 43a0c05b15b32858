//! Where alerts come from.

use calseta_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Failure;
use super::request::get;

/// A source, as far as the window needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct SourceRow {
    /// Its name in paths and filters.
    pub(crate) source_name: String,
    /// When an alert came in last.
    #[serde(default)]
    pub(crate) last_received_at: Option<Timestamp>,
}

/// Every source.
pub(crate) async fn list_sources() -> Result<Vec<SourceRow>, Failure> {
    Ok(get::<Vec<SourceRow>, Value>("/v1/sources").await?.data)
}
