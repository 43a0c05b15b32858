//! From a transport's answer to a typed one.

use calseta_contract::Envelope;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Failure;
use super::transport::{self, Answer};

/// `GET`, the whole envelope.
pub(super) async fn get<T, M>(path: &str) -> Result<Envelope<T, M>, Failure>
where
    T: DeserializeOwned,
    M: DeserializeOwned,
{
    call_for("GET", path, None).await
}

/// A request with a body; the answer's `data`.
pub(super) async fn send<B, T>(method: &str, path: &str, body: &B) -> Result<T, Failure>
where
    B: Serialize,
    T: DeserializeOwned,
{
    let body = serde_json::to_string(body).map_err(|e| unreadable(method, path, 0, &e))?;
    Ok(call_for::<T, Value>(method, path, Some(&body)).await?.data)
}

/// A request whose answer is of no interest, or empty.
pub(super) async fn tell(method: &str, path: &str, body: Option<&str>) -> Result<(), Failure> {
    successful(method, path, body).await.map(drop)
}

/// A request; the whole envelope. An answer without a body is read as `null` with nothing to say.
pub(super) async fn call_for<T, M>(
    method: &str,
    path: &str,
    body: Option<&str>,
) -> Result<Envelope<T, M>, Failure>
where
    T: DeserializeOwned,
    M: DeserializeOwned,
{
    let answer = successful(method, path, body).await?;
    let body = if answer.body.is_empty() {
        r#"{"data":null,"meta":{}}"#
    } else {
        &answer.body
    };
    serde_json::from_str(body).map_err(|e| unreadable(method, path, answer.status, &e))
}

/// An answer that says that it was done.
async fn successful(method: &str, path: &str, body: Option<&str>) -> Result<Answer, Failure> {
    let answer = transport::send(method, path, body).await?;
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let request = format!("{method} {path}");
    Err(Failure::from_answer(&request, answer.status, &answer.body))
}

fn unreadable(method: &str, path: &str, status: u16, why: &serde_json::Error) -> Failure {
    Failure::unreadable(&format!("{method} {path}"), status, &why.to_string())
}

/// A value of a query string, percent-encoded: unreserved characters stay.
pub(crate) fn encoded(value: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_named_like_a_query_stays_one_value() {
        assert_eq!(encoded("a&b=c, ü"), "a%26b%3Dc%2C%20%C3%BC");
    }
}
