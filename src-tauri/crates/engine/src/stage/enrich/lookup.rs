//! One lookup: render the provider's steps, send them through egress, read the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use calseta_domain::step::{self, RenderedRequest, StatusMeaning};
use calseta_domain::template::Scope;
use calseta_domain::{Indicator, Malice, Timestamp, retry};
use calseta_egress::{Answer, Audience, Grant, Outbound, Overflow, SendError};
use calseta_store::tables::indicator::IndicatorRow;
use calseta_store::tables::secret::SealedSecret;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value, json};

use crate::providers::Provider;
use crate::start::Inner;

/// The largest answer of a provider.
const ANSWER_BYTES: usize = 1024 * 1024;
/// What of an answer is stored for people who look closer.
const RAW_BYTES: usize = 256 * 1024;

/// What a lookup came to.
#[derive(Debug)]
pub(super) enum Lookup {
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

/// Asks a provider about an indicator, step by step.
pub(super) async fn look_up(
    inner: &Inner,
    provider: &Provider,
    row: &IndicatorRow,
    sealed: &[(String, SealedSecret)],
    grants: &[Grant],
) -> Lookup {
    let indicator = Indicator {
        kind: row.kind,
        value: row.value.clone(),
    };
    if provider.row.mode == "mock" {
        return canned(provider, &indicator);
    }
    let owner = provider.secret_owner();
    let mut auth = BTreeMap::new();
    for (field, secret) in sealed {
        match inner.vault.unseal(&owner, field, secret) {
            Ok(value) => drop(auth.insert(field.clone(), value.to_string())),
            Err(error) => {
                return Lookup::Failed {
                    error: error.to_string(),
                    key_refused: true,
                };
            }
        }
    }
    let mut responses = Map::new();
    for step in provider.config.steps_for(indicator.kind) {
        let scope = Scope {
            indicator: Some(&indicator),
            auth: Some(&auth),
            base_url: Some(&provider.base_url),
            steps: Some(&responses),
        };
        let asked = match step::render(&step, &scope) {
            Ok(request) => send(inner, request, step.timeout_seconds, grants).await,
            Err(error) => {
                return Lookup::Failed {
                    error: error.to_string(),
                    key_refused: false,
                };
            }
        };
        let answer = match asked {
            Ok(answer) => answer,
            Err(_) if step.optional => continue,
            Err(error) => return send_failed(&error),
        };
        match step.judge(answer.status) {
            StatusMeaning::Expected => {
                drop(responses.insert(step.name.clone(), step::response_value(&answer.body)));
            }
            StatusMeaning::NotFound if !step.optional => return not_found(provider),
            StatusMeaning::NotFound | StatusMeaning::Unexpected if step.optional => {}
            StatusMeaning::NotFound | StatusMeaning::Unexpected => {
                return refused(provider, &answer, inner.clock.now());
            }
        }
    }
    answered(
        provider,
        &indicator,
        &provider.config.raw_response(responses),
        false,
    )
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
        None => Lookup::Failed {
            error: "there is no canned answer for this type".to_owned(),
            key_refused: false,
        },
    }
}

fn send_failed(error: &SendError) -> Lookup {
    let text = error.to_string();
    match error {
        SendError::Blocked(_) | SendError::Tls(_) | SendError::TooLarge => Lookup::Failed {
            error: text,
            key_refused: false,
        },
        SendError::Timeout | SendError::Connect(_) | SendError::Transport(_) => Lookup::Again {
            after_ms: None,
            error: text,
        },
    }
}

fn refused(provider: &Provider, answer: &Answer, now: Timestamp) -> Lookup {
    let name = &provider.row.display_name;
    match answer.status {
        401 | 403 => Lookup::Failed {
            error: format!("{name} answered {}: check its API key", answer.status),
            key_refused: true,
        },
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
        status => Lookup::Failed {
            error: format!("{name} answered {status}"),
            key_refused: false,
        },
    }
}

async fn send(
    inner: &Inner,
    request: RenderedRequest,
    timeout_seconds: u32,
    grants: &[Grant],
) -> Result<Answer, SendError> {
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
    let method = http::Method::from_bytes(request.method.as_str().as_bytes())
        .expect("every method of a step is an HTTP method");
    inner
        .egress
        .send(Outbound {
            audience: Audience::Provider,
            method,
            url: request.url.clone(),
            headers,
            body: Bytes::from(request.body.clone().unwrap_or_default()),
            grants: grants.to_vec(),
            deadline: Duration::from_secs(timeout_seconds.into()),
            max_response_bytes: ANSWER_BYTES,
            overflow: Overflow::Fail,
        })
        .await
}
