//! The one box: what a few characters find.

use calseta_contract::palette::PaletteView;
use serde_json::Value;

use super::Failure;
use super::request::{encoded, get};

/// Indicators, alerts, agents, rules, documents, views and tags that the text may mean.
pub(crate) async fn search(q: &str) -> Result<PaletteView, Failure> {
    let path = format!("/v1/search?q={}", encoded(q));
    Ok(get::<PaletteView, Value>(&path).await?.data)
}
