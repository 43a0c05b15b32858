//! What a provider's test shows: every request and answer, with every credential masked wherever it
//! stands, in headers, URLs and bodies alike.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calseta_contract::provider::ProviderTestStep;
use calseta_domain::{Timestamp, json};
use calseta_egress::{Answer, SendError};
use http::HeaderMap;
use serde_json::{Map, Value};

use crate::start::Inner;

/// What stands for a credential.
const MASKED: &str = "****";
/// The most of a body that is shown.
const BODY_BYTES: usize = 50 * 1024;
/// The shortest credential that is looked for in texts: a shorter one would mask half the answer,
/// and is still masked where its field's name says what it is.
const SHORTEST_HIDDEN: usize = 3;
/// Names of headers, parameters and fields whose values are credentials.
const SECRET_NAMES: &[&str] = &[
    "authorization",
    "api-key",
    "api_key",
    "apikey",
    "token",
    "secret",
    "password",
    "credential",
    "cookie",
    "assertion",
];

/// A record of the requests of one lookup; records nothing unless it is switched on.
#[derive(Default)]
pub(crate) struct Trace {
    is_on: bool,
    steps: Vec<Step>,
    hidden: Vec<String>,
}

/// A request on its way. `None` when nothing is recorded.
pub(crate) type Sent = Option<Box<Step>>;

pub(crate) struct Step {
    name: String,
    method: String,
    url: Option<String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    started_at: Timestamp,
    duration_ms: u64,
    status: Option<u16>,
    answer_headers: BTreeMap<String, String>,
    answer: Option<Vec<u8>>,
    error: Option<String>,
    is_skipped: bool,
}

fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

impl Trace {
    /// A trace that records.
    pub(crate) fn on() -> Self {
        Self {
            is_on: true,
            ..Self::default()
        }
    }

    /// Masks a credential wherever it appears, also as URLs, forms and Basic credentials write it.
    pub(crate) fn hide(&mut self, secret: &str) {
        if secret.len() < SHORTEST_HIDDEN {
            return;
        }
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let percent = form.replace('+', "%20");
        let quoted = Value::from(secret).to_string();
        let text = quoted[1..quoted.len() - 1].to_owned();
        self.hidden.extend([
            secret.to_owned(),
            STANDARD.encode(secret),
            form,
            percent,
            text,
        ]);
        // The longest first: a part of it must not be masked before the whole.
        self.hidden
            .sort_by_key(|text| std::cmp::Reverse(text.len()));
        self.hidden.dedup();
    }

    /// A request that is about to be sent.
    pub(crate) fn sending(
        &self,
        name: &str,
        method: &str,
        (url, headers, body): (&str, &HeaderMap, &[u8]),
        inner: &Inner,
    ) -> Sent {
        self.is_on.then(|| {
            Box::new(Step {
                method: method.to_owned(),
                url: Some(url.to_owned()),
                headers: texts(headers),
                body: body.to_vec(),
                ..Step::named(name, inner.clock.now())
            })
        })
    }

    /// What came of it.
    pub(crate) fn answered(
        &mut self,
        sent: Sent,
        answered: &Result<Answer, SendError>,
        now: Timestamp,
    ) {
        let Some(mut step) = sent else { return };
        let took = now.millis() - step.started_at.millis();
        step.duration_ms = u64::try_from(took).unwrap_or(0);
        match answered {
            Ok(answer) => {
                step.status = Some(answer.status);
                step.answer_headers = texts(&answer.headers);
                step.answer = Some(answer.body.to_vec());
            }
            Err(error) => step.error = Some(error.to_string()),
        }
        self.steps.push(*step);
    }

    /// A step that was not sent, and why.
    pub(crate) fn not_sent(
        &mut self,
        (name, method): (&str, &str),
        error: &str,
        is_skipped: bool,
        now: Timestamp,
    ) {
        if self.is_on {
            self.steps.push(Step {
                method: method.to_owned(),
                error: Some(error.to_owned()),
                is_skipped,
                ..Step::named(name, now)
            });
        }
    }

