//! `{data, meta}` and `{error: {code, message, details}}`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use calseta_domain::FieldError;

/// A single object, or a list that is not paged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope<T, M = Map<String, Value>> {
    /// The object.
    pub data: T,
    /// What is said about it; an empty object when there is nothing to say.
    pub meta: M,
}

impl<T> Envelope<T> {
    /// An object with nothing said about it.
    pub fn new(data: T) -> Self {
        Self {
            data,
            meta: Map::new(),
        }
    }
}

/// A page of a list.
pub type Page<T> = Envelope<Vec<T>, ListMeta>;

/// Where a page stands in its list. `total`, `page` and `total_pages` are absent with
/// `count=none`; `page` is absent when the page was asked for by cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListMeta {
    /// How many there are in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// 1-based page number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// Rows a page, 1..=500.
    pub page_size: u64,
    /// `ceil(total / page_size)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_pages: Option<u64>,
    /// Opaque; pass it as `cursor` for the next page. Absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// With `count=capped`: whether there are more than `total` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is_capped: Option<bool>,
    /// Parameters of the query that mean nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored_parameters: Option<Vec<String>>,
}

/// The body of every answer that is no success.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorObject,
}

/// What went wrong and what to do about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorObject {
    /// One of [`calseta_domain::ErrorCode`]'s words.
    pub code: String,
    /// A sentence for a person; it says what to do.
    pub message: String,
    /// Facts for a program, for example `errors`, `allowed`, `required_scopes`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub details: Map<String, Value>,
}
