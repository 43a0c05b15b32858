//! Services that are asked about indicators.

use calseta_contract::provider::ProviderView;
use serde_json::Value;

use super::Failure;
use super::request::get;

/// Every provider with what it allows.
pub(crate) async fn list_providers() -> Result<Vec<ProviderView>, Failure> {
    Ok(get::<Vec<ProviderView>, Value>("/v1/enrichment-providers")
        .await?
        .data)
}
