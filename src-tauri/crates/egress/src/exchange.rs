//! One request and its answer on a client that was already chosen. No deadline here: the caller puts one around all
//! of it, so that a peer dripping bytes is cut off like one that never answers.

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, Method};

use crate::client::Overflow;
use crate::error::{SendError, explain};
use crate::refusal::Refusal;
use crate::target::Target;

/// Headers that frame the message or steer its way. A caller's value could smuggle a second request or name another
/// virtual host than the one judged.
const CONNECTION_HEADERS: [HeaderName; 7] = [
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Refuses headers that are not the caller's to set.
pub(crate) fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    let reserved = headers.keys().find(|name| {
        CONNECTION_HEADERS.contains(name)
            || *name == "keep-alive"
            || name.as_str().starts_with("proxy-")
    });
    match reserved {
        Some(name) => Err(Refusal::ReservedHeader {
            name: name.to_string(),
        }),
        None => Ok(()),
    }
}

/// Sends and waits for the answer's head.
pub(crate) async fn start(
    client: &reqwest::Client,
    target: &Target,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<reqwest::Response, SendError> {
    let mut request = reqwest::Request::new(method, target.url().clone());
    *request.headers_mut() = headers;
    if !body.is_empty() {
        *request.body_mut() = Some(body.into());
    }
    client
        .execute(request)
        .await
        .map_err(|error| explain(&error, target))
}

/// Reads at most `limit` bytes of the answer's body. Dropping a response that is not read to its end closes its
/// connection, so what is over the limit is never received.
pub(crate) async fn read(
    mut response: reqwest::Response,
    target: &Target,
    limit: usize,
    overflow: Overflow,
) -> Result<(Bytes, bool), SendError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| explain(&error, target))?
    {
        let room = limit - body.len();
        if chunk.len() > room {
            return match overflow {
                Overflow::Fail => Err(SendError::TooLarge),
                Overflow::Truncate => {
                    body.extend_from_slice(&chunk[..room]);
                    Ok((body.freeze(), true))
                }
            };
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), false))
}
