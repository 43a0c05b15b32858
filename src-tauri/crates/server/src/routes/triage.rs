//! What is done with one alert while it is triaged: notes, snoozing, marks, checklists; what is
//! related to it, and what an agent would be sent about it.

use axum::extract::State;
use calseta_contract::alert::AlertSummary;
use calseta_contract::change::ChangeMeta;
use calseta_contract::related::RelatedView;
use calseta_contract::triage::{
    AgentPayloadView, ChecklistMark, ChecklistRequest, FlagsRequest, NoteRequest, NoteView,
    SnoozeRequest,
};
use calseta_domain::{AgentId, AlertId, DocumentId};
use calseta_engine::Undoable;

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsRead, AlertsWrite, App, Caller};
use crate::operation::{
    Kind, Noun, Operation, Parameter, about, delete, get, list_parameters, post, put,
};
use crate::page::{Id, IdItem, Query};
use crate::reply::{One, OneWith};

/// Related alerts when nothing is said.
const DEFAULT_RELATED: u64 = 10;
/// Related alerts at the most.
const MAX_RELATED: u64 = 50;

list_parameters! {
    /// `GET …/related`.
    Related => [&[Parameter::new("limit", Kind::Number { default: Some(DEFAULT_RELATED), min: 1, max: MAX_RELATED }, "How many, those with the highest score.")]];
    /// `GET …/agent-payload`.
    Payload => [&[Parameter::new("agent_uuid", Kind::Uuid, "The agent that would be told; every agent is sent the same.")]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Alerts,
        [
            post("/v1/alerts/{uuid}/notes", "add_note", add_note)
                .says("Add a note", "Plain text, kept as it is. A note is never changed; undoing the change takes it away.")
                .example(r#"{"text":"Spoke to the user: she is travelling until Friday."}"#),
            put("/v1/alerts/{uuid}/snooze", "snooze_alert", snooze)
                .says("Snooze an alert", "It stays out of views that ask for `-is:snoozed` until then, at most 90 days, and comes back by itself with an event. Work on it goes on meanwhile.")
                .example(r#"{"until":"2099-01-16T08:00:00Z"}"#),
            delete("/v1/alerts/{uuid}/snooze", "wake_alert", wake)
                .says("Wake an alert", "Ends its snooze now. An alert that is not snoozed is no error: nothing changes."),
            put("/v1/alerts/{uuid}/flags", "flag_alert", flag)
                .says("Mark an alert", "As read or not, as flagged or not; absent keeps. `\"unread\": false` also says that it was just opened. Read marks leave no event and nothing to undo.")
                .example(r#"{"unread":false,"flagged":true}"#),
            put("/v1/alerts/{uuid}/checklist/{document_uuid}/{n}", "mark_checklist_item", mark)
                .says("Tick an item of a checklist", "Documents with task lists (`- [ ] …`) are checklists of every alert that they apply to; each alert has marks of its own. Ticking again takes the mark back.")
                .example(r#"{"done":true}"#),
            get("/v1/alerts/{uuid}/related", "list_related_alerts", related)
                .says("List related alerts", "Alerts that share indicators or the rule, with a score: the rarer what they share and the more recent they are, the higher. Values that too many alerts have are named in `ignored`. `track_record` says what the rule's alerts came to in the last 30 days."),
            get("/v1/alerts/{uuid}/agent-payload", "get_agent_payload", payload)
                .says("Read what an agent would be sent", "The body of the webhook as it would be built now, with an estimate of its tokens, in all and for each of its parts."),
        ],
    )
}

/// What the answer to a change says of taking it back.
pub(super) fn taken_back_by(done: Option<Undoable>, ignored_fields: Vec<String>) -> ChangeMeta {
    ChangeMeta {
        ignored_fields,
        change_uuid: done.map(|done| done.change_uuid),
        undo_until: done.map(|done| done.undo_until),
    }
}

/// An alert's row after a change.
type Row = OneWith<AlertSummary, ChangeMeta>;

async fn row(app: &App, id: AlertId, meta: ChangeMeta) -> Answer<Row> {
    Ok(OneWith(app.engine.alert_summary(id).await?, meta))
}

async fn add_note(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
    body: Json<NoteRequest>,
) -> Answer<OneWith<NoteView, ChangeMeta, 201>> {
    let (note, done) = app.engine.add_note(&caller.0, id, body.value).await?;
    Ok(OneWith(note, taken_back_by(Some(done), body.ignored)))
}

async fn snooze(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
    body: Json<SnoozeRequest>,
) -> Answer<Row> {
    let done = app.engine.snooze_alert(&caller.0, id, body.value).await?;
    row(&app, id, taken_back_by(done, body.ignored)).await
}

async fn wake(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
) -> Answer<Row> {
    let done = app.engine.unsnooze_alert(&caller.0, id).await?;
    row(&app, id, taken_back_by(done, Vec::new())).await
}

async fn flag(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<AlertId>,
    body: Json<FlagsRequest>,
) -> Answer<Row> {
    let done = app.engine.flag_alert(&caller.0, id, body.value).await?;
    row(&app, id, taken_back_by(done, body.ignored)).await
}

async fn mark(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    IdItem(alert, document, item): IdItem<AlertId, DocumentId>,
    body: Json<ChecklistRequest>,
) -> Answer<One<ChecklistMark>> {
    let place = (document, item);
    let engine = &app.engine;
    let mark = engine
        .mark_checklist(&caller.0, alert, place, body.value)
        .await?;
    Ok(One::noting(mark, &body.ignored))
}

async fn related(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
    query: Query<Related>,
) -> Answer<One<RelatedView>> {
    let limit = query.number("limit", DEFAULT_RELATED, 1, MAX_RELATED)?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    Ok(One::new(app.engine.related(id, limit).await?))
}

async fn payload(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
    query: Query<Payload>,
) -> Answer<One<AgentPayloadView>> {
    let agent: Option<AgentId> = query.parsed("agent_uuid", "a uuid")?;
    Ok(One::new(app.engine.agent_payload(id, agent).await?))
}
