//! `{{…}}` templates in the steps of providers and workflows: the only such engine.
//!
//! A template names an indicator, a credential or an earlier step's answer, and nothing else: no
//! loops, no conditions, no expressions. Where a value lands decides how it is written. In a URL
//! it is one path segment or query value, percent-encoded, so that an indicator can never change
//! where a request goes; only the provider's own base URL stands as it is, at the beginning.

mod parse;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};
use url::Url;

use crate::{Indicator, path};
use parse::{Name, Part};

pub use parse::{Allowed, MAX_PLACEHOLDERS, MAX_TEMPLATE_BYTES, validate, validate_url};

/// The longest rendered text, in bytes: an answer put into a request must not grow without end.
pub const MAX_RENDERED_BYTES: usize = 256 * 1024;

/// What a template may read. Holds credentials, so its `Debug` shows nothing.
#[derive(Clone, Copy, Default)]
pub struct Scope<'a> {
    /// `{{indicator.value}}`, `{{indicator.type}}`, `{{value}}`, `{{type}}`.
    pub indicator: Option<&'a Indicator>,
    /// `{{auth.<field>}}`.
    pub auth: Option<&'a BTreeMap<String, String>>,
    /// `{{base_url}}`, and `{{auth.base_url}}` when the credentials have none.
    pub base_url: Option<&'a str>,
    /// `{{steps.<name>.response.<path>}}`: step name → response body.
    pub steps: Option<&'a Map<String, Value>>,
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// Why a template could not be rendered. Never carries a value, which may be a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template is malformed or names something that does not exist.
    #[error("{0}")]
    Syntax(String),
    /// A value is needed and absent.
    #[error("{{{{{0}}}}} has no value")]
    Missing(String),
    /// The result must not be sent.
    #[error("{0}")]
    Refused(String),
}

/// Renders a whole URL: http or https, values percent-encoded, a missing value an error.
pub fn render_url(template: &str, scope: &Scope<'_>) -> Result<String, TemplateError> {
    let parts = parse::parts(template)?;
    let mut out = String::new();
    let after_base = match parts.as_slice() {
        [Part::Value { name, .. }, next, ..] if name.is_base_url() => Some(next),
        _ => None,
    };
    if after_base.is_some_and(|next| !parse::starts_new_part(next)) {
        return Err(refused(parse::AFTER_BASE_URL));
    }
    for (n, part) in parts.iter().enumerate() {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Value {
                name,
                filters,
                source,
            } => {
                let value = filtered(name, *filters, scope).ok_or_else(|| missing(source))?;
                let text = scalar(&value).ok_or_else(|| {
                    TemplateError::Refused(format!("{{{{{source}}}}} is no single value"))
                })?;
                if n == 0 && name.is_base_url() {
                    out.push_str(text.trim().trim_end_matches('/'));
                } else if has_authority(&out)
                    || matches!(name, Name::Auth(_)) && out.contains("://")
                {
                    encode(&text, &mut out);
                } else {
                    return Err(refused(
                        "only the base URL or a credential may name the host",
                    ));
                }
            }
        }
        bounded(&out)?;
    }
    checked_url(&out)
}

/// Whether what was written so far already fixes where the request goes.
fn has_authority(out: &str) -> bool {
    out.split_once("://")
        .is_some_and(|(_, rest)| rest.contains(['/', '?', '#']))
}

fn checked_url(out: &str) -> Result<String, TemplateError> {
    let path = out.split_once("://").map_or(out, |(_, rest)| rest);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.split(['/', '\\']).any(is_dot_segment) {
        return Err(refused(
            "a value of . or .. would change the path of the URL",
        ));
    }
    let url = Url::parse(out).map_err(|_| refused("the result is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused("a step's URL is http or https"));
    }
    Ok(url.into())
}

fn is_dot_segment(segment: &str) -> bool {
    matches!(
        segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
        "." | ".."
    )
}

/// Renders a text as it is: for the values of query parameters and form fields, which are encoded
/// when they are put together. Missing values are empty, but a missing credential is an error.
pub fn render_text(template: &str, scope: &Scope<'_>) -> Result<String, TemplateError> {
    render_with(template, scope, Encode::Never)
}

/// Renders a header's value; control characters, above all line breaks, are refused.
pub fn render_header(template: &str, scope: &Scope<'_>) -> Result<String, TemplateError> {
    let text = render_with(template, scope, Encode::AsAsked)?;
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(refused(
            "a header must not hold line breaks or control characters",
        ));
    }
    Ok(text)
}

