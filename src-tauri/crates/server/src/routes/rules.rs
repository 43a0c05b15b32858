//! `/v1/detection-rules`.

use axum::extract::State;
use calseta_contract::detection_rule::{RulePatch, RuleRequest, RuleView};
use calseta_domain::{DetectionRuleId, ErrorCode, Severity};
use calseta_engine::{RuleFilter, RuleSort};

use super::alerts::SORT_ORDER;
use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, AlertsRead, App, Caller, Human};
use crate::operation::{
    Kind, Noun, Operation, PAGE, Parameter, about, delete, get, list_parameters, patch, post,
};
use crate::page::{Id, Query};
use crate::reply::{Created, NoContent, One, Page};

const RULE: &str = r#"{"name":"Impossible travel","source_name":"generic","source_rule_id":"r-1","severity":"High","mitre_tactics":["TA0001"],"documentation":"Two sign-ins too far apart."}"#;
const PATCH: &str = r#"{"name":"Impossible travel 2","severity":null,"is_active":false}"#;

const SORTS: &[(&str, RuleSort)] = &[
    ("name", RuleSort::Name),
    ("source_name", RuleSort::SourceName),
    ("severity", RuleSort::Severity),
    ("created_at", RuleSort::CreatedAt),
];

list_parameters! {
    /// `GET /v1/detection-rules`.
    Rules => [PAGE, &[
        Parameter::new("source_name", Kind::Text, "Only of this source."),
        Parameter::new("severity", Kind::Words(Severity::WORDS), "Any of these."),
        Parameter::new("is_active", Kind::Bool, "Whether it is in use."),
        Parameter::new("name", Kind::Text, "Part of its name, in any case."),
        Parameter::new("sort_by", Kind::Word(&["name", "source_name", "severity", "created_at"]), "`created_at` when nothing is said; severity sorts by rank."),
        SORT_ORDER,
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::DetectionRules,
        [
            get("/v1/detection-rules", "list_detection_rules", list).says(
                "List detection rules",
                "Newest first unless sorted otherwise.",
            ),
            post("/v1/detection-rules", "create_detection_rule", create)
                .says(
                    "Add a detection rule",
                    "Rules that are named by incoming alerts are also made by themselves.",
                )
                .example(RULE)
                .fails(&[ErrorCode::DuplicateRule]),
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
            .example(PATCH)
            .fails(&[ErrorCode::DuplicateRule]),
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
    query: Query<Rules>,
) -> Answer<Page<RuleView>> {
    let number = query.page()?;
    let severity: Vec<Severity> = query.words("severity")?;
    let filter = RuleFilter {
        source_name: query.get("source_name").map(str::to_owned),
        severity: severity
            .iter()
            .map(|word| word.as_str().to_owned())
            .collect(),
        is_active: query.parsed("is_active", "true or false")?,
        name: query.get("name").map(str::to_owned),
    };
    let sort = query.word("sort_by", SORTS)?.unwrap_or(RuleSort::CreatedAt);
    let order = (sort, query.direction()?);
    let listed = app.engine.list_rules(filter, order, number).await?;
    Ok(Page::numbered(listed, number, &query))
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
