//! `GET /health`: public, and says nothing that helps an attacker.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use calseta_contract::health::HealthView;
use http::StatusCode;

use crate::answer::{Answer, json_response};
use crate::caller::App;
use crate::operation::{Content, Noun, Operation, Reply, ReplyFacts, Schemas, about, get};

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Health,
        [get("/health", "get_health", health).says(
            "Ask whether it works",
            "No key is needed. 503 when the database does not answer.",
        )],
    )
}

/// Health, without an envelope, as v1.1.0 answers.
#[derive(Debug)]
struct Health(HealthView);

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let status = if self.0.database == "ok" {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        json_response(status, &self.0)
    }
}

impl Reply for Health {
    fn describe(schemas: &mut Schemas) -> Vec<ReplyFacts> {
        let content = Content::Json(schemas.of::<HealthView>());
        let facts = |status, text| ReplyFacts {
            status,
            text,
            content: content.clone(),
        };
        vec![
            facts(200, "It works."),
            facts(503, "The database does not answer."),
        ]
    }
}

async fn health(State(app): State<App>) -> Answer<Health> {
    Ok(Health(app.engine.health().await))
}
