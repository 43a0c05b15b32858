//! Every route with what it asks of a caller: one list for the guard, the keys and the bodies.
//!
//! It is written by hand from the specification, so that it says the same a second time: the table
//! that the router is made from is compared with it.

use std::collections::BTreeSet;

use calseta_server::RouteNeeds;

use crate::route_bodies::{
    AGENT, ALERT, ASKED, DOCUMENT, ENRICH, EXTRACTION, EXTRACTION_TEST, EXTRACTIONS, FINDING,
    GRANT, INDICATORS, KEY, MAPPING, NEW_PROVIDER, PATCH_AGENT, PATCH_ALERT, PATCH_DOCUMENT,
    PATCH_KEY, PATCH_RULE, PATCH_SOURCE, PATCH_VIEW, PREVIEW, PROVIDER, RECOVER, REDELIVER, RULE,
    SESSION, SETTINGS, SOURCE, SWITCH_OFF, TEST, VERDICT, VIEW, WRAPPED,
};

/// What a route asks of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing.
    Nothing,
    /// Any key.
    AnyKey,
    /// A key with this scope.
    Scope(&'static str),
    /// The window: no key opens it.
    Analyst,
}

/// Who may call it, besides the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anybody,
    Humans,
}

/// A route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) who: Who,
    /// A body that it accepts; empty when it takes none.
    pub(crate) body: &'static str,
}

const fn row(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    who: Who,
    body: &'static str,
) -> Route {
    Route {
        method,
        path,
        needs,
        who,
        body,
    }
}

const ALERTS_READ: Needs = Needs::Scope("alerts:read");
const ALERTS_WRITE: Needs = Needs::Scope("alerts:write");
const AGENTS_READ: Needs = Needs::Scope("agents:read");
const AGENTS_WRITE: Needs = Needs::Scope("agents:write");
const ENRICHMENTS_READ: Needs = Needs::Scope("enrichments:read");
const ADMIN: Needs = Needs::Scope("admin");

use Who::{Anybody, Humans};