    /// Marks the newest step as optional and left out.
    pub(crate) fn skip_last(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.is_skipped = true;
        }
    }

    /// What a peer answered, as it may be stored: a service that repeats what it was sent must not
    /// put a credential into the database. `None` when there is nothing to mask.
    pub(crate) fn storable(&self, value: &Value) -> Option<Value> {
        let text = value.to_string();
        let is_found = |secret: &String| text.contains(secret.as_str());
        self.hidden
            .iter()
            .any(is_found)
            .then(|| self.texts_of(value))
    }

    fn texts_of(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.texts_of(item)).collect(),
            Value::Object(map) => {
                let masked = |(key, item): (&String, &Value)| (self.text(key), self.texts_of(item));
                Value::Object(map.iter().map(masked).collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A value with every credential masked.
    pub(crate) fn masked(&self, value: &Value) -> Value {
        self.json(value, "")
    }

    /// The steps, masked.
    pub(crate) fn into_steps(self, indicator: &str) -> Vec<ProviderTestStep> {
        let numbered = self.steps.iter().enumerate();
        let steps = numbered.map(|(n, step)| {
            let url = step.url.as_ref().and_then(|url| url::Url::parse(url).ok());
            let query = url.iter().flat_map(url::Url::query_pairs);
            ProviderTestStep {
                step_name: step.name.clone(),
                step_index: u32::try_from(n).unwrap_or(u32::MAX),
                indicator_value: indicator.to_owned(),
                request_method: step.method.clone(),
                request_url: step.url.as_ref().map(|url| self.url(url)),
                request_headers: self.pairs(&step.headers),
                request_query_params: query
                    .map(|(name, value)| (name.to_string(), self.named(&name, &value)))
                    .collect(),
                request_body: self.body(&step.body),
                response_status_code: step.status,
                response_headers: self.pairs(&step.answer_headers),
                response_body: step.answer.as_ref().and_then(|body| self.body(body)),
                duration_ms: step.duration_ms,
                error: step.error.as_ref().map(|error| self.text(error)),
                skipped: step.is_skipped,
            }
        });
        steps.collect()
    }

    fn text(&self, text: &str) -> String {
        let hide = |text: String, secret: &String| text.replace(secret.as_str(), MASKED);
        self.hidden.iter().fold(text.to_owned(), hide)
    }

    fn named(&self, name: &str, value: &str) -> String {
        if is_secret(name) && !value.is_empty() {
            MASKED.to_owned()
        } else {
            self.text(value)
        }
    }

    fn url(&self, text: &str) -> String {
        let Ok(mut url) = url::Url::parse(text) else {
            return self.text(text);
        };
        if url.query().is_some() {
            let pairs: Vec<_> = url
                .query_pairs()
                .map(|(name, value)| (name.to_string(), self.named(&name, &value)))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
        self.text(url.as_str())
    }

    fn pairs(&self, pairs: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let masked = |(name, value): (&String, &String)| (name.clone(), self.named(name, value));
        pairs.iter().map(masked).collect()
    }

    fn json(&self, value: &Value, name: &str) -> Value {
        match value {
            Value::String(text) => self.named(name, text).into(),
            Value::Array(items) => items.iter().map(|item| self.json(item, name)).collect(),
            Value::Object(map) => {
                let masked =
                    |(key, item): (&String, &Value)| (self.text(key), self.json(item, key));
                Value::Object(map.iter().map(masked).collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// JSON as JSON, anything else as text, masked and cut.
    fn body(&self, body: &[u8]) -> Option<Value> {
        if body.is_empty() {
            return None;
        }
        let shown = match json::parse(body) {
            Ok(value) => self.json(&value, ""),
            Err(_) => self.form_or_text(body),
        };
        let text = shown.to_string();
        if text.len() <= BODY_BYTES {
            return Some(shown);
        }
        let mut end = BODY_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Some(serde_json::json!({"_truncated": true, "_preview": &text[..end]}))
    }

    fn form_or_text(&self, body: &[u8]) -> Value {
        let text = String::from_utf8_lossy(body);
        let is_form =
            text.contains('=') && !text.contains(char::is_whitespace) && !text.contains('<');
        if !is_form {
            return self.text(&text).into();
        }
        let pairs = url::form_urlencoded::parse(body);
        let pairs = pairs.map(|(name, value)| (name.to_string(), self.named(&name, &value).into()));
        Value::Object(pairs.collect())
    }
}

impl Step {
    fn named(name: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            method: String::new(),
            url: None,
            headers: BTreeMap::new(),
            body: Vec::new(),
            started_at: now,
            duration_ms: 0,
            status: None,
            answer_headers: BTreeMap::new(),
            answer: None,
            error: None,
            is_skipped: false,
        }
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "key" || SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_credential_is_masked_in_every_spelling_and_place() {
        let mut trace = Trace::on();
        trace.hide("s3cret/ value+\"x\"");
        let masked = |text: &str| trace.text(text);
        for spelling in [
            "s3cret/ value+\"x\"",
            "s3cret%2F+value%2B%22x%22",
            "s3cret%2F%20value%2B%22x%22",
            &STANDARD.encode("s3cret/ value+\"x\""),
            r#"s3cret/ value+\"x\""#,
        ] {
            let text = masked(&format!("before {spelling} after"));
            assert_eq!(text, "before **** after", "{spelling}");
        }
        let body =
            trace.body(br#"{"access_token":"unknown one","n":{"a":["s3cret/ value+\"x\""]}}"#);
        assert_eq!(
            body,
            Some(json!({"access_token": MASKED, "n": {"a": [MASKED]}}))
        );
        let form = trace.body(b"grant_type=client_credentials&client_secret=zz");
        let masked = json!({"grant_type": "client_credentials", "client_secret": MASKED});
        assert_eq!(form, Some(masked));
        let url = trace.url("https://a.example/x?apikey=abc&ip=1.1.1.1");
        assert_eq!(url, "https://a.example/x?apikey=****&ip=1.1.1.1");
    }

    #[test]
    fn an_answer_that_repeats_a_credential_is_stored_without_it() {
        let mut trace = Trace::default();
        trace.hide("s3cret-value");
        let answer = json!({"echo": ["Key s3cret-value"], "token": "its own", "n": 1});
        let stored = json!({"echo": ["Key ****"], "token": "its own", "n": 1});
        assert_eq!(trace.storable(&answer), Some(stored));
        assert_eq!(trace.storable(&json!({"token": "its own"})), None);
    }

    #[test]
    fn a_large_body_is_cut_and_says_so() {
        let trace = Trace::on();
        let body = json!({"a": "ü".repeat(BODY_BYTES)}).to_string();
        let shown = trace.body(body.as_bytes()).expect("not empty");
        assert_eq!(shown["_truncated"], json!(true));
        assert!(shown["_preview"].as_str().expect("text").len() <= BODY_BYTES);
    }
}