/// Renders every string inside a JSON value. A string that is one template keeps the type of its
/// value (null when missing); in a longer one the value is written as text.
pub fn render_json(template: &Value, scope: &Scope<'_>) -> Result<Value, TemplateError> {
    match template {
        Value::String(text) => match parse::parts(text)?.as_slice() {
            [
                Part::Value {
                    name,
                    filters,
                    source,
                },
            ] if filters.is_empty() => match name.read(scope) {
                Some(value) => Ok(value.into_owned()),
                None if matches!(name, Name::Auth(_)) => Err(missing(source)),
                None => Ok(Value::Null),
            },
            _ => render_with(text, scope, Encode::AsAsked).map(Value::String),
        },
        Value::Array(items) => items
            .iter()
            .map(|item| render_json(item, scope))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| Ok((key.clone(), render_json(value, scope)?)))
            .collect::<Result<_, _>>()
            .map(Value::Object),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(template.clone()),
    }
}

/// Whether `urlencode` does anything in this place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encode {
    AsAsked,
    /// The place is encoded anyway; encoding twice would send `%2520`.
    Never,
}

fn render_with(
    template: &str,
    scope: &Scope<'_>,
    encoding: Encode,
) -> Result<String, TemplateError> {
    let mut out = String::new();
    for part in parse::parts(template)? {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Value {
                name,
                filters,
                source,
            } => {
                let Some(value) = filtered(&name, filters, scope) else {
                    if matches!(name, Name::Auth(_)) {
                        return Err(missing(source));
                    }
                    continue;
                };
                let text = scalar(&value).unwrap_or_else(|| Cow::Owned(value.to_string()));
                if filters.urlencode && encoding == Encode::AsAsked {
                    encode(&text, &mut out);
                } else {
                    out.push_str(&text);
                }
            }
        }
        bounded(&out)?;
    }
    Ok(out)
}

/// The value in scope after `last_segment`; `None` when nothing is left.
fn filtered<'a>(
    name: &Name<'_>,
    filters: parse::Filters,
    scope: &Scope<'a>,
) -> Option<Cow<'a, Value>> {
    let value = name.read(scope)?;
    if !filters.last_segment {
        return Some(value);
    }
    let text = scalar(&value)?;
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    (!last.is_empty()).then(|| Cow::Owned(Value::String(last.to_owned())))
}

impl Name<'_> {
    fn is_base_url(&self) -> bool {
        matches!(self, Name::BaseUrl | Name::Auth("base_url"))
    }

    /// The value in scope; `None` when it is absent, null or empty.
    fn read<'a>(&self, scope: &Scope<'a>) -> Option<Cow<'a, Value>> {
        let text = |text: &str| Some(Cow::Owned(Value::String(text.to_owned())));
        match self {
            Name::IndicatorValue => text(&scope.indicator?.value),
            Name::IndicatorType => text(scope.indicator?.kind.as_str()),
            Name::BaseUrl => text(scope.base_url?),
            Name::Auth(field) => {
                let stored = scope
                    .auth
                    .and_then(|auth| auth.get(*field))
                    .map(String::as_str);
                let found = if *field == "base_url" {
                    stored.or(scope.base_url)
                } else {
                    stored
                };
                text(found.filter(|value| !value.is_empty())?)
            }
            Name::Step { name, path } => {
                let value = path::lookup(scope.steps?.get(*name)?, path)?;
                let is_absent = value.is_null() || value.as_str().is_some_and(str::is_empty);
                (!is_absent).then_some(Cow::Borrowed(value))
            }
        }
    }
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 0xF] {
                let digit = char::from_digit(u32::from(nibble), 16).expect("a nibble is a digit");
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
}

fn bounded(out: &str) -> Result<(), TemplateError> {
    if out.len() > MAX_RENDERED_BYTES {
        return Err(TemplateError::Refused(format!(
            "the result is longer than {MAX_RENDERED_BYTES} bytes"
        )));
    }
    Ok(())
}

fn missing(source: &str) -> TemplateError {
    TemplateError::Missing(source.to_owned())
}

fn refused(message: &str) -> TemplateError {
    TemplateError::Refused(message.to_owned())
}

#[cfg(test)]
mod tests;
