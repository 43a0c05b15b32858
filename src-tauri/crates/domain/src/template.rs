use std::collections::BTreeMap;
use serde_json::{Map, Value};
use crate::{FieldError, Indicator};
/// What a template may read.
#[derive(Clone, Copy, Default)]
pub struct Scope<'a> {
    pub indicator: Option<&'a Indicator>,
    pub auth: Option<&'a BTreeMap<String, String>>,
    pub base_url: Option<&'a str>,
    /// Step name → response body.
    pub steps: Option<&'a Map<String, Value>>,
}
impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.debug_struct("Scope").finish_non_exhaustive() }
}
/// What a template may name, at validation time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed<'a> {
    /// Names of the earlier steps.
    pub steps: &'a [String],
}
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("{0}")]
    Syntax(String),
    #[error("{{{{{0}}}}} has no value")]
    Missing(String),
    #[error("{0}")]
    Refused(String),
}
pub fn render_url(template: &str, scope: &Scope<'_>) -> Result<String, TemplateError> { let _ = (template, scope); unimplemented!() }
pub fn render_text(template: &str, scope: &Scope<'_>) -> Result<String, TemplateError> { let _ = (template, scope); unimplemented!() }
pub fn render_header(template: &str, scope: &Scope<'_>) -> Result<String, TemplateError> { let _ = (template, scope); unimplemented!() }
pub fn render_json(template: &Value, scope: &Scope<'_>) -> Result<Value, TemplateError> { let _ = (template, scope); unimplemented!() }
pub fn validate(path: &str, template: &str, allowed: &Allowed<'_>) -> Result<(), FieldError> { let _ = (path, template, allowed); unimplemented!() }
pub fn validate_url(path: &str, template: &str, allowed: &Allowed<'_>) -> Result<(), FieldError> { let _ = (path, template, allowed); unimplemented!() }
