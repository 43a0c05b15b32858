//! What an analyst does to an alert besides changing it: notes, snoozing, marks, checklists; and the
//! exact payload that an agent would be sent.

use calseta_domain::{AlertId, DocumentId, NoteId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Body of `POST /v1/alerts/{uuid}/notes`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoteRequest {
    /// 1..=10,000 characters of plain text.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 10_000, pattern = r"\S")
    )]
    pub text: String,
}

/// A note on an alert. Notes are never changed; undoing takes one away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoteView {
    /// The note.
    pub uuid: NoteId,
    /// Plain text.
    pub text: String,
    /// The analyst's, key's or agent's name.
    pub author: String,
    /// analyst, agent, `human_key`, mcp or system.
    pub author_kind: String,
    /// When.
    pub created_at: Timestamp,
}

/// Body of `PUT /v1/alerts/{uuid}/snooze`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnoozeRequest {
    /// In the future, at most 90 days away.
    pub until: Timestamp,
}

/// Body of `PUT /v1/alerts/{uuid}/flags`: absent keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagsRequest {
    /// `false` also says that the analyst has just opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    /// Marks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged: Option<bool>,
}

/// Body of `PUT /v1/alerts/{uuid}/checklist/{document_uuid}/{n}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChecklistRequest {
    /// Whether the item is done.
    pub done: bool,
}

/// One item of a document's checklist, as it stands for one alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChecklistMark {
    /// The document.
    pub document_uuid: DocumentId,
    /// The item's place among the document's task list items, from 0.
    pub item: u64,
    /// Whether it is done.
    pub done: bool,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// `GET /v1/alerts/{uuid}/agent-payload`.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentPayloadView {
    /// The alert.
    pub alert_uuid: AlertId,
    /// What would be sent now, byte for byte but for the delivery's own id.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub body: Box<RawValue>,
    /// Bytes of the body.
    pub body_bytes: u64,
    /// Tokens of the whole body: an estimate, models differ.
    pub tokens: u64,
    /// The same for each top-level key, the largest first.
    pub tokens_by_section: Vec<SectionTokens>,
}

/// How much one part of a payload weighs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SectionTokens {
    /// The top-level key.
    pub section: String,
    /// An estimate.
    pub tokens: u64,
}
