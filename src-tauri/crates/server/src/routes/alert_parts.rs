//! What hangs on an alert: findings, indicators, documents, activity.

use axum::extract::State;
use calseta_contract::alert::{ActivityView, IndicatorView};
use calseta_contract::context_document::DocumentView;
use calseta_contract::finding::{FindingRequest, FindingView};
use calseta_domain::{AlertId, ErrorCode};
use calseta_engine::PostedWith;

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsRead, AlertsWrite, App, Caller};
use crate::operation::{IDEMPOTENCY_KEY, Kind, Noun, Operation, Parameter, about, get, post};
use crate::page::{Id, Paged, Query};
use crate::reply::{Created, Page, Rows};

const FINDING: &str = r#"{"summary":"The sign-in came from a known proxy.","confidence":0.95,"recommended_actions":["Reset the password"],"details":{"proxy":"203.0.113.7"},"verdict":"malicious","citations":[{"claim":"known proxy","ref":{"raw_pointer":"/title"},"expected":"t"}]}"#;

/// What a finding's sender may say in headers.
const FINDING_HEADERS: &[Parameter] = &[
    IDEMPOTENCY_KEY,
    Parameter::new(
        "webhook-id",
        Kind::Text,
        "The `webhook-id` of the delivery that this answers: links the two, and makes the same \
         finding happen once.",
    ),
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = about(
        Noun::Findings,
        [
            get("/v1/alerts/{uuid}/findings", "list_findings", findings)
                .says("List an alert's findings", "Oldest first."),
            post("/v1/alerts/{uuid}/findings", "create_finding", post_finding)
                .says("Post a finding", "The author is the key, whatever the body says. v1.1.0's names (`agent_name`, `recommended_action`, `evidence`, a word as `confidence`) are accepted. Without an `Idempotency-Key` or `webhook-id` every post is a new finding.")
                .example(FINDING)
                .headers(FINDING_HEADERS)
                .fails(&[ErrorCode::IdempotencyConflict]),
        ],
    );
    all.extend(about(
        Noun::Alerts,
        [
            get(
                "/v1/alerts/{uuid}/indicators",
                "list_alert_indicators",
                indicators,
            )
            .says(
                "List an alert's indicators",
                "With what every provider said.",
            ),
            get("/v1/alerts/{uuid}/context", "list_alert_context", context).says(
                "List the documents that apply",
                "Whole, as an agent would get them now.",
            ),
            get(
                "/v1/alerts/{uuid}/activity",
                "list_alert_activity",
                activity,
            )
            .says("List an alert's activity", "Newest first."),
        ],
    ));
    all
}

async fn findings(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
) -> Answer<Rows<FindingView>> {
    Ok(Rows(app.engine.findings(id).await?))
}

async fn post_finding(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
    body: Json<FindingRequest>,
) -> Answer<Created<FindingView>> {
    let posted = PostedWith {
        key: body.payload.request_key()?,
        webhook_id: body.payload.header("webhook-id"),
        body: body.payload.bytes.to_vec(),
    };
    let engine = &app.engine;
    let (finding, is_replay) = engine
        .post_finding(&caller.0, id, body.value, posted)
        .await?;
    Ok(Created::noting(finding, &body.ignored).replayed(is_replay))
}

async fn indicators(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
) -> Answer<Rows<IndicatorView>> {
    Ok(Rows(app.engine.alert_indicators(id).await?))
}

async fn context(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
) -> Answer<Rows<DocumentView>> {
    Ok(Rows(app.engine.alert_context(id).await?))
}

async fn activity(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
    query: Query<Paged>,
) -> Answer<Page<ActivityView>> {
    let number = query.page()?;
    let listed = app.engine.alert_activity(id, number).await?;
    Ok(Page::numbered(listed, number, &query))
}
