//! Searching the queue: facets, groups, completion, saved views.

use calseta_domain::{Malice, Severity, Timestamp, ViewId};
use serde::{Deserialize, Serialize};

use crate::Patch;

/// `GET /v1/alerts/facets`: how the matching alerts divide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetsView {
    /// Matching alerts, up to the cap.
    pub total: u64,
    /// Whether there are more.
    pub total_is_capped: bool,
    /// In the order in which they are shown.
    pub facets: Vec<Facet>,
}

/// One field and its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facet {
    /// The field's name in a query: `status`, `sev`, `source`, `rule`, `verdict`, `says`, `tag`.
    pub field: String,
    /// Closed sets with their zero counts; open ones the most frequent 20.
    pub values: Vec<FacetValue>,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    /// As a query writes it.
    pub value: String,
    /// As a person reads it.
    pub label: String,
    /// Matching alerts that have it.
    pub count: u64,
}

/// `GET /v1/alerts/groups`: the matching alerts, taken together by what they share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupsView {
    /// Matching alerts, up to the cap of 10,000; the groups are those of the newest so many.
    pub total: u64,
    /// Whether there are more.
    pub total_is_capped: bool,
    /// The largest first, at most 200.
    pub groups: Vec<AlertGroup>,
}

/// Alerts that share a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertGroup {
    /// What tells it from the others; empty for the alerts that have no such value.
    pub key: String,
    /// As a person reads it; hostile text is the normal case.
    pub label: String,
    /// A query that finds exactly its members: the given one and the group's own term.
    pub q: String,
    /// Its members, among those that were grouped.
    pub count: u64,
    /// The highest severity of a member.
    pub worst_severity: Severity,
    /// The worst effective verdict of a member.
    pub worst_malice: Malice,
    /// When its oldest member came in.
    pub oldest_at: Timestamp,
    /// When its newest member came in.
    pub newest_at: Timestamp,
    /// What the last closed alerts of the rule were; only in groups by rule.
    pub last_closed: Option<LastClosed>,
}

/// What became of the last alerts of a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastClosed {
    /// Its closed alerts that were looked at, at most 20.
    #[cfg_attr(feature = "openapi", schema(maximum = 20))]
    pub of: u64,
    /// Of these, closed as one of the false positives.
    #[cfg_attr(feature = "openapi", schema(maximum = 20))]
    pub false_positives: u64,
}

/// `GET /v1/alerts/complete`: what may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompletionView {
    /// Where the text that a candidate replaces begins, in characters.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Best first, at most 20.
    pub candidates: Vec<Candidate>,
}

/// One completion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Candidate {
    /// What to put there.
    pub text: String,
    /// What it means.
    pub label: String,
    /// Alerts that have it; `null` when it is not a value.
    pub count: Option<u64>,
}

/// A saved view of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedView {
    /// The view.
    pub uuid: ViewId,
    /// Its name.
    pub name: String,
    /// Its query.
    pub q: String,
    /// Columns shown, in order; empty for the default.
    pub columns: Vec<String>,
    /// compact, cosy or comfortable.
    pub density: String,
    /// Whether the queue opens with it.
    pub is_default: bool,
    /// Whether it came with the product.
    pub is_builtin: bool,
    /// Whether new matches are announced.
    pub notify: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Body of `POST /v1/views`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedViewRequest {
    /// 1..=100 characters, unique.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 100, pattern = r"\S")
    )]
    pub name: String,
    /// A query that parses.
    pub q: String,
    /// Columns shown, in order; empty for the default.
    #[serde(default)]
    pub columns: Vec<String>,
    /// compact (the default), cosy or comfortable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Density>))]
    pub density: Option<String>,
    /// Whether the queue opens with it; the earlier default stops being it.
    #[serde(default)]
    pub is_default: bool,
    /// Whether new matches are announced.
    #[serde(default)]
    pub notify: bool,
}

/// Body of `PATCH /v1/views/{uuid}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedViewPatch {
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 100, pattern = r"\S"))]
    pub name: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub q: Patch<String>,
    /// `null` goes back to the default.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub columns: Patch<Vec<String>>,
    /// `null` goes back to compact.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Density>))]
    pub density: Patch<String>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub is_default: Patch<bool>,
    /// `null` is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[cfg_attr(feature = "openapi", schema(value_type = bool))]
    pub notify: Patch<bool>,
}

/// One count of `GET /v1/views/counts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ViewCount {
    /// The view.
    pub uuid: ViewId,
    /// Its name.
    pub name: String,
    /// Matching alerts, up to the cap.
    pub count: u64,
    /// Whether there are more.
    pub is_capped: bool,
}
