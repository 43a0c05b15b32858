use super::IndicatorType;
pub const MAX_VALUE_BYTES: usize = 2048;
pub fn canonical(kind: IndicatorType, raw: &str) -> Option<String> { let _ = (kind, raw); unimplemented!() }
