//! `/ui/*`: what the window and the served UI need besides the API.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use calseta_contract::health::{BootView, FirstKeyView, SessionRequest, SessionView};
use calseta_domain::ErrorCode;
use calseta_engine::{Engine, Principal, PrincipalKind, Problem};
use http::StatusCode;

use crate::answer::{Answer, data};
use crate::body::Payload;
use crate::caller::{AnyKey, App, Caller};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/ui/boot", get(boot))
        .route("/ui/first-key", post(first_key))
        .route("/ui/session", post(session))
}

/// These are the analyst's alone: an API key, whatever its scopes, has no business here.
fn need_analyst(by: &Principal) -> Result<(), Problem> {
    match by.kind() {
        PrincipalKind::Analyst => Ok(()),
        PrincipalKind::Key(_) => Err(Problem::new(
            ErrorCode::Forbidden,
            "this is for the window; use /v1",
        )),
    }
}

async fn boot(State(app): State<App>, caller: Caller<AnyKey>) -> Answer {
    need_analyst(&caller.0)?;
    data(
        StatusCode::OK,
        BootView {
            base_url: app.engine.base_url(),
            version: Engine::version().to_owned(),
            data_dir: app.engine.data_dir().display().to_string(),
            demo: app.engine.is_demo(),
            first_key_waiting: app.engine.first_key_waiting(),
            notice: (*app.notice).clone(),
        },
    )
}

async fn first_key(State(app): State<App>, caller: Caller<AnyKey>) -> Answer {
    need_analyst(&caller.0)?;
    let key = app
        .engine
        .take_first_key()
        .ok_or_else(|| Problem::not_found("first key"))?;
    data(
        StatusCode::OK,
        FirstKeyView {
            key: key.to_string(),
        },
    )
}

/// No bearer yet: the one-time token is the proof.
async fn session(State(app): State<App>, body: Payload) -> Answer {
    let (request, _): (SessionRequest, _) = body.json()?;
    let bearer = app.sessions.exchange(&request.token).ok_or_else(|| {
        app.limiters.failed(Problem::new(
            ErrorCode::Unauthorized,
            "this link was used or is of an earlier start; open the one that was printed last",
        ))
    })?;
    data(StatusCode::OK, SessionView { bearer })
}
