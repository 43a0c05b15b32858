//! `/v1/deliveries`.

use axum::extract::State;
use calseta_contract::delivery::{DeliveryView, RedeliverRequest};
use calseta_domain::{DeliveryId, ErrorCode};
use calseta_engine::{DeliveryListQuery, Problem};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AgentsRead, AgentsWrite, App, Caller};
use crate::operation::{Kind, Noun, Operation, PAGE, Parameter, about, get, list_parameters, post};
use crate::page::{Id, Query};
use crate::reply::{Accepted, JsonBytes, One, Page};

/// The states of a delivery, as they are asked for.
pub(super) const DELIVERY_STATES: &[(&str, &str)] = &[
    ("due", "due"),
    ("in_flight", "in_flight"),
    ("parked", "parked"),
    ("delivered", "delivered"),
    ("dead", "dead"),
    ("cancelled", "cancelled"),
];

/// Only deliveries of a state.
pub(super) const STATE: Parameter = Parameter::new(
    "state",
    Kind::Word(&[
        "due",
        "in_flight",
        "parked",
        "delivered",
        "dead",
        "cancelled",
    ]),
    "Only those in this state.",
);

/// Made then or later.
pub(super) const FROM: Parameter = Parameter::new("from_time", Kind::Time, "Made then or later.");
/// Made then or earlier.
pub(super) const TO: Parameter = Parameter::new("to_time", Kind::Time, "Made then or earlier.");

list_parameters! {
    /// `GET /v1/deliveries`.
    Deliveries => [PAGE, &[
        Parameter::new("agent_uuid", Kind::Uuid, "Only to this agent."),
        Parameter::new("alert_uuid", Kind::Uuid, "Only of this alert."),
        STATE,
        FROM,
        TO,
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Deliveries,
        [
            get("/v1/deliveries", "list_deliveries", list)
                .says("List deliveries", "Newest first, with every attempt.")
                .fails(&[ErrorCode::NotFound]),
            get("/v1/deliveries/{uuid}", "get_delivery", show)
                .says("Read a delivery", "One delivery with the outcome of every attempt."),
            get("/v1/deliveries/{uuid}/body", "get_delivery_body", body)
                .says("Read a delivery's body", "The exact bytes that are or were sent; their SHA-256 is the delivery's `body_sha256`."),
            post("/v1/deliveries/{uuid}/redeliver", "redeliver", redeliver)
                .says("Send again", "`as_sent` tries the same message again, under the same `webhook-id`; `current` makes a new delivery from what is known now.")
                .example(r#"{"mode":"as_sent"}"#)
                .fails(&[ErrorCode::InvalidTransition]),
            post("/v1/deliveries/{uuid}/retry-now", "retry_delivery", retry_now)
                .says("Try now", "Does not wait for the schedule."),
            post("/v1/deliveries/{uuid}/cancel", "cancel_delivery", cancel)
                .says("Give a delivery up", "One that waits is not tried again; one that was given up already stays so.")
                .fails(&[ErrorCode::InvalidTransition]),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<AgentsRead>,
    query: Query<Deliveries>,
) -> Answer<Page<DeliveryView>> {
    let number = query.page()?;
    let request = DeliveryListQuery {
        agent: query.parsed("agent_uuid", "a uuid")?,
        alert: query.parsed("alert_uuid", "a uuid")?,
        state: query.word("state", DELIVERY_STATES)?.map(str::to_owned),
        from: query.time("from_time")?,
        to: query.time("to_time")?,
    };
    let listed = app.engine.deliveries(request, number).await?;
    Ok(Page::numbered(listed, number, &query))
}

async fn show(
    State(app): State<App>,
    _: Caller<AgentsRead>,
    Id(id): Id<DeliveryId>,
) -> Answer<One<DeliveryView>> {
    Ok(One::new(app.engine.delivery(id).await?))
}

async fn body(
    State(app): State<App>,
    _: Caller<AgentsRead>,
    Id(id): Id<DeliveryId>,
) -> Answer<JsonBytes> {
    Ok(JsonBytes(app.engine.delivery_body(id).await?.into()))
}

/// What `mode` takes.
const MODES: &[&str] = &["as_sent", "current"];

async fn redeliver(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<DeliveryId>,
    body: Json<RedeliverRequest>,
) -> Answer<Accepted<DeliveryView>> {
    let mode = body.value.mode.as_deref().unwrap_or(MODES[0]);
    let delivery = match mode {
        "as_sent" => {
            app.engine.redeliver_as_sent(&caller.0, id).await?;
            app.engine.delivery(id).await?
        }
        "current" => app.engine.redeliver_current(&caller.0, id).await?,
        other => return Err(Problem::word("mode", "mode", other, MODES).into()),
    };
    Ok(Accepted::noting(delivery, &body.ignored))
}

async fn retry_now(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<DeliveryId>,
) -> Answer<Accepted<DeliveryView>> {
    app.engine.redeliver_as_sent(&caller.0, id).await?;
    Ok(Accepted::new(app.engine.delivery(id).await?))
}

async fn cancel(
    State(app): State<App>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<DeliveryId>,
) -> Answer<One<DeliveryView>> {
    Ok(One::new(app.engine.cancel_delivery(&caller.0, id).await?))
}
