//! Changing many alerts at once, and taking a change back.

use calseta_domain::{AgentId, AlertId, ChangeId, Timestamp};
use serde::{Deserialize, Serialize};

/// `meta` of an answer to a change of one alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeMeta {
    /// Fields of the body that were not understood; absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_fields: Vec<String>,
    /// What `POST /v1/changes/{change_uuid}/undo` takes back; absent when nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_uuid: Option<ChangeId>,
    /// Until when it can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
}

/// Body of `POST /v1/alerts/bulk`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkRequest {
    /// Which alerts.
    pub select: BulkSelect,
    /// What is done to them.
    pub action: BulkAction,
    /// Only says what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// Which alerts: by id, or everything that a query finds. Exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkSelect {
    /// At most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 10_000))]
    pub uuids: Option<Vec<AlertId>>,
    /// A query of the filter grammar; at most 100,000 alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// With `q`: but not these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 10_000))]
    pub except: Vec<AlertId>,
}

/// What is done; each kind takes its own fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkAction {
    /// status, close, severity, tags, note, snooze, flags, dispatch, enrich, suppress or delete.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::BulkKind))]
    pub kind: String,
    /// `status`: the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::AlertStatus>))]
    pub status: Option<String>,
    /// `close`: as what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::CloseClassification>))]
    pub close_classification: Option<String>,
    /// `severity`: the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<calseta_domain::Severity>))]
    pub severity: Option<String>,
    /// `tags`: to put on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Tag>, max_items = 50))]
    pub add_tags: Vec<String>,
    /// `tags`: to take off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Tag>, max_items = 50))]
    pub remove_tags: Vec<String>,
    /// `note`: its text. `close`, `status`, `severity`: a comment, kept as a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 10_000, pattern = r"\S")
    )]
    pub text: Option<String>,
    /// `snooze`: until when; absent wakes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// `flags`: marks as not read, or as read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    /// `flags`: flags, or takes the flag away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged: Option<bool>,
    /// `dispatch`: whom to tell; absent tells every agent that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_uuid: Option<AgentId>,
    /// `suppress`: until when, at most 90 days away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What a bulk change did, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkView {
    /// What `POST /v1/changes/{change_uuid}/undo` takes back; absent when it cannot be.
    pub change_uuid: Option<ChangeId>,
    /// Alerts that changed.
    pub changed: u64,
    /// Alerts that were left alone; at most 1,000 are named.
    pub skipped: Vec<Skipped>,
    /// Alerts that were left alone, in all.
    pub skipped_count: u64,
    /// What else it leads to, a sentence each.
    pub consequences: Vec<String>,
    /// Until when it can be undone.
    pub undo_until: Option<Timestamp>,
}

/// An alert that was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Skipped {
    /// Which.
    pub uuid: AlertId,
    /// Why, in words.
    pub reason: String,
}

/// Answer of `POST /v1/changes/{change_uuid}/undo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UndoView {
    /// The change that was taken back.
    pub change_uuid: ChangeId,
    /// Alerts that are as they were.
    pub restored: u64,
    /// Alerts that have changed again since and were left alone; at most 1,000 are named.
    pub skipped: Vec<Skipped>,
}
