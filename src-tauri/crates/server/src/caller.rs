//! Who calls: the extractor that a route names its scope with.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use calseta_domain::{ErrorCode, Scope};
use calseta_engine::{Engine, Principal, PrincipalKind, Problem};
use http::header;
use http::request::Parts;

use crate::answer::Failure;
use crate::limits::{Class, Limiters};
use crate::operation::{Argument, Facts, Needs, Schemas};
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
    EnrichAlert => Some(Scope::AlertsWrite), Enrichment;
    EnrichmentsRead => Some(Scope::EnrichmentsRead), Other;
    EnrichNow => Some(Scope::EnrichmentsRead), Enrichment;
    AgentsRead => Some(Scope::AgentsRead), Other;
    AgentsWrite => Some(Scope::AgentsWrite), Other;
    Admin => Some(Scope::Admin), Other;
    TestProvider => Some(Scope::Admin), Enrichment;
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

impl<N: Needed> Argument for Caller<N> {
    fn describe(facts: &mut Facts, _: &mut Schemas) {
        facts.needs = N::SCOPE.map_or(Needs::AnyKey, Needs::Scope);
        facts.class = Some(N::CLASS);
    }
}

/// The same, and a person: an agent's key is refused whatever its scopes.
#[derive(Debug)]
pub(crate) struct Human<N>(pub(crate) Principal, PhantomData<N>);

impl<N: Needed> FromRequestParts<App> for Human<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Caller(principal, needed) = Caller::<N>::from_request_parts(parts, app).await?;
        principal.need_human("this")?;
        Ok(Self(principal, needed))
    }
}

impl<N: Needed> Argument for Human<N> {
    fn describe(facts: &mut Facts, schemas: &mut Schemas) {
        Caller::<N>::describe(facts, schemas);
        facts.human_only = true;
    }
}

/// The person at the window or its browser session: an API key, whatever its scopes, has no
/// business there.
#[derive(Debug)]
pub(crate) struct Analyst;

impl FromRequestParts<App> for Analyst {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let caller = Caller::<AnyKey>::from_request_parts(parts, app).await?;
        match caller.0.kind() {
            PrincipalKind::Analyst => Ok(Self),
            PrincipalKind::Key(_) => {
                Err(Problem::new(ErrorCode::Forbidden, "this is for the window; use /v1").into())
            }
        }
    }
}

impl Argument for Analyst {
    fn describe(facts: &mut Facts, _: &mut Schemas) {
        facts.needs = Needs::Analyst;
        facts.class = Some(Class::Other);
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
