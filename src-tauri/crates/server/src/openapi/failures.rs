//! Which errors an operation may answer with: most follow from what it is.

use std::collections::{BTreeMap, BTreeSet};

use calseta_domain::ErrorCode;
use http::Method;

use crate::operation::{Facts, Needs, Operation};

/// Codes by status, both in order.
pub(crate) type Failures = BTreeMap<u16, BTreeSet<&'static str>>;

/// Every status with its codes.
pub(crate) fn failures(operation: &Operation, facts: &Facts) -> Failures {
    let mut codes = vec![
        ErrorCode::InvalidHost,
        ErrorCode::Forbidden,
        ErrorCode::OriginRefused,
        ErrorCode::Internal,
    ];
    if operation.touches_store() {
        codes.push(ErrorCode::Busy);
        if operation.method != Method::GET {
            codes.push(ErrorCode::StorageFull);
        }
    }
    if facts.needs != Needs::Nothing {
        codes.extend([
            ErrorCode::Unauthorized,
            ErrorCode::KeyExpired,
            ErrorCode::RateLimited,
        ]);
    }
    if facts.human_only {
        codes.push(ErrorCode::HumanKeyRequired);
    }
    if operation.path_names().next().is_some() {
        codes.push(ErrorCode::NotFound);
    }
    if operation
        .path_names()
        .any(|name| name != "source" && name != "page")
        || !facts.query.is_empty()
    {
        codes.push(ErrorCode::ValidationError);
    }
    if facts.body.is_some() {
        codes.extend([
            ErrorCode::InvalidJson,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
            ErrorCode::ValidationError,
            ErrorCode::InvalidPayload,
            ErrorCode::PayloadTooDeep,
        ]);
    }
    codes.extend_from_slice(operation.fails);
    let mut all = Failures::new();
    for code in codes {
        all.entry(code.status()).or_default().insert(code.as_str());
    }
    all
}