/// All of them.
pub(crate) const ROUTES: &[Route] = &[
    row("GET", "/health", Needs::Nothing, Anybody, ""),
    row("GET", "/openapi.json", Needs::Nothing, Anybody, ""),
    row("GET", "/docs", Needs::Nothing, Anybody, ""),
    row("GET", "/docs/{page}", Needs::Nothing, Anybody, ""),
    row("POST", "/v1/ingest/{source}", ALERTS_WRITE, Anybody, ALERT),
    row("GET", "/v1/alerts", ALERTS_READ, Anybody, ""),
    row("POST", "/v1/alerts", ALERTS_WRITE, Anybody, WRAPPED),
    row("GET", "/v1/alerts/{uuid}", ALERTS_READ, Anybody, ""),
    row(
        "PATCH",
        "/v1/alerts/{uuid}",
        ALERTS_WRITE,
        Anybody,
        PATCH_ALERT,
    ),
    row(
        "POST",
        "/v1/alerts/{uuid}/reopen",
        ALERTS_WRITE,
        Anybody,
        "",
    ),
    row(
        "GET",
        "/v1/alerts/{uuid}/findings",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/alerts/{uuid}/findings",
        ALERTS_WRITE,
        Anybody,
        FINDING,
    ),
    row(
        "GET",
        "/v1/alerts/{uuid}/indicators",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row("GET", "/v1/alerts/{uuid}/context", ALERTS_READ, Anybody, ""),
    row(
        "GET",
        "/v1/alerts/{uuid}/activity",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row("GET", "/v1/agents", AGENTS_READ, Anybody, ""),
    row("POST", "/v1/agents", AGENTS_WRITE, Anybody, AGENT),
    row("GET", "/v1/agents/{uuid}", AGENTS_READ, Anybody, ""),
    row(
        "PATCH",
        "/v1/agents/{uuid}",
        AGENTS_WRITE,
        Anybody,
        PATCH_AGENT,
    ),
    row("DELETE", "/v1/agents/{uuid}", AGENTS_WRITE, Humans, ""),
    row(
        "POST",
        "/v1/agents/{uuid}/test",
        AGENTS_WRITE,
        Anybody,
        TEST,
    ),
    row(
        "GET",
        "/v1/agents/{uuid}/deliveries",
        AGENTS_READ,
        Anybody,
        "",
    ),
    row("GET", "/v1/deliveries", AGENTS_READ, Anybody, ""),
    row("GET", "/v1/deliveries/{uuid}", AGENTS_READ, Anybody, ""),
    row(
        "GET",
        "/v1/deliveries/{uuid}/body",
        AGENTS_READ,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/deliveries/{uuid}/redeliver",
        AGENTS_WRITE,
        Anybody,
        REDELIVER,
    ),
    row(
        "POST",
        "/v1/deliveries/{uuid}/retry-now",
        AGENTS_WRITE,
        Anybody,
        "",
    ),
    row("GET", "/v1/api-keys", ADMIN, Anybody, ""),
    row("POST", "/v1/api-keys", ADMIN, Humans, KEY),
    row("GET", "/v1/api-keys/{uuid}", ADMIN, Anybody, ""),
    row("DELETE", "/v1/api-keys/{uuid}", ADMIN, Humans, ""),
    row("GET", "/v1/context-documents", ALERTS_READ, Anybody, ""),
    row(
        "POST",
        "/v1/context-documents",
        ALERTS_WRITE,
        Humans,
        DOCUMENT,
    ),
    row(
        "GET",
        "/v1/context-documents/{uuid}",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row(
        "PATCH",
        "/v1/context-documents/{uuid}",
        ALERTS_WRITE,
        Humans,
        PATCH_DOCUMENT,
    ),
    row(
        "DELETE",
        "/v1/context-documents/{uuid}",
        ALERTS_WRITE,
        Humans,
        "",
    ),
    row("GET", "/v1/detection-rules", ALERTS_READ, Anybody, ""),
    row("POST", "/v1/detection-rules", ADMIN, Humans, RULE),
    row(
        "GET",
        "/v1/detection-rules/{uuid}",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row(
        "PATCH",
        "/v1/detection-rules/{uuid}",
        ADMIN,
        Humans,
        PATCH_RULE,
    ),
    row("DELETE", "/v1/detection-rules/{uuid}", ADMIN, Humans, ""),
    row("GET", "/v1/egress/grants", ADMIN, Humans, ""),
    row("POST", "/v1/egress/grants", ADMIN, Humans, GRANT),
    row("DELETE", "/v1/egress/grants/{uuid}", ADMIN, Humans, ""),
    row(
        "GET",
        "/v1/enrichment-providers",
        ENRICHMENTS_READ,
        Anybody,
        "",
    ),
    row(
        "GET",
        "/v1/enrichment-providers/{uuid}",
        ENRICHMENTS_READ,
        Anybody,
        "",
    ),
    row(
        "PATCH",
        "/v1/enrichment-providers/{uuid}",
        ADMIN,
        Humans,
        PROVIDER,
    ),
    row(
        "POST",
        "/v1/enrichment-providers",
        ADMIN,
        Humans,
        NEW_PROVIDER,
    ),
    row(
        "DELETE",
        "/v1/enrichment-providers/{uuid}",
        ADMIN,
        Humans,
        "",
    ),
    row(
        "POST",
        "/v1/enrichment-providers/{uuid}/test",
        ADMIN,
        Humans,
        ASKED,
    ),
    row(
        "POST",
        "/v1/enrichment-providers/{uuid}/activate",
        ADMIN,
        Humans,
        "",
    ),
    row(
        "POST",
        "/v1/enrichment-providers/{uuid}/deactivate",
        ADMIN,
        Humans,
        "",
    ),
    row("POST", "/v1/enrichments", ENRICHMENTS_READ, Anybody, ENRICH),
    row(
        "GET",
        "/v1/enrichments/providers",
        ENRICHMENTS_READ,
        Anybody,
        "",
    ),
    row(
        "GET",
        "/v1/enrichment-field-extractions",
        ENRICHMENTS_READ,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/enrichment-field-extractions",
        ADMIN,
        Humans,
        EXTRACTION,
    ),
    row(
        "POST",
        "/v1/enrichment-field-extractions/bulk",
        ADMIN,
        Humans,
        EXTRACTIONS,
    ),
    row(
        "GET",
        "/v1/enrichment-field-extractions/{uuid}",
        ENRICHMENTS_READ,
        Anybody,
        "",
    ),
    row(
        "PATCH",
        "/v1/enrichment-field-extractions/{uuid}",
        ADMIN,
        Humans,
        SWITCH_OFF,
    ),
    row(
        "DELETE",
        "/v1/enrichment-field-extractions/{uuid}",
        ADMIN,
        Humans,
        "",
    ),
    row("GET", "/v1/activity/verify", ADMIN, Anybody, ""),
    row("POST", "/v1/settings/master-key/rotate", ADMIN, Humans, ""),
    row("POST", "/v1/sources", ADMIN, Humans, SOURCE),
    row("GET", "/v1/sources/{uuid}", ALERTS_READ, Anybody, ""),
    row("PATCH", "/v1/sources/{uuid}", ADMIN, Humans, PATCH_SOURCE),
    row("DELETE", "/v1/sources/{uuid}", ADMIN, Humans, ""),
    row(
        "GET",
        "/v1/sources/{uuid}/rejects",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/sources/{uuid}/rejects/{reject}/replay",
        ADMIN,
        Humans,
        "",
    ),
    row("PATCH", "/v1/api-keys/{uuid}", ADMIN, Humans, PATCH_KEY),
    row("DELETE", "/v1/alerts/{uuid}", ALERTS_WRITE, Humans, ""),
    row(
        "POST",
        "/v1/alerts/{uuid}/enrich",
        ALERTS_WRITE,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/alerts/{uuid}/indicators",
        ALERTS_WRITE,
        Anybody,
        INDICATORS,
    ),
    row(
        "GET",
        "/v1/alerts/{uuid}/relationship-graph",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/alerts/{uuid}/trigger-agents",
        AGENTS_WRITE,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/alerts/{uuid}/dispatch-agent",
        AGENTS_WRITE,
        Anybody,
        "",
    ),
    row(
        "GET",
        "/v1/alerts/{uuid}/dispatch-explanation",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row("GET", "/v1/alerts/facets", ALERTS_READ, Anybody, ""),
    row("GET", "/v1/alerts/complete", ALERTS_READ, Anybody, ""),
    row("GET", "/v1/views", ALERTS_READ, Anybody, ""),
    row("POST", "/v1/views", ALERTS_WRITE, Humans, VIEW),
    row("GET", "/v1/views/counts", ALERTS_READ, Anybody, ""),
    row("GET", "/v1/views/{uuid}", ALERTS_READ, Anybody, ""),
    row(
        "PATCH",
        "/v1/views/{uuid}",
        ALERTS_WRITE,
        Humans,
        PATCH_VIEW,
    ),
    row("DELETE", "/v1/views/{uuid}", ALERTS_WRITE, Humans, ""),
    row("GET", "/v1/indicators", ENRICHMENTS_READ, Anybody, ""),
    row(
        "GET",
        "/v1/indicators/{uuid}",
        ENRICHMENTS_READ,
        Anybody,
        "",
    ),
    row(
        "PATCH",
        "/v1/indicators/{uuid}",
        ALERTS_WRITE,
        Anybody,
        VERDICT,
    ),
    row("GET", "/v1/indicator-mappings", ADMIN, Anybody, ""),
    row("POST", "/v1/indicator-mappings", ADMIN, Humans, MAPPING),
    row(
        "GET",
        "/v1/indicator-mappings/source-plugin-fields",
        ADMIN,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/indicator-mappings/test-extraction",
        ADMIN,
        Anybody,
        EXTRACTION_TEST,
    ),
    row("GET", "/v1/indicator-mappings/{uuid}", ADMIN, Anybody, ""),
    row(
        "PATCH",
        "/v1/indicator-mappings/{uuid}",
        ADMIN,
        Humans,
        SWITCH_OFF,
    ),
    row("DELETE", "/v1/indicator-mappings/{uuid}", ADMIN, Humans, ""),
    row(
        "GET",
        "/v1/context-documents/{uuid}/versions",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row(
        "GET",
        "/v1/context-documents/{uuid}/versions/{version}",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row(
        "POST",
        "/v1/context-documents/{uuid}/versions/{version}/restore",
        ALERTS_WRITE,
        Humans,
        "",
    ),
    row(
        "GET",
        "/v1/detection-rules/{uuid}/metrics",
        ALERTS_READ,
        Anybody,
        "",
    ),
    row("GET", "/v1/metrics/alerts", ALERTS_READ, Anybody, ""),
    row("GET", "/v1/metrics/summary", ALERTS_READ, Anybody, ""),
    row("GET", "/v1/settings", ADMIN, Anybody, ""),
    row("PATCH", "/v1/settings", ADMIN, Humans, SETTINGS),
    row("GET", "/v1/settings/schema", ADMIN, Anybody, ""),
    row("GET", "/v1/settings/approval-defaults", ADMIN, Anybody, ""),
    row(
        "POST",
        "/v1/deliveries/{uuid}/cancel",
        AGENTS_WRITE,
        Anybody,
        "",
    ),
    row("GET", "/v1/sources", ALERTS_READ, Anybody, ""),
    row("POST", "/v1/agents/preview", AGENTS_WRITE, Anybody, PREVIEW),
    row(
        "POST",
        "/v1/agents/{uuid}/rotate-secret",
        AGENTS_WRITE,
        Humans,
        "",
    ),
    row(
        "POST",
        "/v1/agents/{uuid}/enable",
        AGENTS_WRITE,
        Anybody,
        "",
    ),
    row("POST", "/v1/agents/{uuid}/probe", AGENTS_WRITE, Anybody, ""),
    row(
        "POST",
        "/v1/agents/{uuid}/recover",
        AGENTS_WRITE,
        Anybody,
        RECOVER,
    ),
    row("GET", "/v1/activity", Needs::AnyKey, Anybody, ""),
    row("GET", "/v1/events", Needs::AnyKey, Anybody, ""),
    row("GET", "/ui/boot", Needs::Analyst, Anybody, ""),
    row("POST", "/ui/first-key", Needs::Analyst, Anybody, ""),
    row("POST", "/ui/session", Needs::Nothing, Anybody, SESSION),
];

/// A uuid of nothing.
pub(crate) const NOBODY: &str = "0195d3c0-0000-7000-8000-000000000000";

impl Route {
    /// Its path with a uuid and a source filled in.
    pub(crate) fn at(&self, uuid: &str) -> String {
        self.path
            .replace("{uuid}", uuid)
            .replace("{source}", "generic")
            .replace("{page}", "alerts")
            .replace("{reject}", uuid)
            .replace("{version}", "1")
    }
}

/// What the program says of its routes, in this list's words.
fn mounted() -> BTreeSet<(String, String, String, bool)> {
    let said = |route: calseta_server::RouteListing| {
        let needs = match route.needs {
            RouteNeeds::Nothing => Needs::Nothing,
            RouteNeeds::AnyKey => Needs::AnyKey,
            RouteNeeds::Scope(scope) => Needs::Scope(scope),
            RouteNeeds::Analyst => Needs::Analyst,
        };
        (
            route.method,
            route.path.to_owned(),
            format!("{needs:?}"),
            route.human_only,
        )
    };
    calseta_server::operations().into_iter().map(said).collect()
}

#[test]
fn every_mounted_route_is_in_the_list_with_what_it_asks() {
    let of_row = |route: &Route| {
        let needs = format!("{:?}", route.needs);
        (
            route.method.to_owned(),
            route.path.to_owned(),
            needs,
            route.who == Humans,
        )
    };
    let listed: BTreeSet<_> = ROUTES.iter().map(of_row).collect();
    let mounted = mounted();
    let unlisted: Vec<_> = mounted.difference(&listed).collect();
    let unmounted: Vec<_> = listed.difference(&mounted).collect();
    assert!(
        unlisted.is_empty() && unmounted.is_empty(),
        "mounted but not (so) in the list: {unlisted:#?}; in the list but not (so) mounted: {unmounted:#?}"
    );
}
