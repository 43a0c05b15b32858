//! Suppressions: what stays out of the queue, for how long, and what it has hidden.

use calseta_contract::suppression::{
    SuppressionPatch, SuppressionPreview, SuppressionPreviewRequest, SuppressionRequest,
    SuppressionView,
};
use calseta_domain::SuppressionId;
use serde_json::Value;

use super::Failure;
use super::request::{get, send, tell};

/// Suppressions that are read at once.
const SUPPRESSIONS_PAGE: u32 = 200;

/// Every suppression, over or not.
pub(crate) async fn list_suppressions() -> Result<Vec<SuppressionView>, Failure> {
    let path = format!("/v1/suppressions?page_size={SUPPRESSIONS_PAGE}");
    Ok(get::<Vec<SuppressionView>, Value>(&path).await?.data)
}

/// Keeps matching alerts out of the queue for a while.
pub(crate) async fn create_suppression(
    request: &SuppressionRequest,
) -> Result<SuppressionView, Failure> {
    send("POST", "/v1/suppressions", request).await
}

/// Changes a suppression.
pub(crate) async fn patch_suppression(
    id: SuppressionId,
    patch: &SuppressionPatch,
) -> Result<SuppressionView, Failure> {
    send("PATCH", &format!("/v1/suppressions/{id}"), patch).await
}

/// Ends a suppression; its alerts come back.
pub(crate) async fn delete_suppression(id: SuppressionId) -> Result<(), Failure> {
    tell("DELETE", &format!("/v1/suppressions/{id}"), None).await
}

/// What a suppression would have hidden in the last `days`.
pub(crate) async fn preview_suppression(q: &str, days: u32) -> Result<SuppressionPreview, Failure> {
    let request = SuppressionPreviewRequest {
        q: q.to_owned(),
        days: Some(days),
    };
    send("POST", "/v1/suppressions/preview", &request).await
}
