//! Changes of one alert and of many, and taking them back.

use calseta_contract::alert::{AlertMeta, AlertPatch};
use calseta_contract::change::{BulkRequest, BulkView, UndoView};
use calseta_domain::{AlertId, ChangeId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Failure;
use super::request::{call_for, send};

/// What a change of one alert can be taken back by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Changed {
    /// What to take back; absent when nothing changed.
    #[serde(default)]
    pub(crate) change_uuid: Option<ChangeId>,
    /// Until when.
    #[serde(default)]
    pub(crate) undo_until: Option<Timestamp>,
}

impl From<AlertMeta> for Changed {
    fn from(meta: AlertMeta) -> Self {
        Self {
            change_uuid: meta.change_uuid,
            undo_until: meta.undo_until,
        }
    }
}

/// Changes an alert.
pub(crate) async fn patch_alert(id: AlertId, patch: &AlertPatch) -> Result<Changed, Failure> {
    change("PATCH", &format!("/v1/alerts/{id}"), patch).await
}

/// Opens a closed alert again.
pub(crate) async fn reopen_alert(id: AlertId) -> Result<Changed, Failure> {
    change("POST", &format!("/v1/alerts/{id}/reopen"), &json!({})).await
}

/// Changes many alerts in one step, or with `dry_run` says what that would lead to.
pub(crate) async fn bulk(request: &BulkRequest) -> Result<BulkView, Failure> {
    send("POST", "/v1/alerts/bulk", request).await
}

/// Takes a change back; alerts that have changed again since are left alone and named.
pub(crate) async fn undo(change: ChangeId) -> Result<UndoView, Failure> {
    send("POST", &format!("/v1/changes/{change}/undo"), &json!({})).await
}

/// A request whose answer's `meta` says how to take it back.
pub(super) async fn change<B: Serialize>(
    method: &str,
    path: &str,
    body: &B,
) -> Result<Changed, Failure> {
    let body = serde_json::to_string(body)
        .map_err(|e| Failure::unreadable(&format!("{method} {path}"), 0, &e.to_string()))?;
    let answer = call_for::<Value, Changed>(method, path, Some(&body)).await?;
    Ok(answer.meta)
}

/// The same for a `DELETE`.
pub(super) async fn erase(path: &str) -> Result<Changed, Failure> {
    Ok(call_for::<Value, Changed>("DELETE", path, None).await?.meta)
}
