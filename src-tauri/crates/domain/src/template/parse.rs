//! Reading and validating templates. A template is validated when it is saved, so that nothing
//! unknown is found only when a request is due.

use super::TemplateError;
use crate::FieldError;

/// The longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;
/// The most placeholders in one template.
pub const MAX_PLACEHOLDERS: usize = 64;
/// What a template may begin with, for error messages.
const NAMES: &[&str] = &[
    "indicator.value",
    "indicator.type",
    "value",
    "type",
    "base_url",
    "auth.<field>",
    "steps.<name>.response.<path>",
];

/// What a template may name, at validation time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed<'a> {
    /// The steps that run before, whose answers can be read.
    pub steps: &'a [String],
}

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Value {
        name: Name<'a>,
        filters: Filters,
        source: &'a str,
    },
}

/// What is done with a value before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Filters {
    /// Only what follows the last `/`, without query and fragment: an answer that names an object
    /// by its link gives the object's id, never the place to ask.
    pub(super) last_segment: bool,
    /// Percent-encoded; in a URL every value is.
    pub(super) urlencode: bool,
}

impl Filters {
    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// What a placeholder names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name<'a> {
    IndicatorValue,
    IndicatorType,
    BaseUrl,
    Auth(&'a str),
    /// The path is empty for the whole answer.
    Step {
        name: &'a str,
        path: &'a str,
    },
}

/// What is wrong when [`starts_new_part`] does not hold.
pub(super) const AFTER_BASE_URL: &str = "the base URL must be followed by /, ? or #";

/// Whether what follows the base URL leaves its host and its last segment alone.
pub(super) fn starts_new_part(next: &Part<'_>) -> bool {
    matches!(next, Part::Text(text) if text.starts_with(['/', '?', '#']))
}

pub(super) fn parts(template: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    if template.len() > MAX_TEMPLATE_BYTES {
        return Err(syntax(format!("is longer than {MAX_TEMPLATE_BYTES} bytes")));
    }
    let mut parts = Vec::new();
    let mut rest = template;
    if template.matches("{{").count() > MAX_PLACEHOLDERS {
        return Err(syntax(format!(
            "has more than {MAX_PLACEHOLDERS} placeholders"
        )));
    }
    while let Some((before, after)) = rest.split_once("{{") {
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        let (inner, after) = after
            .split_once("}}")
            .ok_or_else(|| syntax("has a {{ without its }}".to_owned()))?;
        parts.push(placeholder(inner.trim())?);
        if parts.len() > 2 * MAX_PLACEHOLDERS {
            return Err(syntax(format!(
                "has more than {MAX_PLACEHOLDERS} placeholders"
            )));
        }
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

fn placeholder(inner: &str) -> Result<Part<'_>, TemplateError> {
    let mut words = inner.split('|').map(str::trim);
    let source = words.next().unwrap_or_default();
    let mut filters = Filters::default();
    for word in words {
        match word {
            "urlencode" => filters.urlencode = true,
            "last_segment" => filters.last_segment = true,
            other => {
                return Err(syntax(format!(
                    "has an unknown filter {other:?}; there are urlencode and last_segment"
                )));
            }
        }
    }
    let name = name(source).ok_or_else(|| {
        syntax(format!(
            "names {source:?}, which does not exist; there are {}",
            NAMES.join(", ")
        ))
    })?;
    Ok(Part::Value {
        name,
        filters,
        source,
    })
}

fn name(source: &str) -> Option<Name<'_>> {
    match source {
        "indicator.value" | "value" => return Some(Name::IndicatorValue),
        "indicator.type" | "type" => return Some(Name::IndicatorType),
        "base_url" => return Some(Name::BaseUrl),
        _ => {}
    }
    if let Some(field) = source.strip_prefix("auth.") {
        let is_name = !field.is_empty() && field.chars().all(|c| c.is_alphanumeric() || c == '_');
        return is_name.then_some(Name::Auth(field));
    }
    let (name, rest) = source.strip_prefix("steps.")?.split_once('.')?;
    let path = match rest.strip_prefix("response")? {
        "" => "",
        path => path.strip_prefix('.').filter(|path| !path.is_empty())?,
    };
    (!name.is_empty()).then_some(Name::Step { name, path })
}

/// Checks a template that is no URL. `path` is where it stands in the request.
pub fn validate(path: &str, template: &str, allowed: &Allowed<'_>) -> Result<(), FieldError> {
    check(path, template, allowed).map(|_| ())
}

/// Checks a URL template: also that it begins with `http://`, `https://` or the base URL, and
/// that nothing but a credential names the host.
pub fn validate_url(path: &str, template: &str, allowed: &Allowed<'_>) -> Result<(), FieldError> {
    let parts = check(path, template, allowed)?;
    let fail = |message: &str| Err(FieldError::new(path, message));
    let mut written = match parts.first() {
        Some(Part::Text(text)) if text.starts_with("https://") || text.starts_with("http://") => {
            String::new()
        }
        Some(Part::Value { name, .. }) if name.is_base_url() => {
            if parts.get(1).is_some_and(|next| !starts_new_part(next)) {
                return fail(AFTER_BASE_URL);
            }
            "scheme://".to_owned()
        }
        _ => return fail("must begin with https://, http:// or {{base_url}}"),
    };
    for part in &parts {
        match part {
            Part::Text(text) => written.push_str(text),
            Part::Value {
                name: Name::Auth(_) | Name::BaseUrl,
                ..
            } => written.push('x'),
            Part::Value { .. } if super::has_authority(&written) => {}
            Part::Value { source, .. } => {
                return fail(&format!("{{{{{source}}}}} must not name the host"));
            }
        }
    }
    Ok(())
}

fn check<'t>(
    path: &str,
    template: &'t str,
    allowed: &Allowed<'_>,
) -> Result<Vec<Part<'t>>, FieldError> {
    let parts = parts(template).map_err(|error| FieldError::new(path, error.to_string()))?;
    for part in &parts {
        if let Part::Value {
            name: Name::Step { name, .. },
            ..
        } = part
            && !allowed.steps.iter().any(|step| step == name)
        {
            return Err(FieldError::unknown_word(
                path,
                "earlier step",
                name,
                allowed.steps,
            ));
        }
    }
    Ok(parts)
}

fn syntax(message: String) -> TemplateError {
    TemplateError::Syntax(message)
}
