//! What the window asks once at its start.

use calseta_contract::health::{BootView, FirstKeyView};
use calseta_contract::job::JobView;
use calseta_domain::JobId;
use serde_json::{Value, json};

use super::Failure;
use super::request::{get, send};

/// Where the backend listens, and what a person should know.
pub(crate) async fn boot() -> Result<BootView, Failure> {
    Ok(get::<BootView, Value>("/ui/boot").await?.data)
}

/// Whether nothing may leave this machine but to itself.
pub(crate) async fn is_air_gapped() -> Result<bool, Failure> {
    let settings = get::<Value, Value>("/v1/settings").await?.data;
    let on = settings
        .pointer("/network/air_gapped")
        .and_then(Value::as_bool);
    Ok(on.unwrap_or(false))
}

/// The first admin key. The backend gives it once and answers 404 afterwards.
pub(crate) async fn take_first_key() -> Result<FirstKeyView, Failure> {
    send("POST", "/ui/first-key", &json!({})).await
}

/// Work that ended the program or hung again and again, and is not tried by itself.
pub(crate) async fn quarantined_jobs() -> Result<Vec<JobView>, Failure> {
    Ok(get::<Vec<JobView>, Value>("/v1/jobs").await?.data)
}

/// Tries such work once more.
pub(crate) async fn release_job(id: JobId) -> Result<JobView, Failure> {
    send("POST", &format!("/v1/jobs/{id}/release"), &json!({})).await
}
