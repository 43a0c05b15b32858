//! `/v1/alerts`.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use calseta_contract::alert::AlertPatch;
use calseta_contract::finding::FindingRequest;
use calseta_domain::{AlertId, DetectionRuleId, FieldError};
use calseta_engine::{
    AlertFilter, AlertListQuery, AlertSort, Counting, Engine, Paging, PostedWith, Problem,
};
use http::StatusCode;

use super::ingest;
use crate::answer::{Answer, data, data_meta, page, replayed};
use crate::body::Payload;
use crate::caller::{AlertsRead, AlertsWrite, App, Caller};
use crate::page::{Id, QueryPairs};

/// What `sort_by` takes.
const SORTS: &[(&str, AlertSort)] = &[
    ("occurred_at", AlertSort::OccurredAt),
    ("created_at", AlertSort::CreatedAt),
    ("title", AlertSort::Title),
    ("status", AlertSort::Status),
    ("severity", AlertSort::Severity),
    ("source_name", AlertSort::SourceName),
];

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/alerts", get(list).post(ingest::create))
        .route("/v1/alerts/{uuid}", get(show).patch(change))
        .route("/v1/alerts/{uuid}/reopen", post(reopen))
        .route(
            "/v1/alerts/{uuid}/findings",
            get(findings).post(post_finding),
        )
        .route("/v1/alerts/{uuid}/indicators", get(indicators))
        .route("/v1/alerts/{uuid}/context", get(context))
        .route("/v1/alerts/{uuid}/activity", get(activity))
}

async fn list(State(app): State<App>, _: Caller<AlertsRead>, query: QueryPairs) -> Answer {
    let request = parse(&query)?;
    let number = match request.paging {
        Paging::Offset(offset) => Some(offset / u64::from(request.limit) + 1),
        Paging::After(None) => Some(1),
        Paging::After(Some(_)) => None,
    };
    let page_size = u64::from(request.limit);
    page(app.engine.alerts(request).await?, number, page_size)
}

fn word<T: Copy>(
    query: &QueryPairs,
    name: &str,
    allowed: &[(&str, T)],
    default: T,
) -> Result<T, Problem> {
    let Some(given) = query.get(name) else {
        return Ok(default);
    };
    let words: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
    let found = allowed
        .iter()
        .find(|(word, _)| *word == given)
        .map(|(_, value)| *value);
    found.ok_or_else(|| Problem::fields(&[FieldError::unknown_word(name, name, given, &words)]))
}

fn parse(query: &QueryPairs) -> Result<AlertListQuery, Problem> {
    let page_number = query.page()?;
    let cursor = query.get("cursor").map(Engine::alert_cursor).transpose()?;
    // Whoever names a page gets v1.1.0's way; a cursor or nothing gets the cheap one.
    let paging = match (cursor, query.get("page")) {
        (Some(cursor), _) => Paging::After(Some(cursor)),
        (None, Some(_)) => Paging::Offset(page_number.offset()),
        (None, None) => Paging::After(None),
    };
    let counts = [
        ("exact", Counting::Exact),
        ("capped", Counting::Capped),
        ("none", Counting::None),
    ];
    Ok(AlertListQuery {
        filter: AlertFilter {
            status: query.words("status")?,
            severity: query.words("severity")?,
            source_name: query.list("source_name"),
            enrichment_status: query.words("enrichment_status")?,
            is_enriched: query.parsed("is_enriched", "true or false")?,
            rule: query.parsed::<DetectionRuleId>("detection_rule_uuid", "a uuid")?,
            from: query.time("from_time")?,
            to: query.time("to_time")?,
            tags: query.all("tags"),
        },
        sort: word(query, "sort_by", SORTS, AlertSort::OccurredAt)?,
        descending: word(query, "sort_order", &[("desc", true), ("asc", false)], true)?,
        paging,
        limit: u32::try_from(page_number.page_size).unwrap_or(u32::MAX),
        counting: word(query, "count", &counts, Counting::Exact)?,
    })
}

async fn show(State(app): State<App>, _: Caller<AlertsRead>, Id(id): Id<AlertId>) -> Answer {
    let (alert, metadata) = app.engine.alert(id).await?;
    data_meta(StatusCode::OK, alert, metadata)
}

async fn change(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
    body: Payload,
) -> Answer {
    let (patch, _): (AlertPatch, _) = body.json()?;
    app.engine.patch_alert(&caller.0, id, patch).await?;
    let (alert, metadata) = app.engine.alert(id).await?;
    data_meta(StatusCode::OK, alert, metadata)
}

async fn reopen(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
) -> Answer {
    app.engine.reopen_alert(&caller.0, id).await?;
    let (alert, metadata) = app.engine.alert(id).await?;
    data_meta(StatusCode::OK, alert, metadata)
}

async fn findings(State(app): State<App>, _: Caller<AlertsRead>, Id(id): Id<AlertId>) -> Answer {
    data(StatusCode::OK, app.engine.findings(id).await?)
}

async fn post_finding(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
    body: Payload,
) -> Answer {
    let (request, ignored): (FindingRequest, _) = body.json()?;
    let posted = PostedWith {
        key: body.request_key()?,
        webhook_id: body.header("webhook-id"),
        body: body.bytes.to_vec(),
    };
    let (finding, is_replay) = app
        .engine
        .post_finding(&caller.0, id, request, posted)
        .await?;
    let response = crate::answer::data_ignoring(StatusCode::CREATED, finding, &ignored)?;
    Ok(replayed(response, is_replay))
}

async fn indicators(State(app): State<App>, _: Caller<AlertsRead>, Id(id): Id<AlertId>) -> Answer {
    data(StatusCode::OK, app.engine.alert_indicators(id).await?)
}

async fn context(State(app): State<App>, _: Caller<AlertsRead>, Id(id): Id<AlertId>) -> Answer {
    data(StatusCode::OK, app.engine.alert_context(id).await?)
}

async fn activity(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
    query: QueryPairs,
) -> Answer {
    let number = query.page()?;
    page(
        app.engine.alert_activity(id, number).await?,
        Some(number.page),
        number.page_size,
    )
}
