//! The window's only command: it hands a request to the routes in this process.
//!
//! The backend answers it as the analyst, so everything here is about who asks and for what: the
//! main window, on our own page, for a path of the API, with the three headers that the window
//! needs. Whether the request itself makes sense is for the routes to say, as over HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use calseta_server::InProcess;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Limited};
use serde::{Deserialize, Serialize};
use tauri::{State, WebviewWindow};
use tokio::sync::Semaphore;

use crate::window;

/// The largest request body: that of the API.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The largest answer; the longest pages and raw payloads are far below it.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// The longest path with its query.
const MAX_PATH_BYTES: usize = 8 * 1024;
/// The longest value of a header.
const MAX_HEADER_BYTES: usize = 1024;
/// Calls at once; the window has a handful, and one long poll.
const MAX_CALLS: usize = 64;
/// The longest an answer may take; a long poll takes 25 s.
const CALL_DEADLINE: Duration = Duration::from_mins(1);
/// The headers that a request may carry.
const HEADERS: [&str; 3] = ["content-type", "accept", "idempotency-key"];

/// What the command reaches.
#[derive(Debug)]
pub(crate) struct Backend {
    routes: InProcess,
    room: Semaphore,
}

impl Backend {
    pub(crate) fn new(routes: InProcess) -> Self {
        Self {
            routes,
            room: Semaphore::new(MAX_CALLS),
        }
    }
}

/// A request of the window.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiRequest {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

/// Its answer, of any status.
#[derive(Debug, Serialize)]
pub(crate) struct ApiAnswer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Why a request was not handed on, or its answer not handed back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("only the main window's own page may call the API")]
    Caller,
    #[error("the method must be GET, POST, PUT, PATCH or DELETE")]
    Method,
    #[error("the path must be one of /v1/, /ui/ or /health, of at most {MAX_PATH_BYTES} bytes")]
    Path,
    #[error(
        "only the headers content-type, accept and idempotency-key may be set, plain and short"
    )]
    Header,
    #[error("the body is larger than {MAX_BODY_BYTES} bytes")]
    Body,
    #[error("too many requests at once")]
    Busy,
    #[error("no answer within {} s", CALL_DEADLINE.as_secs())]
    Deadline,
    #[error("the answer is too large or no text")]
    Answer,
}

/// Hands `request` to the backend. Async, so that a long poll holds up no other call.
#[tauri::command]
pub(crate) async fn api(
    window: WebviewWindow,
    backend: State<'_, Backend>,
    request: ApiRequest,
) -> Result<ApiAnswer, String> {
    call(&window, &backend, request)
        .await
        .map_err(|refusal| refusal.to_string())
}

async fn call(
    window: &WebviewWindow,
    backend: &Backend,
    request: ApiRequest,
) -> Result<ApiAnswer, Refusal> {
    if !window::is_main(window) {
        return Err(Refusal::Caller);
    }
    let request = checked(request)?;
    let _room = backend.room.try_acquire().map_err(|_| Refusal::Busy)?;
    let answered = async {
        let (parts, body) = request.into_parts();
        let response = backend
            .routes
            .call(Request::from_parts(parts, body.into()))
            .await;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|_| Refusal::Answer)?.to_bytes();
        Ok(ApiAnswer {
            status: parts.status.as_u16(),
            headers: plain(&parts.headers),
            body: String::from_utf8(body.into()).map_err(|_| Refusal::Answer)?,
        })
    };
    tokio::time::timeout(CALL_DEADLINE, answered)
        .await
        .map_err(|_| Refusal::Deadline)?
}

/// The request as the routes take it, or why it is none of the window's.
fn checked(request: ApiRequest) -> Result<Request<String>, Refusal> {
    let method = match &*request.method {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(Refusal::Method),
    };
    if !is_ours(&request.path) {
        return Err(Refusal::Path);
    }
    let body = request.body.unwrap_or_default();
    if body.len() > MAX_BODY_BYTES {
        return Err(Refusal::Body);
    }
    let mut handed = Request::new(body);
    *handed.method_mut() = method;
    *handed.uri_mut() = request.path.parse().map_err(|_| Refusal::Path)?;
    for (name, value) in &request.headers {
        let name: HeaderName = name.parse().map_err(|_| Refusal::Header)?;
        if !HEADERS.contains(&name.as_str()) || value.len() > MAX_HEADER_BYTES {
            return Err(Refusal::Header);
        }
        let value = HeaderValue::from_str(value).map_err(|_| Refusal::Header)?;
        handed.headers_mut().insert(name, value);
    }
    Ok(handed)
}

