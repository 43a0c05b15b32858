//! `/v1/sources`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use calseta_engine::Listed;

use crate::answer::{Answer, page};
use crate::caller::{AlertsRead, App, Caller};
use crate::page::MAX_PAGE_SIZE;

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/sources", get(list))
}

async fn list(State(app): State<App>, _: Caller<AlertsRead>) -> Answer {
    let all = app.engine.sources().await?;
    let total = all.len() as u64;
    page(Listed::counted(all, total), Some(1), MAX_PAGE_SIZE)
}
