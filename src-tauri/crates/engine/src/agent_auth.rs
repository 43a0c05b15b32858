//! The header with which an agent knows us: in our form (the value of Authorization) or v1.1.0's
//! (name and value). Its value is sealed and never given back.

use calseta_contract::Patch;
use calseta_contract::agent::{AgentPatch, AgentRequest};
use calseta_domain::{FieldError, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::agent::AgentRow;
use calseta_store::tables::secret;

use crate::Problem;
use crate::agents::{AUTH_FIELD, secret_owner};
use crate::start::Inner;

/// The longest header value.
const HEADER_MAX: usize = 4096;
/// Headers that are ours or the connection's.
const RESERVED_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "cookie",
    "te",
    "upgrade",
    "trailer",
    "expect",
    "user-agent",
    "x-calseta-attempt",
];

fn header_name(errors: &mut Vec<FieldError>, name: &str) {
    let lower = name.to_ascii_lowercase();
    let reserved = RESERVED_HEADERS.contains(&&*lower)
        || lower.starts_with("webhook-")
        || lower.starts_with("proxy-");
    if http::HeaderName::try_from(name).is_err() || reserved {
        errors.push(FieldError::new(
            "auth_header_name",
            "is not a header that can be set",
        ));
    }
}

fn header_value(errors: &mut Vec<FieldError>, path: &str, value: &str) {
    if value.is_empty() || value.len() > HEADER_MAX || http::HeaderValue::from_str(value).is_err() {
        errors.push(FieldError::new(
            path,
            "must be one line of visible characters",
        ));
    }
}

/// Header name and value from either form; `None` when neither was given.
pub(crate) fn auth(
    errors: &mut Vec<FieldError>,
    request: &AgentRequest,
) -> Option<(String, String)> {
    let pair = match (
        &request.auth_header,
        &request.auth_header_name,
        &request.auth_header_value,
    ) {
        (Some(value), None, None) => Some(("Authorization".to_owned(), value.clone())),
        (None, Some(name), Some(value)) => {
            header_name(errors, name);
            Some((name.clone(), value.clone()))
        }
        (None, None, None) => None,
        _ => {
            let text = "give auth_header, or auth_header_name with auth_header_value";
            errors.push(FieldError::new("auth_header", text));
            None
        }
    };
    if let Some((_, value)) = &pair {
        header_value(errors, "auth_header", value);
    }
    pair
}

/// What a PATCH does to the header: in our form, or v1.1.0's name and value.
pub(crate) fn patched(patch: &AgentPatch) -> Result<AuthPatch, Problem> {
    let mut errors = Vec::new();
    let pair = (&patch.auth_header_name, &patch.auth_header_value);
    let (name, value) = match (&patch.auth_header, pair) {
        (Patch::Keep, (Patch::Keep, value)) => (None, value.clone()),
        (Patch::Keep, (Patch::Clear, _) | (_, Patch::Clear)) | (Patch::Clear, _) => {
            (None, Patch::Clear)
        }
        (Patch::Keep, (Patch::Set(name), Patch::Set(value))) => {
            header_name(&mut errors, name);
            (Some(name.clone()), Patch::Set(value.clone()))
        }
        (Patch::Keep, (Patch::Set(_), Patch::Keep)) => {
            let text = "send auth_header_value with it";
            errors.push(FieldError::new("auth_header_name", text));
            (None, Patch::Keep)
        }
        (Patch::Set(value), _) => (None, Patch::Set(value.clone())),
    };
    if let Patch::Set(value) = &value {
        header_value(&mut errors, "auth_header", value);
    }
    if errors.is_empty() {
        Ok(AuthPatch { name, value })
    } else {
        Err(Problem::fields(&errors))
    }
}

/// A checked change of the header.
pub(crate) struct AuthPatch {
    /// The new name; the stored one stays without it, or Authorization.
    name: Option<String>,
    /// The value.
    pub(crate) value: Patch<String>,
}

/// Stores a change of the header and writes its name into the row.
pub(crate) fn store(
    tx: &WriteTx<'_>,
    inner: &Inner,
    row: &mut AgentRow,
    auth: &AuthPatch,
    now: Timestamp,
) -> Result<(), Problem> {
    let owner = secret_owner(row.uuid);
    match &auth.value {
        Patch::Keep => {}
        Patch::Clear => {
            secret::remove(tx, &owner, Some(AUTH_FIELD))?;
            row.auth_header_name = None;
        }
        Patch::Set(value) => {
            let sealed = inner.vault.seal(&owner, AUTH_FIELD, value)?;
            secret::put(tx, (&owner, AUTH_FIELD), &sealed, now)?;
            let stored = row.auth_header_name.take();
            let named = auth.name.clone().or(stored);
            row.auth_header_name = Some(named.unwrap_or_else(|| "Authorization".to_owned()));
        }
    }
    Ok(())
}
