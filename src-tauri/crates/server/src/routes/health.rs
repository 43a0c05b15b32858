//! `GET /health`: public, and says nothing that helps an attacker.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;

use crate::answer::{Answer, json_response};
use crate::caller::App;

pub(super) fn router() -> Router<App> {
    Router::new().route("/health", get(health))
}

async fn health(State(app): State<App>) -> Answer {
    let health = app.engine.health().await;
    let ok = health.database == "ok";
    let status = if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok(json_response(status, &health))
}
