//! Context documents: runbooks and the like, targeted at alerts.

use calseta_domain::{DocumentId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Patch;

/// A document as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentView {
    /// The document.
    pub uuid: DocumentId,
    /// Its title.
    pub title: String,
    /// runbook, `ir_plan`, sop, playbook, `detection_guide` or other.
    pub document_type: String,
    /// One line about it.
    pub description: Option<String>,
    /// Whether it applies to every alert.
    pub is_global: bool,
    /// Free tags.
    pub tags: Vec<String>,
    /// `{match_any, match_all}`; neither global nor rules means that it applies to nothing.
    pub targeting_rules: Option<Value>,
    /// Markdown.
    pub content: String,
    /// From 1; grows when the content changes.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `POST /v1/context-documents`.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentRequest {
    /// 1..=500 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 500, pattern = r"\S")
    )]
    pub title: String,
    /// One of the document types.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::DocumentType))]
    pub document_type: String,
    /// Markdown, not empty.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, pattern = r"\S"))]
    pub content: String,
    /// One line about it.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it applies to every alert.
    #[serde(default)]
    pub is_global: bool,
    /// Free tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// `{match_any, match_all}`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub targeting_rules: Option<Value>,
}

/// Body of `PATCH /v1/context-documents/{uuid}`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentPatch {
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 500, pattern = r"\S"))]
    pub title: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::DocumentType))]
    pub document_type: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, pattern = r"\S"))]
    pub content: Patch<String>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub description: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_global: Patch<bool>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub tags: Patch<Vec<String>>,
    /// `null` clears.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub targeting_rules: Patch<Value>,
}

/// One row of `GET /v1/context-documents`: without the content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentSummary {
    /// The document.
    pub uuid: DocumentId,
    /// Its title.
    pub title: String,
    /// runbook, `ir_plan`, sop, playbook, `detection_guide` or other.
    pub document_type: String,
    /// One line about it.
    pub description: Option<String>,
    /// Whether it applies to every alert.
    pub is_global: bool,
    /// Free tags.
    pub tags: Vec<String>,
    /// `{match_any, match_all}`; neither global nor rules means that it applies to nothing.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub targeting_rules: Option<Value>,
    /// From 1; grows when the content changes.
    pub version: u64,
    /// How long the content is, in bytes.
    pub content_bytes: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// A version of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentVersionView {
    /// From 1.
    pub version: u64,
    /// The title it had.
    pub title: String,
    /// Who wrote it.
    pub saved_by: String,
    /// When it was written.
    pub saved_at: Timestamp,
    /// Whether it is the one in use.
    pub is_current: bool,
    /// How long the content is, in bytes.
    pub content_bytes: u64,
    /// Markdown; only when one version is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}
