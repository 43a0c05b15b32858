//! The one box: what a few characters find.

use calseta_contract::enrichment::EnrichmentView;
use calseta_contract::palette::PaletteView;
use calseta_domain::IndicatorType;
use serde_json::{Value, json};

use super::Failure;
use super::request::{encoded, get, send};

/// Indicators, alerts, agents, rules, documents, views and tags that the text may mean.
pub(crate) async fn search(q: &str) -> Result<PaletteView, Failure> {
    let path = format!("/v1/search?q={}", encoded(q));
    Ok(get::<PaletteView, Value>(&path).await?.data)
}

/// Asks every provider that knows the type about a value; nothing is stored at an alert.
pub(crate) async fn enrich_now(
    kind: IndicatorType,
    value: &str,
) -> Result<EnrichmentView, Failure> {
    let body = json!({ "type": kind.as_str(), "value": value });
    send("POST", "/v1/enrichments", &body).await
}
