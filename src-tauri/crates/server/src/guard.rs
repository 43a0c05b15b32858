//! The guard before everything else: panics, request ids, Host and Origin.
//!
//! A page in the analyst's browser can reach 127.0.0.1. DNS rebinding gives it our address under
//! its own name, so the Host must be exactly one of ours; cross-site requests carry an Origin, so
//! any foreign one is refused. Both before authentication and before the body is read.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use calseta_domain::ErrorCode;
use calseta_engine::{Ids, Problem};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use uuid::Uuid;

use crate::answer::{Failure, harden};
use crate::caller::Peer;
use crate::limits::StandingSlot;

/// The longest request id that is echoed.
const REQUEST_ID_MAX: usize = 128;

/// The names we answer to.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    hosts: Arc<Vec<String>>,
    /// Names that a human has added in the settings. Programs may call us by them; no page is ever
    /// served under one, so no origin of theirs is admitted.
    extra: Arc<RwLock<Vec<String>>>,
    admits_own_origin: bool,
}

impl Names {
    /// The loopback names at one port; browsers of the UI we serve are admitted only when we do.
    pub(crate) fn loopback(port: u16, admits_own_origin: bool) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
        Self {
            hosts: Arc::new(hosts.to_vec()),
            extra: Arc::default(),
            admits_own_origin,
        }
    }

    /// Replaces the names that a human has added, such as `host.docker.internal`.
    pub(crate) fn set_extra<'a>(&self, port: u16, names: impl Iterator<Item = &'a str>) {
        let names = names.map(|name| format!("{}:{port}", name.to_ascii_lowercase()));
        *self.extra.write().unwrap_or_else(PoisonError::into_inner) = names.collect();
    }

    fn is_ours(&self, name: &str) -> bool {
        let extra = self.extra.read().unwrap_or_else(PoisonError::into_inner);
        self.hosts.iter().chain(&*extra).any(|own| own == name)
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = self.host(uri, headers)?;
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return Ok(());
        };
        let own = format!("http://{host}");
        let is_loopback = self.hosts.contains(&host);
        let same = is_loopback && origin.as_bytes() == own.as_bytes() && origins.next().is_none();
        if self.admits_own_origin && same {
            return Ok(());
        }
        Err(Problem::new(
            ErrorCode::OriginRefused,
            "requests from web pages are refused; call the API from a program, without an Origin header",
        ))
    }

    fn host(&self, uri: &Uri, headers: &HeaderMap) -> Result<String, Problem> {
        let malformed = || {
            Problem::new(
                ErrorCode::InvalidHost,
                "send exactly one Host header, naming this address",
            )
        };
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts
            .next()
            .and_then(|host| host.to_str().ok())
            .ok_or_else(malformed)?;
        if hosts.next().is_some() || host.parse::<http::uri::Authority>().is_err() {
            return Err(malformed());
        }
        // An absolute request target names its own host; both must be ours.
        let target = uri.authority().map(http::uri::Authority::as_str);
        if self.is_ours(host) && target.is_none_or(|name| self.is_ours(name)) {
            return Ok(host.to_owned());
        }
        Err(Problem::new(
            ErrorCode::Forbidden,
            format!("this Host is not served here; use http://{}", self.hosts[0]),
        ))
    }
}

/// See the module's text.
pub(crate) async fn guard(State(names): State<Names>, request: Request, next: Next) -> Response {
    if let Err(problem) = names.check(request.uri(), request.headers()) {
        tracing::warn!(code = %problem.code, "a request was refused by the guard");
        return Failure(problem).into_response();
    }
    next.run(request).await
}

/// The outermost layer: a panic is a 500; every answer has a request id, the headers of an API and
/// where its key stands; every request is one line of the log, without its query, body or secrets.
pub(crate) async fn outermost(mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let slot = StandingSlot::default();
    request.extensions_mut().insert(slot.clone());
    let seen = Seen {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        client: request.extensions().get::<Peer>().copied(),
        started: tokio::time::Instant::now(),
    };
    let mut response =
        if let Ok(response) = AssertUnwindSafe(next.run(request)).catch_unwind().await {
            response
        } else {
            tracing::error!(request.id = ?id, "a request panicked");
            Failure(Problem::new(
                ErrorCode::Internal,
                "an internal error; the log has the details",
            ))
            .into_response()
        };
    let headers = response.headers_mut();
    harden(headers);
    slot.write(headers);
    headers.insert(HeaderName::from_static("x-request-id"), id.clone());
    seen.log(&id, response.status());
    response
}

