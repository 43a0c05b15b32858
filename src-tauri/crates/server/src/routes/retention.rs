//! `/v1/retention`, and removing alerts for good.

use axum::extract::State;
use calseta_contract::retention::{
    DeleteAllRequest, DeleteAllView, PurgeRequest, PurgeView, RetentionRunView, RetentionView,
};
use calseta_domain::AlertId;

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Caller, Human};
use crate::operation::{Kind, Noun, Operation, Parameter, about, get, list_parameters, post};
use crate::page::{Id, Query};
use crate::reply::{Accepted, One};

/// The most days that can be asked about, as the settings take them.
const MAX_DAYS: u64 = 36_500;

const fn days(name: &'static str) -> Parameter {
    let kind = Kind::Number {
        default: None,
        min: 0,
        max: MAX_DAYS,
    };
    Parameter::new(
        name,
        kind,
        "Instead of the setting of this name; 0 keeps everything.",
    )
}

list_parameters! {
    /// `GET /v1/retention`.
    Preview => [&[
        days("closed_alerts_days"),
        days("open_alerts_days"),
        days("deliveries_days"),
        days("event_details_days"),
        days("rejects_days"),
    ]];
}

/// The parameters, which are the settings' keys.
const KEYS: [&str; 5] = [
    "closed_alerts_days",
    "open_alerts_days",
    "deliveries_days",
    "event_details_days",
    "rejects_days",
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = about(
        Noun::Retention,
        [
            get("/v1/retention", "get_retention", show)
                .says("Read what retention would remove", "By the settings of the group `retention`, or by the days that are asked about; with what the last run removed."),
            post("/v1/retention/run", "run_retention", run)
                .says("Remove what is too old now", "By the settings. Answers after ten seconds at the latest; what is left then follows by itself."),
        ],
    );
    all.extend(about(
        Noun::Alerts,
        [
            post("/v1/alerts/{uuid}/purge", "purge_alert", purge)
                .says("Purge an alert", "Removes the alert and everything that was written because of it: findings, notes, deliveries, the details of its events, indicators that no other alert has. The event log keeps that it was there, its payload's checksum, who purged it and why. Backups keep what they have.")
                .example(r#"{"reason":"Held a customer's password"}"#),
            post("/v1/alerts/delete-all", "delete_all_alerts", delete_all)
                .says("Delete all alerts", "Those that there are now, with all that is theirs; events and configuration stay. `confirm` is `delete N alerts` with their number. It cannot be taken back: make a backup first.")
                .example(r#"{"confirm":"delete 1204 alerts"}"#),
        ],
    ));
    all
}

async fn show(
    State(app): State<App>,
    caller: Caller<Admin>,
    query: Query<Preview>,
) -> Answer<One<RetentionView>> {
    let mut instead = Vec::new();
    for key in KEYS {
        if let Some(days) = query.optional_number(key, 0, MAX_DAYS)? {
            instead.push((key, i64::try_from(days).unwrap_or(i64::MAX)));
        }
    }
    Ok(One::new(app.engine.retention(&caller.0, &instead).await?))
}

async fn run(State(app): State<App>, caller: Human<Admin>) -> Answer<One<RetentionRunView>> {
    Ok(One::new(app.engine.run_retention(&caller.0).await?))
}

async fn purge(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<AlertId>,
    body: Json<PurgeRequest>,
) -> Answer<One<PurgeView>> {
    let purged = app.engine.purge_alert(&caller.0, id, body.value).await?;
    Ok(One::noting(purged, &body.ignored))
}

async fn delete_all(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<DeleteAllRequest>,
) -> Answer<Accepted<DeleteAllView>> {
    let deleting = app.engine.delete_all_alerts(&caller.0, body.value).await?;
    Ok(Accepted::noting(deleting, &body.ignored))
}
