//! Every route with what it asks of a caller: one list for the guard, the keys and the bodies.
//!
//! It is written by hand from the specification, so that it says the same a second time: the table
//! that the router is made from is compared with it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use calseta_server::RouteNeeds;

use crate::{route_rows, triage_rows};

/// All of them.
pub(crate) static ROUTES: LazyLock<Vec<Route>> =
    LazyLock::new(|| [route_rows::ROUTES, triage_rows::ROUTES].concat());

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

pub(crate) const fn row(
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

/// A uuid of nothing.
pub(crate) const NOBODY: &str = "0195d3c0-0000-7000-8000-000000000000";

impl Route {
    /// Its path with a uuid and a source filled in.
    pub(crate) fn at(&self, uuid: &str) -> String {
        self.path
            .replace("{uuid}", uuid)
            .replace("{document_uuid}", uuid)
            .replace("{change_uuid}", uuid)
            .replace("{n}", "0")
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
            route.who == Who::Humans,
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
