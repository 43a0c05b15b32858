use serde_json::Value;
use crate::{FieldError, Severity};
/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> { pub source_name: &'a str, pub severity: Severity, pub tags: &'a [String] }
/// One clause of an explanation, in words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Clause { pub text: String, pub holds: bool }
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {}
impl Filter {
    pub fn parse_trigger(value: &Value, known_sources: &[String]) -> Result<Self, Vec<FieldError>> { let _ = (value, known_sources); unimplemented!() }
    /// v1.1.0's two lists; `and` it with the parsed `trigger_filter`.
    pub fn legacy(trigger_on_sources: &[String], trigger_on_severities: &[String], known_sources: &[String]) -> Result<Self, Vec<FieldError>> { let _ = (trigger_on_sources, trigger_on_severities, known_sources); unimplemented!() }
    pub fn parse_targeting(value: &Value, known_sources: &[String]) -> Result<Self, Vec<FieldError>> { let _ = (value, known_sources); unimplemented!() }
    #[must_use]
    pub fn and(self, other: Self) -> Self { let _ = other; unimplemented!() }
    pub fn is_empty(&self) -> bool { unimplemented!() }
    pub fn matches(&self, subject: &Subject<'_>) -> bool { let _ = subject; unimplemented!() }
    pub fn explain(&self, subject: &Subject<'_>) -> Vec<Clause> { let _ = subject; unimplemented!() }
}
