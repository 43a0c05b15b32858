//! `Idempotency-Key`: the same key and body get the first answer again, another body is refused.

use calseta_domain::{ErrorCode, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::idempotency::{self, FirstAnswer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{Principal, Problem};

/// How long a first answer is kept.
pub(crate) const KEPT_MS: i64 = 7 * 24 * 3600 * 1000;
/// The longest key.
pub(crate) const MAX_KEY_CHARS: usize = 255;

/// A request that may be repeated safely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    key: String,
    request_sha256: [u8; 32],
}

impl RequestKey {
    /// From the header's value and what the request is: route and body.
    pub fn new(key: &str, route: &str, body: &[u8]) -> Result<Self, Problem> {
        if key.is_empty() || key.chars().count() > MAX_KEY_CHARS {
            return Err(Problem::field(
                "Idempotency-Key",
                "must have 1 to 255 characters",
            ));
        }
        let mut hash = Sha256::new();
        hash.update(route.as_bytes());
        hash.update([0]);
        hash.update(body);
        Ok(Self {
            key: key.to_owned(),
            request_sha256: hash.finalize().into(),
        })
    }
}

/// What was done, or what was answered the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Once<T> {
    /// Done now.
    Fresh(T),
    /// Done before; this is the first answer.
    Replayed(T),
}

/// Looks a request up before its effect. `Some` is the first answer.
pub(crate) fn replay<T: DeserializeOwned>(
    tx: &WriteTx<'_>,
    principal: &Principal,
    key: Option<&RequestKey>,
    now: Timestamp,
) -> Result<Option<T>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let oldest = now.plus_millis(-KEPT_MS);
    let Some(first) = idempotency::get(tx, principal.key_row(), &key.key, oldest)? else {
        return Ok(None);
    };
    if first.request_sha256 != key.request_sha256 {
        return Err(Problem::new(
            ErrorCode::IdempotencyConflict,
            "this Idempotency-Key was used for another request; use a new key for a new request",
        ));
    }
    serde_json::from_str(&first.response)
        .map(Some)
        .map_err(|_| {
            Problem::new(
                ErrorCode::Internal,
                "the stored first answer cannot be read",
            )
        })
}

/// Stores the first answer, in the transaction of its effect.
pub(crate) fn remember<T: Serialize>(
    tx: &WriteTx<'_>,
    principal: &Principal,
    key: Option<&RequestKey>,
    (status, answer): (u16, &T),
    now: Timestamp,
) -> Result<(), Problem> {
    let Some(key) = key else { return Ok(()) };
    let response = serde_json::to_string(answer)
        .map_err(|_| Problem::new(ErrorCode::Internal, "the answer cannot be stored"))?;
    let first = FirstAnswer {
        request_sha256: key.request_sha256,
        status,
        response,
    };
    idempotency::put(tx, (principal.key_row(), &key.key), &first, now)?;
    Ok(())
}
