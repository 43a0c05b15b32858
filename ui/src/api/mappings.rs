//! Indicator field mappings.

use calseta_contract::mapping::{MappingRequest, MappingView};

use super::Failure;
use super::request::send;

/// Makes one; it applies to alerts that come in from then on.
pub(crate) async fn create_mapping(request: &MappingRequest) -> Result<MappingView, Failure> {
    send("POST", "/v1/indicator-mappings", request).await
}
