//! Searching: facets, groups, completion, saved views, and the one box for everything.

use axum::extract::State;
use calseta_contract::palette::PaletteView;
use calseta_contract::search::{
    CompletionView, FacetsView, GroupsView, SavedView, SavedViewPatch, SavedViewRequest, ViewCount,
};
use calseta_domain::query::Group;
use calseta_domain::{ErrorCode, ViewId};
use calseta_engine::Problem;

use super::alerts::{self, FILTERS, Q};
use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsRead, AlertsWrite, AnyKey, App, Caller, Human};
use crate::operation::{
    Kind, Noun, Operation, Parameter, about, delete, get, list_parameters, patch, post,
};
use crate::page::{Id, Paged, Query};
use crate::reply::{Created, NoContent, One, Page, Rows};

const VIEW: &str = r#"{"name":"Mine, open","q":"status:open severity:>=high","columns":["severity","title"],"density":"compact"}"#;
const PATCH: &str = r#"{"name":"Mine","notify":true}"#;
/// The longest query that is completed, in characters.
const MAX_QUERY_CHARS: u64 = 100_000;
/// The longest text that is looked for, in characters: a pasted list of indicators fits.
const MAX_SEARCH_CHARS: u32 = 4_000;

/// What `by` takes: the words of `group:` in a query.
const GROUPS: &[(&str, Group)] = &[
    ("rule", Group::Rule),
    ("entity", Group::Entity),
    ("source", Group::Source),
    ("duplicate", Group::Duplicate),
];

list_parameters! {
    /// `GET /v1/alerts/groups`.
    Groups => [&[Q, Parameter::new("by", Kind::Word(&["rule", "entity", "source", "duplicate"]), "What the members share: the detection rule, the key account or address, the source, or being repetitions of one another. When nothing is said, what `group:` in the query says, else `rule`.")]];
    /// `GET /v1/search`.
    Everything => [&[Parameter::new("q", Kind::ShortText(MAX_SEARCH_CHARS), "What is looked for. One or several indicators, defanged or not, are recognised; a uuid finds what has it.").required()]];
    /// `GET /v1/alerts/facets`.
    Facets => [&[Q], FILTERS];
    /// `GET /v1/alerts/complete`.
    Complete => [&[Q, Parameter::new("at", Kind::Number { default: None, min: 0, max: MAX_QUERY_CHARS }, "The cursor, in characters from the beginning; the end when nothing is said.")]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Search,
        [
            get("/v1/alerts/facets", "list_facets", facets)
                .says("Count what a search would find", "The values of each field with how many alerts have them, each counted without its own field's filter."),
            get("/v1/alerts/groups", "list_groups", groups)
                .says("Take together what a search would find", "The groups of the newest 10,000 matching alerts, the largest first, at most 200. The `q` of a group finds exactly its members. Groups by rule say what the rule's last closed alerts were."),
            get("/v1/search", "search", everything)
                .says("Look everywhere", "Indicators, alerts, agents, rules, documents, views and tags by a few characters, best first. A key finds what its scopes may read and nothing else."),
            get("/v1/alerts/complete", "complete_query", complete)
                .says("Complete a query", "What may stand at a place of a query that is being written."),
            get("/v1/views", "list_views", list)
                .says("List saved views", "In the order of the switcher, built-in ones too."),
            post("/v1/views", "create_view", create)
                .says("Save a view", "A query with its columns.")
                .example(VIEW)
                .fails(&[ErrorCode::DuplicateView]),
            get("/v1/views/counts", "list_view_counts", counts)
                .says("Count every view", "How many alerts each view finds now, counted up to 10,000."),
            get("/v1/views/{uuid}", "get_view", show)
                .says("Read a saved view", "One view."),
            patch("/v1/views/{uuid}", "update_view", change)
                .says("Change a saved view", "Absent fields keep their value, `null` clears.")
                .example(PATCH)
                .fails(&[ErrorCode::DuplicateView, ErrorCode::BuiltinRestricted]),
            delete("/v1/views/{uuid}", "delete_view", remove)
                .says("Delete a saved view", "Own ones only.")
                .fails(&[ErrorCode::BuiltinRestricted]),
        ],
    )
}

async fn facets(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Facets>,
) -> Answer<One<FacetsView>> {
    let found = alerts::found_by(&app, &query)?;
    Ok(One::new(app.engine.facets(found).await?))
}

async fn groups(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Groups>,
) -> Answer<One<GroupsView>> {
    let found = alerts::found_by_query(&app, &query)?;
    let named = found.query.as_ref().and_then(|query| query.group);
    let by = query.word("by", GROUPS)?.or(named);
    let by = by.filter(|by| *by != Group::None).unwrap_or(Group::Rule);
    Ok(One::new(app.engine.alert_groups(found, by).await?))
}

async fn everything(
    State(app): State<App>,
    caller: Caller<AnyKey>,
    query: Query<Everything>,
) -> Answer<One<PaletteView>> {
    let text = query.get("q").unwrap_or_default();
    let max = MAX_SEARCH_CHARS as usize;
    if text.trim().is_empty() || text.chars().count() > max {
        let message = format!("must have 1 to {max} characters; say what to look for");
        return Err(Problem::field("q", message).into());
    }
    Ok(One::new(app.engine.palette(&caller.0, text).await?))
}

async fn complete(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Complete>,
) -> Answer<One<CompletionView>> {
    let text = query.get("q").unwrap_or_default().to_owned();
    let end = text.chars().count();
    let at = query.optional_number("at", 0, MAX_QUERY_CHARS)?;
    let at = at.and_then(|at| usize::try_from(at).ok()).unwrap_or(end);
    Ok(One::new(app.engine.complete(text, at.min(end)).await?))
}

async fn list(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Paged>,
) -> Answer<Page<SavedView>> {
    let number = query.page()?;
    Ok(Page::of_all(
        app.engine.saved_views().await?,
        number,
        &query,
    ))
}

async fn create(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    body: Json<SavedViewRequest>,
) -> Answer<Created<SavedView>> {
    let view = app.engine.create_view(&caller.0, body.value).await?;
    Ok(Created::noting(view, &body.ignored))
}

async fn counts(State(app): State<App>, _: Caller<AlertsRead>) -> Answer<Rows<ViewCount>> {
    Ok(Rows(app.engine.view_counts().await?))
}

async fn show(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<ViewId>,
) -> Answer<One<SavedView>> {
    Ok(One::new(app.engine.saved_view(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<ViewId>,
    body: Json<SavedViewPatch>,
) -> Answer<One<SavedView>> {
    let view = app.engine.patch_view(&caller.0, id, body.value).await?;
    Ok(One::noting(view, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<ViewId>,
) -> Answer<NoContent> {
    app.engine.delete_view(&caller.0, id).await?;
    Ok(NoContent)
}
