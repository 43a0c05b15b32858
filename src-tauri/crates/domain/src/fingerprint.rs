use crate::Indicator;
pub fn fingerprint(title: &str, source_name: &str, indicators: &[Indicator]) -> [u8; 32] { let _ = (title, source_name, indicators); unimplemented!() }
