//! Reading an `http_config`: every unknown field, method or template name is an error naming it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{HttpConfig, Method, Step};
use crate::template::{self, Allowed};
use crate::{FieldError, IndicatorType};

/// The most steps of one provider.
pub const MAX_STEPS: usize = 10;
/// The longest deadline of one request.
pub const MAX_TIMEOUT_SECONDS: u32 = 120;
const DEFAULT_TIMEOUT_SECONDS: u32 = 30;
/// The most headers, parameters or form fields of one step.
const MAX_PAIRS: usize = 50;
const MAX_NAME_BYTES: usize = 64;

const CONFIG_FIELDS: &[&str] = &["steps", "url_templates_by_type"];
const STEP_FIELDS: &[&str] = &[
    "name",
    "method",
    "url",
    "headers",
    "query_params",
    "json_body",
    "form_body",
    "timeout_seconds",
    "expected_status",
    "not_found_status",
    "optional",
];
/// Headers that the client alone decides: they frame the message or name the peer.
const RESERVED_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
];

impl HttpConfig {
    /// Reads and validates a config; all mistakes at once. Paths begin with `http_config`.
    pub fn parse(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader { errors: Vec::new() };
        let config = reader.config("http_config", value);
        match config {
            Some(config) if reader.errors.is_empty() => Ok(config),
            _ => Err(reader.errors),
        }
    }
}

struct Reader {
    errors: Vec<FieldError>,
}

impl Reader {
    fn fail(&mut self, path: &str, message: &str) {
        self.errors.push(FieldError::new(path, message));
    }