/// A path of the API, without a way out of it: no `..` however it is written, nothing that is
/// read differently by another parser.
fn is_ours(path: &str) -> bool {
    let (place, _query) = path.split_once('?').unwrap_or((path, ""));
    let lower = place.to_ascii_lowercase();
    let rooted = place.starts_with("/v1/") || place.starts_with("/ui/");
    let climbs = place
        .split('/')
        .any(|segment| segment == "." || segment == "..")
        || ["%2e", "%2f", "%5c", "%00", "//"]
            .iter()
            .any(|odd| lower.contains(odd));
    let clean = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    path.len() <= MAX_PATH_BYTES && (rooted || place == "/health") && !climbs && clean
}

fn plain(headers: &HeaderMap) -> BTreeMap<String, String> {
    let texts = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> ApiRequest {
        ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: BTreeMap::new(),
            body: None,
        }
    }

    #[test]
    fn paths_of_the_api_pass_as_they_are() {
        for path in [
            "/v1/alerts",
            "/v1/events?after=1&wait_seconds=25",
            "/ui/boot",
            "/health",
        ] {
            let handed = checked(request("GET", path)).expect(path);
            assert_eq!(handed.uri().to_string(), path);
        }
    }

    #[test]
    fn no_other_path_is_handed_on() {
        let refused = [
            "",
            "/",
            "v1/alerts",
            "/v1",
            "/v2/alerts",
            "/healthy",
            "/metrics",
            "//v1/alerts",
            "/v1/../ui/boot",
            "/v1/..",
            "/v1/%2e%2e/x",
            "/v1/%2E./x",
            "/v1/a%2fb",
            "/v1//alerts",
            "/v1/./alerts",
            "/v1/a\\b",
            "/v1/a b",
            "/v1/a#b",
            "/v1/a\r\nHost: x",
            "/v1/é",
            "http://127.0.0.1/v1/alerts",
            "http://evil.tld/v1/",
            "/v1/\0",
        ];
        for path in refused {
            assert_eq!(
                checked(request("GET", path)).unwrap_err(),
                Refusal::Path,
                "{path:?}"
            );
        }
        let long = format!("/v1/{}", "a".repeat(MAX_PATH_BYTES));
        assert_eq!(checked(request("GET", &long)).unwrap_err(), Refusal::Path);
    }

    #[test]
    fn no_other_method_is_handed_on() {
        for method in ["", "get", "CONNECT", "TRACE", "OPTIONS", "HEAD", "GET /v1"] {
            let refused = checked(request(method, "/v1/alerts")).unwrap_err();
            assert_eq!(refused, Refusal::Method, "{method:?}");
        }
    }

    #[test]
    fn headers_beside_the_three_are_refused_and_so_are_odd_values() {
        let with = |name: &str, value: &str| {
            let mut asked = request("POST", "/v1/alerts");
            asked.headers.insert(name.to_owned(), value.to_owned());
            checked(asked)
        };
        assert!(
            with("Content-Type", "application/json").is_ok(),
            "names have no case"
        );
        assert!(with("idempotency-key", "abc").is_ok());
        let huge = "a".repeat(MAX_HEADER_BYTES + 1);
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("host", "evil.tld"),
            ("origin", "null"),
            ("x y", "1"),
            ("accept", "a\r\nb: c"),
            ("accept", &huge),
        ] {
            assert_eq!(with(name, value).unwrap_err(), Refusal::Header, "{name}");
        }
    }

    #[test]
    fn a_body_over_the_limit_is_refused() {
        let mut asked = request("POST", "/v1/alerts");
        asked.body = Some("a".repeat(MAX_BODY_BYTES));
        assert!(checked(asked).is_ok(), "the limit itself is allowed");
        let mut asked = request("POST", "/v1/alerts");
        asked.body = Some("a".repeat(MAX_BODY_BYTES + 1));
        assert_eq!(checked(asked).unwrap_err(), Refusal::Body);
    }
}
