//! The table of operations for those outside: tests walk it, so that no route escapes them.

use crate::limits::Class;
use crate::openapi::class_name;
use crate::operation::{Needs, Schemas};
use crate::routes;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteNeeds {
    /// Nothing.
    Nothing,
    /// Any key.
    AnyKey,
    /// A key with this scope, for example `alerts:read`.
    Scope(&'static str),
    /// The window itself: no API key opens it.
    Analyst,
}

/// A mounted route.
#[derive(Debug, Clone)]
pub struct RouteListing {
    /// For example `GET`.
    pub method: String,
    /// For example `/v1/alerts/{uuid}`.
    pub path: &'static str,
    /// Unique.
    pub operation_id: &'static str,
    /// The name of its page under `/docs`.
    pub noun: &'static str,
    /// What it asks of its caller.
    pub needs: RouteNeeds,
    /// Whether an agent's key is refused whatever its scopes.
    pub human_only: bool,
    /// ingest, other or enrichment; `None` when nothing is counted.
    pub rate_class: Option<&'static str>,
    /// Whether it takes a JSON body.
    pub takes_json: bool,
    /// A JSON body that it accepts.
    pub request_example: Option<&'static str>,
    /// The names of its query parameters.
    pub query: Vec<&'static str>,
    /// The statuses of its successes.
    pub success: Vec<u16>,
}

/// Every mounted route. The router, `openapi.json` and the pages of `/docs` are made from the same
/// table.
pub fn operations() -> Vec<RouteListing> {
    let mut schemas = Schemas::default();
    let listing = |operation: crate::operation::Operation| {
        let facts = (operation.facts)(&mut schemas);
        let takes_json = |kind: &(&str, serde_json::Value)| kind.0 == "application/json";
        RouteListing {
            method: operation.method.to_string(),
            path: operation.path,
            operation_id: operation.id,
            noun: operation.noun.slug(),
            needs: match facts.needs {
                Needs::Nothing => RouteNeeds::Nothing,
                Needs::AnyKey => RouteNeeds::AnyKey,
                Needs::Scope(scope) => RouteNeeds::Scope(scope.as_str()),
                Needs::Analyst => RouteNeeds::Analyst,
            },
            human_only: facts.human_only,
            rate_class: facts.class.map(|class: Class| class_name(class)),
            takes_json: facts
                .body
                .as_ref()
                .is_some_and(|body| body.content.iter().any(takes_json)),
            request_example: operation.example,
            query: facts.query.iter().map(|parameter| parameter.name).collect(),
            success: facts.replies.iter().map(|reply| reply.status).collect(),
        }
    };
    routes::table().into_iter().map(listing).collect()
}