    fn object<'v>(
        &mut self,
        path: &str,
        value: &'v Value,
        fields: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(map) = value.as_object() else {
            self.fail(path, "must be an object");
            return None;
        };
        for key in map.keys().filter(|key| !fields.contains(&key.as_str())) {
            let error = FieldError::unknown_word(format!("{path}.{key}"), "field", key, fields);
            self.errors.push(error);
        }
        Some(map)
    }

    fn config(&mut self, path: &str, value: &Value) -> Option<HttpConfig> {
        let map = self.object(path, value, CONFIG_FIELDS)?;
        let steps_path = format!("{path}.steps");
        let items = map.get("steps").and_then(Value::as_array);
        let Some(items) = items.filter(|items| (1..=MAX_STEPS).contains(&items.len())) else {
            self.fail(
                &steps_path,
                &format!("must be a list of 1 to {MAX_STEPS} steps"),
            );
            return None;
        };
        let mut names: Vec<String> = Vec::new();
        let mut steps = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let path = format!("{steps_path}.{n}");
            if let Some(step) = self.step(&path, item, &names) {
                if names.contains(&step.name) {
                    self.fail(&format!("{path}.name"), "is another step's name already");
                }
                names.push(step.name.clone());
                steps.push(step);
            }
        }
        let by_type = self.urls(&format!("{path}.url_templates_by_type"), map);
        Some(HttpConfig {
            steps,
            url_templates_by_type: by_type,
        })
    }

    fn urls(&mut self, path: &str, map: &Map<String, Value>) -> BTreeMap<IndicatorType, String> {
        let mut urls = BTreeMap::new();
        let pairs = self.pairs(path, map.get("url_templates_by_type"), &Allowed::default());
        for (key, url) in pairs.unwrap_or_default() {
            let path = format!("{path}.{key}");
            match key.parse() {
                Ok(kind) => {
                    self.template_url(&path, &url, &Allowed::default());
                    urls.insert(kind, url);
                }
                Err(_) => self.errors.push(FieldError::unknown_word(
                    path,
                    "indicator type",
                    &key,
                    IndicatorType::WORDS,
                )),
            }
        }
        urls
    }

    fn step(&mut self, path: &str, value: &Value, earlier: &[String]) -> Option<Step> {
        let map = self.object(path, value, STEP_FIELDS)?;
        let at = |key: &str| format!("{path}.{key}");
        let allowed = Allowed { steps: earlier };
        let name = self.text(&at("name"), map.get("name"))?;
        let is_name = name.len() <= MAX_NAME_BYTES
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_name {
            self.fail(&at("name"), "must be at most 64 letters, digits, _ or -");
        }
        let url = self.text(&at("url"), map.get("url"))?;
        self.template_url(&at("url"), &url, &allowed);
        let headers = self
            .pairs(&at("headers"), map.get("headers"), &allowed)
            .unwrap_or_default();
        self.header_names(&at("headers"), &headers);
        let json_body = map
            .get("json_body")
            .filter(|body| !is_absent(body))
            .cloned();
        if let Some(body) = &json_body {
            self.template_json(&at("json_body"), body, &allowed);
        }
        Some(Step {
            name,
            method: self.method(&at("method"), map.get("method")),
            url,
            headers,
            query_params: self
                .pairs(&at("query_params"), map.get("query_params"), &allowed)
                .unwrap_or_default(),
            json_body,
            form_body: self.pairs(&at("form_body"), map.get("form_body"), &allowed),
            timeout_seconds: self.timeout(&at("timeout_seconds"), map.get("timeout_seconds")),
            expected_status: self
                .statuses(&at("expected_status"), map.get("expected_status"))
                .filter(|list| !list.is_empty())
                .unwrap_or_else(|| vec![200]),
            not_found_status: self
                .statuses(&at("not_found_status"), map.get("not_found_status"))
                .unwrap_or_default(),
            optional: self.flag(&at("optional"), map.get("optional")),
        })
    }

    fn text(&mut self, path: &str, value: Option<&Value>) -> Option<String> {
        let text = value
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty());
        if text.is_none() {
            self.fail(path, "must be text, not empty");
        }
        text.map(str::to_owned)
    }

    fn method(&mut self, path: &str, value: Option<&Value>) -> Method {
        let Some(value) = value.filter(|v| !v.is_null()) else {
            return Method::Get;
        };
        let word = value.as_str().unwrap_or_default().to_ascii_uppercase();
        word.parse().unwrap_or_else(|_| {
            let error = FieldError::unknown_word(path, "method", &word, Method::WORDS);
            self.errors.push(error);
            Method::Get
        })
    }

    fn timeout(&mut self, path: &str, value: Option<&Value>) -> u32 {
        let Some(value) = value.filter(|v| !v.is_null()) else {
            return DEFAULT_TIMEOUT_SECONDS;
        };
        let seconds = value.as_u64().and_then(|n| u32::try_from(n).ok());
        let in_range = seconds.filter(|n| (1..=MAX_TIMEOUT_SECONDS).contains(n));
        in_range.unwrap_or_else(|| {
            self.fail(
                path,
                &format!("must be 1 to {MAX_TIMEOUT_SECONDS} whole seconds"),
            );
            DEFAULT_TIMEOUT_SECONDS
        })
    }

    fn statuses(&mut self, path: &str, value: Option<&Value>) -> Option<Vec<u16>> {
        let value = value.filter(|v| !v.is_null())?;
        let status = |v: &Value| {
            v.as_u64()
                .and_then(|n| u16::try_from(n).ok())
                .filter(|n| (100..600).contains(n))
        };
        let list: Option<Vec<u16>> = value
            .as_array()
            .and_then(|items| items.iter().map(status).collect());
        if list.is_none() {
            self.fail(path, "must be a list of status codes, 100 to 599");
        }
        list
    }

    fn flag(&mut self, path: &str, value: Option<&Value>) -> bool {
        match value {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.fail(path, "must be true or false");
                false
            }
        }
    }

    /// An object of templates; `None` when it is absent or empty.
    fn pairs(
        &mut self,
        path: &str,
        value: Option<&Value>,
        allowed: &Allowed<'_>,
    ) -> Option<Vec<(String, String)>> {
        let value = value.filter(|value| !is_absent(value))?;
        let Some(map) = value.as_object().filter(|map| map.len() <= MAX_PAIRS) else {
            self.fail(
                path,
                &format!("must be an object of at most {MAX_PAIRS} texts"),
            );
            return None;
        };
        let mut pairs = Vec::new();
        for (key, value) in map {
            let path = format!("{path}.{key}");
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    self.fail(&path, "must be text");
                    continue;
                }
            };
            if let Err(error) = template::validate(&path, &text, allowed) {
                self.errors.push(error);
            }
            pairs.push((key.clone(), text));
        }
        Some(pairs)
    }

    fn header_names(&mut self, path: &str, headers: &[(String, String)]) {
        for (name, _) in headers {
            let path = format!("{path}.{name}");
            let is_token = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
            let lower = name.to_ascii_lowercase();
            if !is_token {
                self.fail(&path, "is no header name");
            } else if RESERVED_HEADERS.contains(&lower.as_str()) || lower.starts_with("proxy-") {
                self.fail(&path, "is set by the client and cannot be given");
            }
        }
    }

    fn template_url(&mut self, path: &str, url: &str, allowed: &Allowed<'_>) {
        if let Err(error) = template::validate_url(path, url, allowed) {
            self.errors.push(error);
        }
    }

    /// Goes down at most as deep as `json::MAX_DEPTH`, which the body was checked for.
    fn template_json(&mut self, path: &str, value: &Value, allowed: &Allowed<'_>) {
        match value {
            Value::String(text) => {
                if let Err(error) = template::validate(path, text, allowed) {
                    self.errors.push(error);
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    self.template_json(&format!("{path}.{n}"), item, allowed);
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    self.template_json(&format!("{path}.{key}"), item, allowed);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// v1.1.0 writes `{}` for "none".
fn is_absent(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}
