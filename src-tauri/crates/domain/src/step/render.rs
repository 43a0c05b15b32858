//! From a step to the exact request.

use std::fmt;

use url::{Url, form_urlencoded};

use super::{Method, Step};
use crate::template::{self, Scope, TemplateError};

/// A request ready to be sent. Holds credentials, so its `Debug` shows the method only.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedRequest {
    /// The method.
    pub method: Method,
    /// The whole URL with its query.
    pub url: String,
    /// Names as they were given, values without control characters.
    pub headers: Vec<(String, String)>,
    /// The body, when there is one.
    pub body: Option<Vec<u8>>,
    /// The body's type, unless a header gives another.
    pub content_type: Option<&'static str>,
}

impl fmt::Debug for RenderedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderedRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// Renders a step. Pure: the same step and scope give the same bytes.
pub fn render(step: &Step, scope: &Scope<'_>) -> Result<RenderedRequest, TemplateError> {
    let headers = step
        .headers
        .iter()
        .map(|(name, value)| Ok((name.clone(), template::render_header(value, scope)?)))
        .collect::<Result<Vec<_>, TemplateError>>()?;
    let (body, content_type) = body(step, scope)?;
    let has_type = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    Ok(RenderedRequest {
        method: step.method,
        url: url(step, scope)?,
        headers,
        body,
        content_type: content_type.filter(|_| !has_type),
    })
}

fn url(step: &Step, scope: &Scope<'_>) -> Result<String, TemplateError> {
    let rendered = template::render_url(&step.url, scope)?;
    if step.query_params.is_empty() {
        return Ok(rendered);
    }
    let mut url = Url::parse(&rendered)
        .map_err(|_| TemplateError::Refused("the result is no URL".to_owned()))?;
    {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in &step.query_params {
            pairs.append_pair(name, &template::render_text(value, scope)?);
        }
    }
    Ok(url.into())
}

type Body = (Option<Vec<u8>>, Option<&'static str>);

fn body(step: &Step, scope: &Scope<'_>) -> Result<Body, TemplateError> {
    if let Some(json) = &step.json_body {
        let rendered = template::render_json(json, scope)?;
        return Ok((
            Some(rendered.to_string().into_bytes()),
            Some("application/json"),
        ));
    }
    let Some(fields) = &step.form_body else {
        return Ok((None, None));
    };
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        form.append_pair(name, &template::render_text(value, scope)?);
    }
    Ok((
        Some(form.finish().into_bytes()),
        Some("application/x-www-form-urlencoded"),
    ))
}
