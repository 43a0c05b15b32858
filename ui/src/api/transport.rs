//! The only place that knows how a request leaves the page.
//!
//! In the desktop window one command hands it to the backend in the same process: no key, no
//! address, no HTTP. In a browser it is a fetch on the own origin with a bearer that was traded
//! for the link's one-time token and lives in `sessionStorage`. There is no third way.

use calseta_contract::Envelope;
use calseta_contract::health::{SessionRequest, SessionView};
use gloo_net::http::{Method, RequestBuilder};
use js_sys::{Function, Promise, Reflect};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::Failure;

/// Where the bearer lives. It dies with the tab, and with the backend's process anyway.
const BEARER_KEY: &str = "calseta.bearer";
/// How the link's fragment begins.
const TOKEN_PREFIX: &str = "#token=";
/// The object through which the desktop window reaches its process.
const INTERNALS: &str = "__TAURI_INTERNALS__";

/// Whether this page may talk to the backend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Admission {
    /// It may.
    Admitted,
    /// A browser without a bearer: the link has to be opened.
    NoLink,
    /// The link's token was refused, or could not be traded.
    Refused(Failure),
}

/// What came back.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body, as text.
    pub(super) body: String,
}

#[derive(Serialize)]
struct WindowRequest<'a> {
    method: &'a str,
    path: &'a str,
    headers: BTreeMap<&'a str, &'a str>,
    body: Option<&'a str>,
}

#[derive(Serialize)]
struct WindowArguments<'a> {
    request: WindowRequest<'a>,
}

/// Trades the link's token for a bearer, once, and says whether the page may go on.
pub(crate) async fn admission() -> Admission {
    if internals().is_some() {
        return Admission::Admitted;
    }
    if let Some(token) = take_token() {
        return match trade(token).await {
            Ok(bearer) => {
                store_bearer(Some(&bearer));
                Admission::Admitted
            }
            Err(failure) => Admission::Refused(failure),
        };
    }
    if bearer().is_some() {
        Admission::Admitted
    } else {
        Admission::NoLink
    }
}

/// Drops the bearer: the backend has restarted and knows it no longer.
pub(crate) fn forget_session() {
    store_bearer(None);
}

/// Sends one request. An `Err` means that no answer came; an answer of any status is `Ok`.
pub(super) async fn send(method: &str, path: &str, body: Option<&str>) -> Result<Answer, Failure> {
    let sent = match internals() {
        Some(internals) => through_window(&internals, method, path, body).await,
        None => through_fetch(method, path, body, bearer().as_deref()).await,
    };
    sent.map_err(|cause| Failure::unreachable(&format!("{method} {path}"), &cause))
}

fn internals() -> Option<JsValue> {
    let window = web_sys::window()?;
    let found = Reflect::get(&window, &JsValue::from_str(INTERNALS)).ok()?;
    found.is_object().then_some(found)
}

async fn through_window(
    internals: &JsValue,
    method: &str,
    path: &str,
    body: Option<&str>,
) -> Result<Answer, String> {
    let mut headers = BTreeMap::new();
    if body.is_some() {
        headers.insert("content-type", "application/json");
    }
    let arguments = WindowArguments {
        request: WindowRequest {
            method,
            path,
            headers,
            body,
        },
    };
    let arguments = arguments
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|e| e.to_string())?;
    let invoke: Function = Reflect::get(internals, &JsValue::from_str("invoke"))
        .map_err(|e| said(&e))?
        .dyn_into()
        .map_err(|e| said(&e))?;
    let promise: Promise = invoke
        .call2(internals, &JsValue::from_str("api"), &arguments)
        .map_err(|e| said(&e))?
        .dyn_into()
        .map_err(|e| said(&e))?;
    let answer = JsFuture::from(promise).await.map_err(|e| said(&e))?;
    serde_wasm_bindgen::from_value(answer).map_err(|e| e.to_string())
}

async fn through_fetch(
    method: &str,
    path: &str,
    body: Option<&str>,
    bearer: Option<&str>,
) -> Result<Answer, String> {
    let verb: Method = method
        .parse()
        .map_err(|_| format!("{method} is no method"))?;
    let mut request = RequestBuilder::new(path).method(verb);
    if let Some(bearer) = bearer {
        request = request.header("Authorization", &format!("Bearer {bearer}"));
    }
    let sent = match body {
        Some(body) => {
            let request = request
                .header("Content-Type", "application/json")
                .body(body);
            request.map_err(|e| e.to_string())?.send().await
        }
        None => request.send().await,
    };
    let response = sent.map_err(|e| e.to_string())?;
    let status = response.status();
    let body = response.text().await.map_err(|e| e.to_string())?;
    Ok(Answer { status, body })
}

async fn trade(token: String) -> Result<String, Failure> {
    let request = "POST /ui/session";
    let body = serde_json::to_string(&SessionRequest { token })
        .map_err(|e| Failure::unreadable(request, 0, &e.to_string()))?;
    let answer = through_fetch("POST", "/ui/session", Some(&body), None)
        .await
        .map_err(|cause| Failure::unreachable(request, &cause))?;
    if answer.status != 200 && answer.status != 201 {
        return Err(Failure::from_answer(request, answer.status, &answer.body));
    }
    serde_json::from_str::<Envelope<SessionView>>(&answer.body)
        .map(|envelope| envelope.data.bearer)
        .map_err(|e| Failure::unreadable(request, answer.status, &e.to_string()))
}

/// The token of the link's fragment, which leaves the address and the history at once.
fn take_token() -> Option<String> {
    let window = web_sys::window()?;
    let location = window.location();
    let fragment = location.hash().ok()?;
    let token = fragment.strip_prefix(TOKEN_PREFIX)?.to_owned();
    let path = location.pathname().ok()?;
    let history = window.history().ok()?;
    // A history that refuses leaves a spent token in the address, which admits nobody.
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    Some(token)
}

fn bearer() -> Option<String> {
    let storage = web_sys::window()?.session_storage().ok()??;
    storage.get_item(BEARER_KEY).ok()?
}

fn store_bearer(bearer: Option<&str>) {
    let storage = web_sys::window().and_then(|window| window.session_storage().ok().flatten());
    if let Some(storage) = storage {
        // Without storage the link has to be opened again; nothing else is lost.
        let _ = match bearer {
            Some(bearer) => storage.set_item(BEARER_KEY, bearer),
            None => storage.remove_item(BEARER_KEY),
        };
    }
}

fn said(value: &JsValue) -> String {
    value.as_string().unwrap_or_else(|| format!("{value:?}"))
}
