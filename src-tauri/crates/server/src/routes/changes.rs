//! Many alerts at once, and taking a change back.

use axum::extract::State;
use calseta_contract::change::{BulkRequest, BulkView, UndoView};
use calseta_domain::{ChangeId, ErrorCode};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsWrite, App, Human};
use crate::operation::{IDEMPOTENCY_KEY, Noun, Operation, about, post};
use crate::page::Id;
use crate::reply::One;

const BULK: &str = r#"{"select":{"q":"rule:\"impossible travel\" status:open","except":["01890a5d-ac96-774b-bcce-b302099a8057"]},"action":{"kind":"close","close_classification":"False Positive - Incorrect Detection Logic","text":"The proxy of the Paris office."},"dry_run":true}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Changes,
        [
            post("/v1/alerts/bulk", "change_alerts", bulk)
                .says("Change many alerts", "Those that are named, or all that a query finds. Each alert is judged as by the route for one: what cannot be done to it is left alone and named in `skipped` with the reason. With `dry_run` nothing is changed: the answer says how many would be, and what it leads to. Everything but `dispatch`, `enrich` and `delete` can be undone in one step; `dispatch` needs the scope `agents:write` too.")
                .example(BULK)
                .headers(&[IDEMPOTENCY_KEY])
                .fails(&[ErrorCode::IdempotencyConflict]),
            post("/v1/changes/{change_uuid}/undo", "undo_change", undo)
                .says("Undo a change", "Of one alert or of many, within 24 hours and once. What was changed gets the values that it had, by events that name who undid it; alerts that have changed again since are left alone and named in `skipped`.")
                .fails(&[ErrorCode::UndoExpired]),
        ],
    )
}

async fn bulk(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    body: Json<BulkRequest>,
) -> Answer<One<BulkView>> {
    let key = body.payload.request_key()?;
    let (view, is_replay) = app.engine.bulk(&caller.0, body.value, key).await?;
    Ok(One::noting(view, &body.ignored).replayed(is_replay))
}

async fn undo(
    State(app): State<App>,
    caller: Human<AlertsWrite>,
    Id(id): Id<ChangeId>,
) -> Answer<One<UndoView>> {
    Ok(One::new(app.engine.undo_change(&caller.0, id).await?))
}
