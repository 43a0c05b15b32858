//! Findings: what agents and people concluded, and what the analyst says of it.

use axum::extract::State;
use calseta_contract::finding::{FindingRequest, FindingView, HiddenRequest, ReviewRequest};
use calseta_domain::{AlertId, ErrorCode, FindingId};
use calseta_engine::{PostedWith, Principal};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsRead, AlertsWrite, App, Caller, Human};
use crate::operation::{IDEMPOTENCY_KEY, Kind, Noun, Operation, Parameter, about, get, post, put};
use crate::page::Id;
use crate::reply::{Created, One, Rows};

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

/// What the poster of a finding with a person's key is told: whose finding it is follows from the
/// key, and a person's has too many scopes for a program.
const HUMAN_KEY_WARNING: &str = "this finding was posted with a human's key and is shown as that \
     person's; make the agent a key of its own with POST /v1/api-keys (key_type \"agent\", its \
     agent_uuid, scopes alerts:read and alerts:write) and post with that";

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Findings,
        [
            get("/v1/alerts/{uuid}/findings", "list_findings", findings)
                .says("List an alert's findings", "Oldest first, each with how its citations compare with what is stored now and what the analyst said of it."),
            post("/v1/alerts/{uuid}/findings", "create_finding", post_finding)
                .says("Post a finding", "The author is the key, whatever the body says; a human's key is answered with a warning in `meta.warnings`. v1.1.0's names (`agent_name`, `recommended_action`, `evidence`, a word as `confidence`) are accepted. Without an `Idempotency-Key` or `webhook-id` every post is a new finding. Each citation is compared with the stored datum that it names: see `verification` and `citation_checks` of the answer.")
                .example(FINDING)
                .headers(FINDING_HEADERS)
                .fails(&[ErrorCode::IdempotencyConflict]),
            put("/v1/findings/{uuid}/review", "review_finding", review)
                .says("Review a finding", "Accept it, or disagree and say why; the last review counts. Its author reads it in `review` of its finding. The alert's own verdict and status stay as they are.")
                .example(r#"{"decision":"disagree","reason":"wrong_fact","comment":"The address is our own proxy."}"#),
            put("/v1/findings/{uuid}/hidden", "hide_finding", hide)
                .says("Hide a finding", "Folds it away in the window, or shows it again; it stays in answers and counts.")
                .example(r#"{"hidden":true}"#),
        ],
    )
}

async fn findings(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
) -> Answer<Rows<FindingView>> {
    Ok(Rows(app.engine.findings(id).await?))
}

/// Only a person's API key is warned: who sits at the window posts as a person on purpose.
fn warning(by: &Principal) -> Option<&'static str> {
    (by.is_human() && by.api_key().is_some()).then_some(HUMAN_KEY_WARNING)
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
    let made = Created::noting(finding, &body.ignored);
    Ok(made.warning(warning(&caller.0)).replayed(is_replay))
}

async fn review(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<FindingId>,
    body: Json<ReviewRequest>,
) -> Answer<One<FindingView>> {
    let engine = &app.engine;
    let finding = engine.review_finding(&caller.0, id, body.value).await?;
    Ok(One::noting(finding, &body.ignored))
}

async fn hide(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<FindingId>,
    body: Json<HiddenRequest>,
) -> Answer<One<FindingView>> {
    let engine = &app.engine;
    let finding = engine.hide_finding(&caller.0, id, body.value).await?;
    Ok(One::noting(finding, &body.ignored))
}
