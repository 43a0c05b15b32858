//! One lookup: render the provider's steps, send them through egress, read the answer. The stage,
//! the analyst's question and the provider's test all ask this way.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use calseta_domain::step::{self, RenderedRequest, StatusMeaning, Step};
use calseta_domain::template::{self, Scope, TemplateError};
use calseta_domain::{Indicator, Malice, Timestamp, retry};
use calseta_egress::{Answer, Audience, Grant, Outbound, Overflow, SendError};
use calseta_store::tables::Reads;
use calseta_store::tables::secret::{self, SealedSecret};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::definition::Credentials;
use super::oauth::NoToken;
use super::trace::Trace;
use super::{Provider, quota};
use crate::start::Inner;
use crate::{Problem, grants};

/// The largest answer of a provider.
const ANSWER_BYTES: usize = 1024 * 1024;
/// What of an answer is stored for people who look closer.
const RAW_BYTES: usize = 256 * 1024;

/// Credentials that say who asks and where, and open nothing: answers are full of such words, which
/// must not be masked in them.
const OPEN_FIELDS: &[&str] = &[
    "client_id",
    "domain",
    "organization",
    "region",
    "tenant_id",
    "username",
];

/// What a lookup came to.
#[derive(Debug)]
pub(crate) enum Lookup {
    Answered {
        extracted: Map<String, Value>,
        malice: Malice,
        raw: Option<String>,
        demo: bool,
    },
    Again {
        after_ms: Option<i64>,
        error: String,
    },
    Failed {
        error: String,
        key_refused: bool,
    },
}

impl Lookup {
    /// A lookup that is over, and why.
    pub(crate) fn failed(error: impl Into<String>) -> Self {
        Self::Failed {
            error: error.into(),
            key_refused: false,
        }
    }

    fn key_refused(error: impl Into<String>) -> Self {
        Self::Failed {
            error: error.into(),
            key_refused: true,
        }
    }

    fn not_now(provider: &Provider, allowance: quota::Allowance) -> Self {
        Self::failed(quota::refusal(
            &provider.row.display_name,
            &provider.quota,
            allowance,
        ))
    }
}

/// What a lookup needs of the store: read before, so that no transaction is open while it waits.
#[derive(Debug)]
pub(crate) struct Needs {
    sealed: Vec<(String, SealedSecret)>,
    grants: Vec<Grant>,
}

impl Needs {
    pub(crate) fn read(tx: &impl Reads, provider: &Provider) -> Result<Self, Problem> {
        let owner = provider.secret_owner();
        let mut sealed = Vec::new();
        for field in secret::fields(tx, &owner)? {
            if let Some(secret) = secret::get(tx, &owner, &field)? {
                sealed.push((field, secret));
            }
        }
        let grants = grants::of(tx, Audience::Provider)?;
        Ok(Self { sealed, grants })
    }

    fn credentials(&self, inner: &Inner, provider: &Provider) -> Result<Credentials, Lookup> {
        let mut credentials = provider.environment();
        let owner = provider.secret_owner();
        for (field, secret) in &self.sealed {
            let value = inner.vault.unseal(&owner, field, secret);
            let value = value.map_err(|error| Lookup::key_refused(error.to_string()))?;
            credentials.0.insert(field.clone(), value.to_string());
        }
        Ok(credentials)
    }
}

/// Asks a provider about an indicator, within its quota.
pub(crate) async fn look_up(
    inner: &Inner,
    provider: &Provider,
    indicator: &Indicator,
    needs: &Needs,
) -> Lookup {
    if provider.row.mode == "mock" {
        return canned(provider, indicator);
    }
    ask(inner, provider, indicator, needs, &mut Trace::default()).await
}

/// The same for a person who waits: the quota says no instead of later.
pub(crate) async fn look_up_now(
    inner: &Inner,
    provider: &Provider,
    indicator: &Indicator,
    needs: &Needs,
    trace: &mut Trace,
) -> Lookup {
    if provider.row.mode == "mock" {
        return canned(provider, indicator);
    }
    match provider.usage.take(&provider.quota, inner.clock.now()) {
        quota::Allowance::Now(_) => ask(inner, provider, indicator, needs, trace).await,
        allowance => Lookup::not_now(provider, allowance),
    }
}

/// The answer of a lookup that the day's quota has no room for.
pub(crate) fn used_up(provider: &Provider) -> Lookup {
    Lookup::not_now(provider, quota::Allowance::UsedUp)
}

