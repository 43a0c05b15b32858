//! `/v1/alerts`: the list, one alert and its life. Its parts are in `alert_parts`.

use axum::extract::State;
use calseta_contract::alert::{AlertMeta, AlertPatch, AlertSummary, AlertView};
use calseta_contract::change::ChangeMeta;
use calseta_domain::{
    AlertId, AlertStatus, DetectionRuleId, EnrichmentStatus, ErrorCode, Severity,
};
use calseta_engine::{
    AlertFilter, AlertListQuery, AlertSort, Counting, Direction, Engine, Paging, Problem,
};

use super::triage::taken_back_by;
use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsRead, AlertsWrite, App, Caller};
use crate::operation::{
    Kind, Noun, Operation, PAGE, Parameter, about, get, list_parameters, patch, post,
};
use crate::page::{Id, Query, QueryPairs};
use crate::reply::{OneWith, Page};

/// What `sort_by` takes.
const SORTS: &[(&str, AlertSort)] = &[
    ("occurred_at", AlertSort::OccurredAt),
    ("created_at", AlertSort::CreatedAt),
    ("title", AlertSort::Title),
    ("status", AlertSort::Status),
    ("severity", AlertSort::Severity),
    ("source_name", AlertSort::SourceName),
];

/// What `count` takes.
const COUNTS: &[(&str, Counting)] = &[
    ("exact", Counting::Exact),
    ("capped", Counting::Capped),
    ("none", Counting::None),
];

/// `sort_order`.
pub(super) const SORT_ORDER: Parameter = Parameter::new(
    "sort_order",
    Kind::Word(&["asc", "desc"]),
    "Descending when nothing is said.",
);

/// `q`.
pub(super) const Q: Parameter = Parameter::new(
    "q",
    Kind::Text,
    "A query in the filter grammar, for example `status:open severity:>=high -tag:test`. With other filters both must hold; an order that it names wins over `sort_by`.",
);

/// v1.1.0's filters.
pub(super) const FILTERS: &[Parameter] = &[
    Parameter::new("status", Kind::Words(AlertStatus::WORDS), "Any of these."),
    Parameter::new("severity", Kind::Words(Severity::WORDS), "Any of these."),
    Parameter::new("source_name", Kind::Texts, "Any of these."),
    Parameter::new(
        "enrichment_status",
        Kind::Words(EnrichmentStatus::WORDS),
        "Any of these.",
    ),
    Parameter::new("is_enriched", Kind::Bool, "Whether enrichment is over."),
    Parameter::new("detection_rule_uuid", Kind::Uuid, "Only of this rule."),
    Parameter::new("from_time", Kind::Time, "Happened then or later."),
    Parameter::new("to_time", Kind::Time, "Happened then or earlier."),
    Parameter::new(
        "tags",
        Kind::Repeated,
        "Repeatable; the alert has all of them.",
    ),
];

list_parameters! {
    /// `GET /v1/alerts`.
    Alerts => [PAGE, &[
        Q,
        Parameter::new("cursor", Kind::Text, "From `meta.next_cursor`; in place of `page`, and cheap at any depth."),
        Parameter::new("count", Kind::Word(&["exact", "capped", "none"]), "How to count: exactly (the default), up to 10,000, or not."),
    ], FILTERS, &[
        Parameter::new("sort_by", Kind::Word(&["occurred_at", "created_at", "title", "status", "severity", "source_name"]), "When nothing is said: `created_at` with `q`, as the window shows what it finds, else `occurred_at`. Severity sorts by rank."),
        SORT_ORDER,
    ]];
}

const PATCH: &str = r#"{"status":"Triaging","severity":"Low","tags":["phishing","vip"]}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Alerts,
        [
            get("/v1/alerts", "list_alerts", list)
                .says("List alerts", "Newest first unless sorted otherwise. A filter with an unknown word is refused. Suppressed alerts are left out unless `q` asks for them (`is:suppressed`). Pages by number are exact; a cursor is cheap at any depth."),
            get("/v1/alerts/{uuid}", "get_alert", show)
                .says("Read an alert", "With its indicators and what the providers said of them, its rule, the documents that apply, all findings, notes, the marks of checklists and the sender's JSON, verbatim."),
            patch("/v1/alerts/{uuid}", "update_alert", change)
                .says("Change an alert", "Absent fields keep their value, `null` clears. Status moves Open → Triaging or Escalated → Closed; the status that it already has is no error. Closing needs a `close_classification`, in the request or stored before. A `comment` is kept as a note. `meta.change_uuid` is what takes it back.")
                .example(PATCH)
                .fails(&[ErrorCode::InvalidTransition]),
            post("/v1/alerts/{uuid}/reopen", "reopen_alert", reopen)
                .says("Reopen an alert", "Back to Open; `closed_at` is cleared. `meta.change_uuid` is what takes it back.")
                .fails(&[ErrorCode::InvalidTransition]),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Alerts>,
) -> Answer<Page<AlertSummary>> {
    let request = parse(&app, &query)?;
    let number = match request.paging {
        Paging::Offset(offset) => Some(offset / u64::from(request.limit) + 1),
        Paging::After(None) => Some(1),
        Paging::After(Some(_)) => None,
    };
    let page_size = u64::from(request.limit);
    let listed = app.engine.alerts(request).await?;
    Ok(Page::new(listed, number, page_size, &query))
}

