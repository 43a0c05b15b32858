//! Findings and indicators: what the analyst says of them.

use calseta_contract::Patch;
use calseta_contract::finding::{FindingView, HiddenRequest, ReviewRequest};
use calseta_contract::indicator::{
    AlertIndicatorsRequest, AlertIndicatorsView, IndicatorDetail, IndicatorInput, IndicatorPatch,
};
use calseta_domain::{AlertId, FindingId, IndicatorId};
use serde_json::Value;

use super::Failure;
use super::request::{get, send};

/// Accepts a finding, or says why not; its author reads it.
pub(crate) async fn review_finding(
    id: FindingId,
    review: &ReviewRequest,
) -> Result<FindingView, Failure> {
    send("PUT", &format!("/v1/findings/{id}/review"), review).await
}

/// Folds a finding away in the window, or shows it again.
pub(crate) async fn hide_finding(id: FindingId, hidden: bool) -> Result<FindingView, Failure> {
    let path = format!("/v1/findings/{id}/hidden");
    send("PUT", &path, &HiddenRequest { hidden }).await
}

/// An indicator with the providers' raw answers.
pub(crate) async fn indicator(id: IndicatorId) -> Result<IndicatorDetail, Failure> {
    let path = format!("/v1/indicators/{id}");
    Ok(get::<IndicatorDetail, Value>(&path).await?.data)
}

/// Sets a verdict over the providers'; `Clear` goes back to theirs.
pub(crate) async fn set_indicator_malice(
    id: IndicatorId,
    malice: Patch<String>,
) -> Result<IndicatorDetail, Failure> {
    let path = format!("/v1/indicators/{id}");
    send("PATCH", &path, &IndicatorPatch { malice }).await
}

/// Adds indicators to an alert; `enrich` looks them up at once.
pub(crate) async fn add_indicators(
    alert: AlertId,
    indicators: Vec<IndicatorInput>,
    enrich: bool,
) -> Result<AlertIndicatorsView, Failure> {
    let path = format!("/v1/alerts/{alert}/indicators?enrich={enrich}");
    send("POST", &path, &AlertIndicatorsRequest { indicators }).await
}
