use std::borrow::Cow;
use std::collections::BTreeMap;
use serde_json::{Map, Value};
use crate::template::{Scope, TemplateError};
use crate::{FieldError, IndicatorType, Malice, words};
words! {
    /// The HTTP method of a step.
    Method, "method" { Get => "GET", Post => "POST", Put => "PUT", Patch => "PATCH", Delete => "DELETE", Head => "HEAD" }
}
words! {
    /// What an extracted field is coerced to.
    ValueType, "value_type" { Str => "string", Int => "int", Float => "float", Bool => "bool", List => "list", Dict => "dict", Any => "any" }
}
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub name: String,
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub query_params: Vec<(String, String)>,
    pub json_body: Option<Value>,
    pub form_body: Option<Vec<(String, String)>>,
    pub timeout_seconds: u32,
    pub expected_status: Vec<u16>,
    pub not_found_status: Vec<u16>,
    pub optional: bool,
}
#[derive(Debug, Clone, PartialEq)]
pub struct HttpConfig { pub steps: Vec<Step>, pub url_templates_by_type: BTreeMap<IndicatorType, String> }
/// What a step's status code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusMeaning { Expected, NotFound, Unexpected }
impl Step { pub fn judge(&self, status: u16) -> StatusMeaning { let _ = status; unimplemented!() } }
impl HttpConfig {
    pub fn parse(value: &Value) -> Result<Self, Vec<FieldError>> { let _ = value; unimplemented!() }
    /// The steps for an indicator type: the first one's URL may be replaced.
    pub fn steps_for(&self, kind: IndicatorType) -> Vec<Cow<'_, Step>> { let _ = kind; unimplemented!() }
    /// The raw response that rules read: one step → its body, several → object by step name.
    pub fn raw_response(&self, responses: Map<String, Value>) -> Value { let _ = responses; unimplemented!() }
}
/// A response body as the rules see it: JSON, else `{"_raw_text": first 2,000 characters}`.
pub fn response_value(body: &[u8]) -> Value { let _ = body; unimplemented!() }
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedRequest { pub method: Method, pub url: String, pub headers: Vec<(String, String)>, pub body: Option<Vec<u8>>, pub content_type: Option<&'static str> }
impl std::fmt::Debug for RenderedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.debug_struct("RenderedRequest").finish_non_exhaustive() }
}
pub fn render(step: &Step, scope: &Scope<'_>) -> Result<RenderedRequest, TemplateError> { let _ = (step, scope); unimplemented!() }
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractionRule { pub indicator_type: IndicatorType, pub source_path: String, pub target_key: String, pub value_type: ValueType }
pub fn extract_fields(rules: &[ExtractionRule], kind: IndicatorType, response: &Value) -> Map<String, Value> { let _ = (rules, kind, response); unimplemented!() }
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictRules { default_verdict: Malice, not_found_verdict: Malice }
impl VerdictRules {
    pub fn parse(value: &Value) -> Result<Self, Vec<FieldError>> { let _ = value; unimplemented!() }
    pub fn verdict(&self, response: &Value) -> Malice { let _ = response; self.default_verdict }
    pub fn not_found(&self) -> Malice { self.not_found_verdict }
}