async fn ask(
    inner: &Inner,
    provider: &Provider,
    indicator: &Indicator,
    needs: &Needs,
    trace: &mut Trace,
) -> Lookup {
    let mut credentials = match needs.credentials(inner, provider) {
        Ok(credentials) => credentials,
        Err(lookup) => return lookup,
    };
    let secrets = credentials.0.iter();
    let secrets = secrets.filter(|(field, _)| !OPEN_FIELDS.contains(&&***field));
    secrets.for_each(|(_, secret)| trace.hide(secret));
    if let Err(lookup) = complete(provider, &credentials) {
        return lookup;
    }
    let base_url = match base_url(provider, &credentials) {
        Ok(base_url) => base_url,
        Err(error) => return Lookup::failed(format!("base_url: {error}")),
    };
    // A token may be withdrawn before it expires: a refused one is fetched anew, once.
    for is_last in [false, true] {
        if let Err(lookup) =
            authorise(inner, provider, &mut credentials, &base_url, needs, trace).await
        {
            return lookup;
        }
        let asked = Asked {
            inner,
            provider,
            indicator,
            credentials: &credentials,
            base_url: &base_url,
            grants: &needs.grants,
        };
        let lookup = asked.steps(trace).await;
        let refused = matches!(&lookup, Lookup::Failed { key_refused, .. } if *key_refused);
        let token = credentials.0.get("access_token");
        match (&provider.oauth, token) {
            (Some(_), Some(token)) if refused && !is_last => provider.tokens.forget(token).await,
            _ => return lookup,
        }
    }
    Lookup::failed("the token was refused twice")
}

/// Only a test asks a provider that lacks what it needs; it is told what to do about it.
fn complete(provider: &Provider, credentials: &Credentials) -> Result<(), Lookup> {
    let fields = provider.auth_fields.iter();
    let missing: Vec<_> = fields
        .filter(|field| !credentials.0.contains_key(*field))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Lookup::failed(format!(
        "{} has no {}: store it with PATCH /v1/enrichment-providers/{} and auth_config",
        provider.row.display_name,
        missing.join(", "),
        provider.row.uuid
    )))
}

/// The base URL with the credentials it names.
fn base_url(provider: &Provider, credentials: &Credentials) -> Result<String, TemplateError> {
    let template = provider.base_url();
    if !template.contains("{{") {
        return Ok(template);
    }
    let scope = Scope {
        auth: Some(&credentials.0),
        ..Scope::default()
    };
    template::render_url(&template, &scope)
}

async fn authorise(
    inner: &Inner,
    provider: &Provider,
    credentials: &mut Credentials,
    base_url: &str,
    needs: &Needs,
    trace: &mut Trace,
) -> Result<(), Lookup> {
    let Some(oauth) = &provider.oauth else {
        return Ok(());
    };
    let scope = Scope {
        auth: Some(&credentials.0),
        base_url: Some(base_url),
        ..Scope::default()
    };
    let got = provider
        .tokens
        .get((inner, oauth), &scope, &needs.grants, trace)
        .await;
    match got {
        Ok(token) => {
            credentials
                .0
                .insert("access_token".to_owned(), token.to_string());
            Ok(())
        }
        Err(NoToken::Refused(error)) => Err(Lookup::key_refused(error)),
        Err(NoToken::Unreachable(error)) => Err(Lookup::Again {
            after_ms: None,
            error,
        }),
    }
}

struct Asked<'a> {
    inner: &'a Inner,
    provider: &'a Provider,
    indicator: &'a Indicator,
    credentials: &'a Credentials,
    base_url: &'a str,
    grants: &'a [Grant],
}