/// What `q` and v1.1.0's filters find, for whoever counts it.
pub(super) fn found_by(app: &App, query: &QueryPairs) -> Result<AlertListQuery, Problem> {
    let filter = filter(query)?;
    Ok(AlertListQuery {
        filter,
        ..found_by_query(app, query)?
    })
}

/// What `q` alone finds.
pub(super) fn found_by_query(app: &App, query: &QueryPairs) -> Result<AlertListQuery, Problem> {
    Ok(AlertListQuery {
        query: query
            .get("q")
            .map(|text| app.engine.parse_query(text))
            .transpose()?,
        filter: AlertFilter::default(),
        sort: AlertSort::OccurredAt,
        descending: true,
        paging: Paging::After(None),
        limit: 1,
        counting: Counting::None,
        include_suppressed: false,
    })
}

fn filter(query: &QueryPairs) -> Result<AlertFilter, Problem> {
    Ok(AlertFilter {
        status: query.words("status")?,
        severity: query.words("severity")?,
        source_name: query.list("source_name"),
        enrichment_status: query.words("enrichment_status")?,
        is_enriched: query.parsed("is_enriched", "true or false")?,
        rule: query.parsed::<DetectionRuleId>("detection_rule_uuid", "a uuid")?,
        from: query.time("from_time")?,
        to: query.time("to_time")?,
        tags: query.all("tags"),
    })
}

fn parse(app: &App, query: &QueryPairs) -> Result<AlertListQuery, Problem> {
    let page_number = query.page()?;
    let cursor = query.get("cursor").map(Engine::alert_cursor).transpose()?;
    // Whoever names a page gets v1.1.0's way; a cursor or nothing gets the cheap one.
    let paging = match (cursor, query.get("page")) {
        (Some(cursor), _) => Paging::After(Some(cursor)),
        (None, Some(_)) => Paging::Offset(page_number.offset()),
        (None, None) => Paging::After(None),
    };
    Ok(AlertListQuery {
        query: query
            .get("q")
            .map(|text| app.engine.parse_query(text))
            .transpose()?,
        filter: filter(query)?,
        // A search is streamed newest accepted first; any other order has to walk an index.
        sort: query
            .word("sort_by", SORTS)?
            .unwrap_or(match query.get("q") {
                Some(_) => AlertSort::CreatedAt,
                None => AlertSort::OccurredAt,
            }),
        descending: query.direction()? == Direction::Descending,
        paging,
        limit: u32::try_from(page_number.page_size).unwrap_or(u32::MAX),
        counting: query.word("count", COUNTS)?.unwrap_or(Counting::Exact),
        include_suppressed: false,
    })
}

/// An alert with the `_metadata` of the agents' payload.
type Whole = OneWith<AlertView, AlertMeta>;

async fn whole(app: &App, id: AlertId, change: ChangeMeta) -> Answer<Whole> {
    let (alert, metadata) = app.engine.alert(id).await?;
    let meta = AlertMeta {
        metadata,
        ignored_fields: change.ignored_fields,
        change_uuid: change.change_uuid,
        undo_until: change.undo_until,
    };
    Ok(OneWith(alert, meta))
}

async fn show(State(app): State<App>, _: Caller<AlertsRead>, Id(id): Id<AlertId>) -> Answer<Whole> {
    whole(&app, id, ChangeMeta::default()).await
}

async fn change(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
    body: Json<AlertPatch>,
) -> Answer<Whole> {
    let done = app.engine.patch_alert(&caller.0, id, body.value).await?;
    whole(&app, id, taken_back_by(done, body.ignored)).await
}

async fn reopen(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
) -> Answer<Whole> {
    let done = app.engine.reopen_alert(&caller.0, id).await?;
    whole(&app, id, taken_back_by(done, Vec::new())).await
}
