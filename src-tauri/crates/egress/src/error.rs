//! What can go wrong with a send, in words for the person who configured the URL.
//!
//! Errors name the origin and never the path, query or headers: those carry keys.

use std::error::Error;
use std::io;

use crate::pool::CONNECT_TIMEOUT;
use crate::refusal::Refusal;
use crate::resolve::LookupFailed;
use crate::target::{Audience, Target, origin_text};

/// A request that got no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The policy refused it; nothing was sent.
    #[error(transparent)]
    Blocked(#[from] Refusal),
    /// The answer was not complete when the deadline passed. The peer may have acted on the request.
    #[error("no complete answer before the deadline")]
    Timeout,
    /// No connection: nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// A connection, but no trust: nothing was sent.
    #[error("{0}")]
    Tls(String),
    /// The answer was longer than allowed and the caller wanted it whole.
    #[error("the answer is larger than the limit")]
    TooLarge,
    /// The exchange broke off. The peer may have acted on the request.
    #[error("{0}")]
    Transport(String),
}

impl SendError {
    /// Stable word for logs and a delivery's attempt; a refusal answers with its own.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Blocked(refusal) => refusal.code(),
            Self::Timeout => "timeout",
            Self::Connect(_) => "connect",
            Self::Tls(_) => "tls",
            Self::TooLarge => "too_large",
            Self::Transport(_) => "transport",
        }
    }
}

/// A client that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The user agent cannot be a header value.
    #[error("the user agent {0:?} is not a valid header value")]
    UserAgent(String),
    /// The bearer token cannot be a header value.
    #[error("the access key contains characters that cannot be sent; copy it again")]
    Bearer,
    /// The base URL of a [`crate::LocalClient`] is not plain http on this machine.
    #[error("{0:?} is not an address of the running application; expected http://127.0.0.1:PORT")]
    NotLocal(String),
    /// The platform's certificates cannot be read.
    #[error("the system's root certificates cannot be used: {0}")]
    Roots(#[source] rustls::Error),
    /// The HTTP library refused its settings.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(String),
}

/// The send error behind what the HTTP library reports about a request to `target`.
pub(crate) fn explain(error: &reqwest::Error, target: &Target) -> SendError {
    let origin = origin_text(target.scheme(), target.host(), target.port());
    if let Some(refusal) = find::<Refusal>(error) {
        return SendError::Blocked(refusal.clone());
    }
    if let Some(failed) = find::<LookupFailed>(error) {
        return SendError::Connect(format!("{failed}: {}", failed.cause));
    }
    if let Some(untrusted) = find::<rustls::Error>(error) {
        return SendError::Tls(tls_words(untrusted, &origin));
    }
    let io = find::<io::Error>(error);
    if error.is_connect() {
        return SendError::Connect(connect_words(error, io, target));
    }
    if error.is_timeout() {
        return SendError::Timeout;
    }
    match io.map(io::Error::kind) {
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof,
        ) => SendError::Transport(format!(
            "{origin} closed the connection before its answer was complete"
        )),
        _ => SendError::Transport(format!(
            "the exchange with {origin} broke off: {}",
            innermost(error)
        )),
    }
}

fn connect_words(error: &reqwest::Error, io: Option<&io::Error>, target: &Target) -> String {
    let place = origin_text(target.scheme(), target.host(), target.port());
    let place = place
        .split_once("//")
        .map_or(place.as_str(), |(_, rest)| rest);
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            let peer = match target.audience() {
                Audience::Agent => "agent",
                Audience::Provider => "provider",
                Audience::Workflow => "service",
            };
            format!("connection refused on {place} — is the {peer} running?")
        }
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            format!("no route to {place} — check the network connection")
        }
        _ if error.is_timeout() => format!(
            "no connection to {place} within {} seconds — check the address and the firewall",
            CONNECT_TIMEOUT.as_secs()
        ),
        _ => format!("no connection to {place}: {}", innermost(error)),
    }
}

fn tls_words(error: &rustls::Error, origin: &str) -> String {
    match error {
        rustls::Error::InvalidMessage(_) => {
            format!("{origin} does not speak TLS — should the URL start with http://?")
        }
        rustls::Error::InvalidCertificate(reason) => {
            format!("the certificate of {origin} is not trusted: {reason}")
        }
        other => format!("no secure connection to {origin}: {other}"),
    }
}

/// The first error of type `E` in the chain. Wrapped I/O errors hide what they wrap from `source`, so those are
/// opened.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = match error.source() {
        Some(source) => source,
        None => return "unknown failure".to_owned(),
    };
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