/// What the log says of a request.
struct Seen {
    method: Method,
    path: String,
    client: Option<Peer>,
    started: tokio::time::Instant,
}

impl Seen {
    /// The window asks often and in process: its requests are for who looks closely.
    fn log(self, id: &HeaderValue, status: StatusCode) {
        macro_rules! line {
            ($level:ident, $client:expr) => {
                tracing::$level!(
                    request.id = ?id, http.method = %self.method, http.path = ?self.path,
                    http.status = status.as_u16(), client = %$client,
                    duration_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
                    "request"
                )
            };
        }
        match self.client {
            None => line!(debug, "window"),
            Some(peer) if status.is_server_error() => line!(warn, peer.0.ip()),
            Some(peer) => line!(info, peer.0.ip()),
        }
    }
}

/// The client's id when it is short visible ASCII, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get("x-request-id").filter(|value| {
        let bytes = value.as_bytes();
        !bytes.is_empty() && bytes.len() <= REQUEST_ID_MAX && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        let id: Uuid = Ids.next();
        HeaderValue::from_str(&id.to_string()).expect("a uuid is a header value")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(host: &[&str], origin: Option<&str>, serves_ui: bool) -> Option<ErrorCode> {
        let mut headers = HeaderMap::new();
        for value in host {
            headers.append(header::HOST, HeaderValue::from_str(value).unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        let names = Names::loopback(8000, serves_ui);
        names
            .check(&Uri::from_static("/v1/alerts"), &headers)
            .err()
            .map(|problem| problem.code)
    }

    #[test]
    fn only_the_loopback_names_at_our_port_are_ours() {
        for host in ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"] {
            assert_eq!(judged(&[host], None, false), None, "{host}");
        }
        let foreign = [
            "evil.test:8000",
            "evil.test",
            "0.0.0.0:8000",
            "localhost.:8000",
            "LOCALHOST:8000",
            "127.0.0.1.evil.test:8000",
            "2130706433:8000",
            "0x7f.1:8000",
            "0177.0.0.1:8000",
            "127.0.0.1:8001",
            "127.0.0.1",
            "localhost",
            "[::]:8000",
            "[::ffff:127.0.0.1]:8000",
            "127.0.0.2:8000",
            "a@127.0.0.1:8000",
        ];
        for host in foreign {
            assert_eq!(
                judged(&[host], None, true),
                Some(ErrorCode::Forbidden),
                "{host}"
            );
        }
    }

    #[test]
    fn a_missing_doubled_or_broken_host_is_malformed() {
        for host in [
            &[][..],
            &["127.0.0.1:8000", "127.0.0.1:8000"],
            &["bad host"],
            &[""],
        ] {
            assert_eq!(
                judged(host, None, false),
                Some(ErrorCode::InvalidHost),
                "{host:?}"
            );
        }
    }

    #[test]
    fn an_origin_is_admitted_only_as_our_own_and_only_when_we_serve_the_ui() {
        let host = &["127.0.0.1:8000"][..];
        let own = Some("http://127.0.0.1:8000");
        assert_eq!(judged(host, own, true), None);
        assert_eq!(judged(host, own, false), Some(ErrorCode::OriginRefused));
        for origin in [
            "null",
            "http://evil.test",
            "https://127.0.0.1:8000",
            "http://localhost:8000",
            "http://127.0.0.1:8000/",
        ] {
            assert_eq!(
                judged(host, Some(origin), true),
                Some(ErrorCode::OriginRefused),
                "{origin}"
            );
        }
    }

    #[test]
    fn an_absolute_target_must_be_ours_too() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8000"));
        let names = Names::loopback(8000, false);
        let check = |uri| names.check(&Uri::from_static(uri), &headers).is_ok();
        assert!(check("http://127.0.0.1:8000/v1/alerts"));
        assert!(!check("http://evil.test/v1/alerts"));
    }
}
