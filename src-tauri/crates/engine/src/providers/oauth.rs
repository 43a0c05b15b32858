//! OAuth 2.0 client credentials (RFC 6749 §4.4): one token serves every lookup until it expires.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use calseta_domain::template::{self, Scope};
use calseta_domain::{FieldError, Timestamp};
use calseta_egress::{Audience, Grant, Outbound, Overflow, SendError};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::trace::Trace;
use crate::start::Inner;

/// A token is renewed this long before it expires, so that no lookup starts with a dying one.
const MARGIN_MS: i64 = 60_000;
/// A token's life when the answer does not say (RFC 6749 §5.1 only recommends to).
const DEFAULT_LIFE_SECS: i64 = 300;
/// The longest life that is believed: a day.
const MAX_LIFE_SECS: i64 = 86_400;
/// How long the token endpoint may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// The largest answer of a token endpoint.
const ANSWER_BYTES: usize = 64 * 1024;

/// Where a provider's tokens come from.
#[derive(Debug, Clone)]
pub(crate) struct ClientCredentials {
    /// A template over the credentials.
    token_url: String,
    scope: Option<String>,
}

impl ClientCredentials {
    /// Reads `oauth2`; null is none.
    pub(crate) fn parse(value: &Value) -> Result<Option<Self>, Vec<FieldError>> {
        if value.is_null() {
            return Ok(None);
        }
        let Some(token_url) = value["token_url"].as_str().filter(|url| !url.is_empty()) else {
            return Err(vec![FieldError::new(
                "oauth2.token_url",
                "must be the URL of the token endpoint",
            )]);
        };
        let allowed = template::Allowed::default();
        template::validate_url("oauth2.token_url", token_url, &allowed).map_err(|e| vec![e])?;
        Ok(Some(Self {
            token_url: token_url.to_owned(),
            scope: value["scope"].as_str().map(str::to_owned),
        }))
    }
}

/// The newest token. The lock is held while one is fetched: whoever comes meanwhile waits for it
/// instead of fetching another.
#[derive(Default)]
pub(crate) struct TokenCache(Mutex<Option<Token>>);

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache(..)")
    }
}

struct Token {
    value: Zeroizing<String>,
    expires_at: Timestamp,
    /// Of what it was fetched with: other credentials need another token.
    fetched_with: [u8; 32],
}

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// The endpoint refused the credentials, or they cannot be used.
    Refused(String),
    /// It could not be reached, or answered something else.
    Unreachable(String),
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

impl TokenCache {
    /// Forgets a token that was refused, unless another has been fetched since.
    pub(crate) async fn forget(&self, refused: &str) {
        let mut held = self.0.lock().await;
        if held.as_ref().is_some_and(|token| *token.value == refused) {
            *held = None;
        }
    }

    /// The token, fetched when there is none that lives long enough.
    pub(crate) async fn get(
        &self,
        (inner, from): (&Inner, &ClientCredentials),
        scope: &Scope<'_>,
        grants: &[Grant],
        trace: &mut Trace,
    ) -> Result<Zeroizing<String>, NoToken> {
        let refused = |error: template::TemplateError| NoToken::Refused(error.to_string());
        let url = template::render_url(&from.token_url, scope).map_err(refused)?;
        let of = |field: &str| scope.auth.and_then(|auth| auth.get(field));
        let (Some(id), Some(secret)) = (of("client_id"), of("client_secret")) else {
            let message = "client_id and client_secret are needed for a token";
            return Err(NoToken::Refused(message.to_owned()));
        };
        let wanted = digest(&[&url, id, secret, from.scope.as_deref().unwrap_or("")]);
        let mut held = self.0.lock().await;
        let now = inner.clock.now();
        let fresh = held.as_ref().filter(|token| {
            token.fetched_with == wanted && token.expires_at > now.plus_millis(MARGIN_MS)
        });
        if let Some(token) = fresh {
            // A peer may repeat it in its answer, whoever fetched it.
            trace.hide(&token.value);
            return Ok(token.value.clone());
        }
        let body = request_body(id, secret, from.scope.as_deref());
        let (value, life_secs) = fetch(inner, &url, &body, grants, trace).await?;
        *held = Some(Token {
            value: value.clone(),
            expires_at: now.plus_millis(life_secs * 1000),
            fetched_with: wanted,
        });
        Ok(value)
    }
}

fn request_body(id: &str, secret: &str, scope: Option<&str>) -> Zeroizing<String> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("client_id", id)
        .append_pair("client_secret", secret);
    if let Some(scope) = scope {
        form.append_pair("scope", scope);
    }
    Zeroizing::new(form.finish())
}

async fn fetch(
    inner: &Inner,
    url: &str,
    form: &str,
    grants: &[Grant],
    trace: &mut Trace,
) -> Result<(Zeroizing<String>, i64), NoToken> {
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let sent = trace.sending(
        "oauth2_token",
        "POST",
        (url, &headers, form.as_bytes()),
        inner,
    );
    let answered = inner
        .egress
        .send(Outbound {
            audience: Audience::Provider,
            method: Method::POST,
            url: url.to_owned(),
            headers,
            body: Bytes::copy_from_slice(form.as_bytes()),
            grants: grants.to_vec(),
            deadline: DEADLINE,
            max_response_bytes: ANSWER_BYTES,
            overflow: Overflow::Fail,
        })
        .await;
    trace.answered(sent, &answered, inner.clock.now());
    let answer = answered
        .map_err(|error: SendError| NoToken::Unreachable(format!("the token endpoint: {error}")))?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    match (answer.status, body["access_token"].as_str()) {
        (200, Some(token)) if !token.is_empty() => {
            let life = body["expires_in"].as_i64().unwrap_or(DEFAULT_LIFE_SECS);
            let token = Zeroizing::new(token.to_owned());
            trace.hide(&token);
            Ok((token, life.clamp(0, MAX_LIFE_SECS)))
        }
        (400 | 401 | 403, _) => Err(NoToken::Refused(format!(
            "the token endpoint answered {}: check the client id and secret",
            answer.status
        ))),
        (200, _) => Err(NoToken::Unreachable(
            "the token endpoint's answer has no access_token".to_owned(),
        )),
        (status, _) => Err(NoToken::Unreachable(format!(
            "the token endpoint answered {status}"
        ))),
    }
}