impl Asked<'_> {
    async fn steps(&self, trace: &mut Trace) -> Lookup {
        let provider = self.provider;
        let mut responses = Map::new();
        for step in provider.config.steps_for(self.indicator.kind) {
            let scope = Scope {
                indicator: Some(self.indicator),
                auth: Some(&self.credentials.0),
                base_url: Some(self.base_url),
                steps: Some(&responses),
            };
            let request = match step::render(&step, &scope) {
                Ok(request) => request,
                // What an optional step needs may be what an earlier one did not find.
                Err(error) => {
                    let text = error.to_string();
                    let sent = (&*step.name, step.method.as_str());
                    trace.not_sent(sent, &text, step.optional, self.inner.clock.now());
                    if step.optional {
                        continue;
                    }
                    return Lookup::failed(text);
                }
            };
            let answer = match self.send(&step, request, trace).await {
                Ok(answer) => answer,
                Err(_) if step.optional => {
                    trace.skip_last();
                    continue;
                }
                Err(error) => return send_failed(&error),
            };
            match step.judge(answer.status) {
                StatusMeaning::Expected => {
                    drop(responses.insert(step.name.clone(), step::response_value(&answer.body)));
                }
                _ if step.optional => trace.skip_last(),
                StatusMeaning::NotFound => return not_found(provider),
                StatusMeaning::Unexpected => {
                    return refused(provider, &answer, self.inner.clock.now());
                }
            }
        }
        let response = provider.config.raw_response(responses);
        let response = trace.storable(&response).unwrap_or(response);
        answered(provider, self.indicator, &response, false)
    }

    /// `bearer_token` and `basic_auth` say how the credential is sent; a template that sends it
    /// otherwise wins.
    fn authorization(&self, headers: &mut HeaderMap) {
        if headers.contains_key(header::AUTHORIZATION) {
            return;
        }
        let of = |field: &str| self.credentials.0.get(field);
        let text = match &*self.provider.auth_type {
            "bearer_token" => of("token").map(|token| format!("Bearer {token}")),
            "basic_auth" => of("username").zip(of("password")).map(|(user, password)| {
                let pair = Zeroizing::new(format!("{user}:{password}"));
                format!("Basic {}", STANDARD.encode(pair.as_bytes()))
            }),
            _ => None,
        };
        let value = text.and_then(|text| HeaderValue::try_from(text).ok());
        if let Some(mut value) = value {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
    }

    async fn send(
        &self,
        step: &Step,
        request: RenderedRequest,
        trace: &mut Trace,
    ) -> Result<Answer, SendError> {
        let mut headers = headers(&request)?;
        self.authorization(&mut headers);
        let method = request.method.as_str();
        let body = request.body.clone().unwrap_or_default();
        let sent = trace.sending(
            &step.name,
            method,
            (&request.url, &headers, &body),
            self.inner,
        );
        let answered = self
            .inner
            .egress
            .send(Outbound {
                audience: Audience::Provider,
                method: http::Method::from_bytes(method.as_bytes())
                    .expect("every method of a step is an HTTP method"),
                url: request.url.clone(),
                headers,
                body: Bytes::from(body),
                grants: self.grants.to_vec(),
                deadline: Duration::from_secs(step.timeout_seconds.into()),
                max_response_bytes: ANSWER_BYTES,
                overflow: Overflow::Fail,
            })
            .await;
        trace.answered(sent, &answered, self.inner.clock.now());
        answered
    }
}

fn headers(request: &RenderedRequest) -> Result<HeaderMap, SendError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name.as_str());
        let value = HeaderValue::from_str(value);
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(SendError::Transport(
                "a header of the request cannot be sent".to_owned(),
            ));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    if let Some(kind) = request.content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Ok(headers)
}

fn answered(provider: &Provider, indicator: &Indicator, response: &Value, demo: bool) -> Lookup {
    let extracted = step::extract_fields(&provider.extractions, indicator.kind, response);
    let raw = response.to_string();
    Lookup::Answered {
        extracted,
        malice: provider.verdicts.verdict(response),
        raw: (raw.len() <= RAW_BYTES).then_some(raw),
        demo,
    }
}

/// Not knowing an indicator is an answer.
fn not_found(provider: &Provider) -> Lookup {
    let mut extracted = Map::new();
    extracted.insert("found".to_owned(), json!(false));
    Lookup::Answered {
        extracted,
        malice: provider.verdicts.not_found(),
        raw: None,
        demo: false,
    }
}

fn canned(provider: &Provider, indicator: &Indicator) -> Lookup {
    match provider.canned(indicator.kind) {
        Some(response) => answered(provider, indicator, response, true),
        None => Lookup::failed("there is no canned answer for this type"),
    }
}

fn send_failed(error: &SendError) -> Lookup {
    let text = error.to_string();
    match error {
        SendError::Blocked(_) | SendError::Tls(_) | SendError::TooLarge => Lookup::failed(text),
        SendError::Timeout | SendError::Connect(_) | SendError::Transport(_) => Lookup::Again {
            after_ms: None,
            error: text,
        },
    }
}

fn refused(provider: &Provider, answer: &Answer, now: Timestamp) -> Lookup {
    let name = &provider.row.display_name;
    match answer.status {
        401 | 403 => Lookup::key_refused(format!(
            "{name} answered {}: check its API key",
            answer.status
        )),
        429 | 500..=599 => {
            let value = answer
                .headers
                .get(header::RETRY_AFTER)
                .and_then(|v| v.to_str().ok());
            Lookup::Again {
                after_ms: value.and_then(|value| retry::parse_retry_after(value, now)),
                error: format!("{name} answered {}", answer.status),
            }
        }
        status => Lookup::failed(format!("{name} answered {status}")),
    }
}
