//! One box for everything: what `GET /v1/search` finds by a few characters.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `GET /v1/search`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaletteView {
    /// In the order in which they are shown; empty ones are left out.
    pub groups: Vec<PaletteGroup>,
}

/// Results of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaletteGroup {
    /// `indicators`, `open_alerts`, `closed_alerts`, `agents`, `rules`, `documents`, `views`, `tags`.
    pub kind: String,
    /// Best first, at most 8.
    pub items: Vec<PaletteItem>,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaletteItem {
    /// What it is called; hostile text is the normal case.
    pub label: String,
    /// What else is known of it, in a few words.
    pub detail: String,
    /// The object; absent for tags and for values that no alert has.
    pub uuid: Option<Uuid>,
    /// A query of the filter grammar that shows its alerts, where there is one.
    pub q: Option<String>,
}
