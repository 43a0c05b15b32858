//! `/v1/detection-rules`.

use axum::extract::State;
use calseta_contract::detection_rule::{RulePatch, RuleRequest, RuleView};
use calseta_domain::DetectionRuleId;
use calseta_engine::{Direction, RuleFilter, RuleSort};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, AlertsRead, App, Caller, Human};
use crate::operation::{Noun, Operation, about, delete, get, patch, post};
use crate::page::{Id, Paged, Query};
use crate::reply::{Created, NoContent, One, Page};

const RULE: &str = r#"{"name":"Impossible travel","source_name":"generic","source_rule_id":"r-1","severity":"High","mitre_tactics":["TA0001"],"documentation":"Two sign-ins too far apart."}"#;
const PATCH: &str = r#"{"name":"Impossible travel 2","severity":null,"is_active":false}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::DetectionRules,
        [
            get("/v1/detection-rules", "list_detection_rules", list)
                .says("List detection rules", "Newest first."),
            post("/v1/detection-rules", "create_detection_rule", create)
                .says(
                    "Add a detection rule",
                    "Rules that are named by incoming alerts are also made by themselves.",
                )
                .example(RULE),
            get("/v1/detection-rules/{uuid}", "get_detection_rule", show)
                .says("Read a detection rule", "One rule with its documentation."),
            patch(
                "/v1/detection-rules/{uuid}",
                "update_detection_rule",
                change,
            )
            .says(
                "Change a detection rule",
                "Absent fields keep their value, `null` clears.",
            )
            .example(PATCH),
            delete(
                "/v1/detection-rules/{uuid}",
                "delete_detection_rule",
                remove,
            )
            .says(
                "Delete a detection rule",
                "Its alerts stay, without a rule.",
            ),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Paged>,
) -> Answer<Page<RuleView>> {
    let number = query.page()?;
    Ok(Page::numbered(
        app.engine
            .list_rules(
                RuleFilter::default(),
                (RuleSort::Name, Direction::Ascending),
                number,
            )
            .await?,
        number,
        &query,
    ))
}

async fn create(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<RuleRequest>,
) -> Answer<Created<RuleView>> {
    let rule = app.engine.create_rule(&caller.0, body.value).await?;
    Ok(Created::noting(rule, &body.ignored))
}

async fn show(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<DetectionRuleId>,
) -> Answer<One<RuleView>> {
    Ok(One::new(app.engine.rule(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<DetectionRuleId>,
    body: Json<RulePatch>,
) -> Answer<One<RuleView>> {
    let rule = app.engine.patch_rule(&caller.0, id, body.value).await?;
    Ok(One::noting(rule, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<DetectionRuleId>,
) -> Answer<NoContent> {
    app.engine.delete_rule(&caller.0, id).await?;
    Ok(NoContent)
}
