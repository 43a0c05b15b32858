//! Who calls: the extractor that a route names its scope with.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use calseta_domain::{ErrorCode, Scope};
use calseta_engine::{Engine, FailedAuth, Principal, PrincipalKind, Problem};
use http::header;
use http::request::Parts;

use crate::answer::Failure;
use crate::limits::{Class, Limiters, StandingSlot};
use crate::operation::{Argument, Facts, Needs, Schemas};
use crate::sessions::Sessions;

/// Characters of a refused key that are recorded: as many as a good key shows.
const KEY_PREFIX_CHARS: usize = 12;

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
        if let Some(key) = principal.api_key() {
            let slot = parts.extensions.get::<StandingSlot>();
            app.limiters.count(key.id, N::CLASS, slot)?;
        }
        if let Some(scope) = N::SCOPE {
            principal.need(scope).inspect_err(|_| {
                let prefix = principal.api_key().map(|key| key.prefix.clone());
                Asked::of(parts).refused(app, "insufficient_scope", prefix);
            })?;
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

/// Whose connection a request came through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What may be recorded of a refused request: where it went and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    method: String,
    path: String,
    client: Option<String>,
}

impl Asked {
    fn of(parts: &Parts) -> Self {
        let peer = parts.extensions.get::<Peer>();
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            client: peer.map(|peer| peer.0.ip().to_string()),
        }
    }

    /// Records a refusal as `auth.failed`.
    pub(crate) fn refused(self, app: &App, reason: &'static str, key_prefix: Option<String>) {
        app.engine.record_failed_auth(FailedAuth {
            reason,
            method: self.method,
            path: self.path,
            key_prefix,
            client: self.client,
        });
    }
}

impl FromRequestParts<App> for Asked {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

impl Argument for Asked {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}

/// A refused key: recorded, and counted.
fn refuse(
    parts: &Parts,
    app: &App,
    (reason, bearer): (&'static str, &str),
    problem: Problem,
) -> Problem {
    let prefix = (!bearer.is_empty()).then(|| bearer.chars().take(KEY_PREFIX_CHARS).collect());
    Asked::of(parts).refused(app, reason, prefix);
    app.limiters.failed(problem)
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
        let problem = Problem::new(
            ErrorCode::Unauthorized,
            "send an API key: Authorization: Bearer cai_…",
        );
        return Err(refuse(parts, app, ("missing_header", ""), problem));
    };
    let bearer = bearer.trim();
    if app.sessions.is_analyst(bearer) {
        return Ok(Principal::analyst());
    }
    app.engine.authenticate(bearer).await.map_err(|problem| {
        let reason = match problem.code {
            ErrorCode::KeyExpired => "key_expired",
            ErrorCode::Unauthorized if bearer.starts_with("cai_") => "invalid_key",
            ErrorCode::Unauthorized => "invalid_format",
            _ => return problem,
        };
        refuse(parts, app, (reason, bearer), problem)
    })
}
