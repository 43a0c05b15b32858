//! Searching the queue: facets, completion, saved views.

use calseta_contract::search::{
    CompletionView, FacetsView, GroupsView, SavedView, SavedViewRequest, ViewCount,
};
use calseta_domain::ViewId;
use serde_json::Value;

use super::Failure;
use super::request::{encoded, get, send, tell};

/// Saved views that are read at once.
const VIEWS_PAGE: u32 = 200;

/// How the alerts of a query divide, with the values that none of them has.
pub(crate) async fn facets(q: &str) -> Result<FacetsView, Failure> {
    let path = format!("/v1/alerts/facets?q={}", encoded(q));
    Ok(get::<FacetsView, Value>(&path).await?.data)
}

/// The groups of a query, by what its `group:` says, the largest first.
pub(crate) async fn groups(q: &str) -> Result<GroupsView, Failure> {
    let path = format!("/v1/alerts/groups?q={}", encoded(q));
    Ok(get::<GroupsView, Value>(&path).await?.data)
}

/// What may stand at a place of a query; `at` counts characters.
pub(crate) async fn complete(q: &str, at: usize) -> Result<CompletionView, Failure> {
    let path = format!("/v1/alerts/complete?q={}&at={at}", encoded(q));
    Ok(get::<CompletionView, Value>(&path).await?.data)
}

/// Every saved view, those that came with the product first.
pub(crate) async fn list_views() -> Result<Vec<SavedView>, Failure> {
    let path = format!("/v1/views?page_size={VIEWS_PAGE}");
    Ok(get::<Vec<SavedView>, Value>(&path).await?.data)
}

/// How many alerts each view has now.
pub(crate) async fn view_counts() -> Result<Vec<ViewCount>, Failure> {
    Ok(get::<Vec<ViewCount>, Value>("/v1/views/counts").await?.data)
}

/// Saves a view.
pub(crate) async fn create_view(request: &SavedViewRequest) -> Result<SavedView, Failure> {
    send("POST", "/v1/views", request).await
}

/// Deletes an own view.
pub(crate) async fn delete_view(id: ViewId) -> Result<(), Failure> {
    tell("DELETE", &format!("/v1/views/{id}"), None).await
}
