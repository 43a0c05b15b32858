use super::IndicatorType;
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    #[error("Enrichment skipped: the address is private")]
    Private,
}
pub fn enrichable(kind: IndicatorType, value: &str) -> Result<(), Skip> { let _ = (kind, value); unimplemented!() }
