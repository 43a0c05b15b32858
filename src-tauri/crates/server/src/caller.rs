//! Who calls: the extractor that a route names its scope with.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use calseta_domain::{ErrorCode, Scope};
use calseta_engine::{Engine, Principal, Problem};
use http::header;
use http::request::Parts;

use crate::answer::Failure;
use crate::limits::{Class, Limiters};
use crate::sessions::Sessions;

/// What every route gets.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) limiters: Arc<Limiters>,
    pub(crate) notice: Arc<Option<String>>,
}

/// A scope as a type, so that a route's signature says what it needs.
pub(crate) trait Needed: Send {
    const SCOPE: Option<Scope>;
    const CLASS: Class = Class::Other;
}

macro_rules! needs {
    ($($name:ident => $scope:expr, $class:ident);+ $(;)?) => {$(
        #[derive(Debug)]
        pub(crate) struct $name;
        impl Needed for $name {
            const SCOPE: Option<Scope> = $scope;
            const CLASS: Class = Class::$class;
        }
    )+};
}

needs! {
    Ingest => Some(Scope::AlertsWrite), Ingest;
    AlertsRead => Some(Scope::AlertsRead), Other;
    AlertsWrite => Some(Scope::AlertsWrite), Other;
    EnrichmentsRead => Some(Scope::EnrichmentsRead), Other;
    AgentsRead => Some(Scope::AgentsRead), Other;
    AgentsWrite => Some(Scope::AgentsWrite), Other;
    Admin => Some(Scope::Admin), Other;
    AnyKey => None, Other;
}

/// A caller with the scope that the route needs.
#[derive(Debug)]
pub(crate) struct Caller<N>(pub(crate) Principal, PhantomData<N>);

impl<N: Needed> FromRequestParts<App> for Caller<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let principal = identify(parts, app).await?;
        if let Some(scope) = N::SCOPE {
            principal.need(scope)?;
        }
        if let Some(key) = principal.api_key() {
            app.limiters.count(key.id, N::CLASS)?;
        }
        Ok(Self(principal, PhantomData))
    }
}

/// The window's requests carry their principal as an extension, which no HTTP request can have.
async fn identify(parts: &Parts, app: &App) -> Result<Principal, Problem> {
    if let Some(principal) = parts.extensions.get::<Principal>() {
        return Ok(principal.clone());
    }
    let given = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some(bearer) = given.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Err(app.limiters.failed(Problem::new(
            ErrorCode::Unauthorized,
            "send an API key: Authorization: Bearer cai_…",
        )));
    };
    let bearer = bearer.trim();
    if app.sessions.is_analyst(bearer) {
        return Ok(Principal::analyst());
    }
    match app.engine.authenticate(bearer).await {
        Err(problem)
            if matches!(
                problem.code,
                ErrorCode::Unauthorized | ErrorCode::KeyExpired
            ) =>
        {
            Err(app.limiters.failed(problem))
        }
        other => other,
    }
}
