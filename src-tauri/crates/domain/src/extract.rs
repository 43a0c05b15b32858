use serde_json::Value;
use crate::{ExtractedIndicator, IndicatorType, NormalisedAlert, words};
words! {
    /// Where a mapping reads from.
    ExtractionTarget, "extraction_target" {
        Normalised => "normalized",
        RawPayload => "raw_payload",
    }
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The source it applies to; `None` = all.
    pub source_name: Option<String>,
    pub target: ExtractionTarget,
    pub field_path: String,
    pub kind: IndicatorType,
}
pub fn system_mappings() -> Vec<Mapping> { unimplemented!() }
pub fn extract(source_name: &str, alert: &NormalisedAlert, payload: &Value, mappings: &[Mapping]) -> Vec<ExtractedIndicator> { let _ = (source_name, alert, payload, mappings); unimplemented!() }
