//! `/ui/*`: what the window and the served UI need besides the API.

use axum::extract::State;
use calseta_contract::health::{BootView, FirstKeyView, SessionRequest, SessionView};
use calseta_domain::ErrorCode;
use calseta_engine::{Engine, Problem};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Analyst, App};
use crate::operation::{Noun, Operation, about, get, post};
use crate::reply::One;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Window,
        [
            get("/ui/boot", "get_boot", boot)
                .says("What the window needs first", "Address, version, data directory."),
            post("/ui/first-key", "take_first_key", first_key)
                .says("Take the first key", "The admin key of the first start, once; afterwards 404.")
                .fails(&[ErrorCode::NotFound]),
            post("/ui/session", "open_session", session)
                .says("Open a browser's session", "The one-time token of the link that was printed, for a bearer that dies with the process. No cookie is ever set.")
                .example(r#"{"token":"once_0123456789abcdef"}"#)
                .fails(&[ErrorCode::Unauthorized, ErrorCode::RateLimited]),
        ],
    )
}

async fn boot(State(app): State<App>, _: Analyst) -> Answer<One<BootView>> {
    Ok(One::new(BootView {
        base_url: app.engine.base_url(),
        version: Engine::version().to_owned(),
        data_dir: app.engine.data_dir().display().to_string(),
        demo: app.engine.is_demo(),
        first_key_waiting: app.engine.first_key_waiting(),
        notice: (*app.notice).clone(),
    }))
}

async fn first_key(State(app): State<App>, _: Analyst) -> Answer<One<FirstKeyView>> {
    let key = app
        .engine
        .take_first_key()
        .ok_or_else(|| Problem::not_found("first key"))?;
    Ok(One::new(FirstKeyView {
        key: key.to_string(),
    }))
}

/// No bearer yet: the one-time token is the proof.
async fn session(State(app): State<App>, body: Json<SessionRequest>) -> Answer<One<SessionView>> {
    let bearer = app.sessions.exchange(&body.value.token).ok_or_else(|| {
        app.limiters.failed(Problem::new(
            ErrorCode::Unauthorized,
            "this link was used or is of an earlier start; open the one that was printed last",
        ))
    })?;
    Ok(One::new(SessionView { bearer }))
}
