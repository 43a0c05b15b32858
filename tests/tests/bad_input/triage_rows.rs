//! The rows of the routes of triage, for the list of routes.

use crate::route_bodies::{
    BULK, DONE, FLAGS, HIDDEN, NOTE, PATCH_SUPPRESSION, REVIEW, SNOOZE, SUPPRESSION,
    SUPPRESSION_PREVIEW,
};
use crate::routes::Who::{Anybody, Humans};
use crate::routes::{Needs, Route, row};

const READ: Needs = Needs::Scope("alerts:read");
const WRITE: Needs = Needs::Scope("alerts:write");

const SNOOZED: &str = "/v1/alerts/{uuid}/snooze";
const CHECKLIST: &str = "/v1/alerts/{uuid}/checklist/{document_uuid}/{n}";
const SUPPRESSIONS: &str = "/v1/suppressions";
const ONE_SUPPRESSION: &str = "/v1/suppressions/{uuid}";
const PREVIEWED: &str = "/v1/suppressions/preview";
const UNDO: &str = "/v1/changes/{change_uuid}/undo";

/// All of them.
pub(crate) const ROUTES: &[Route] = &[
    row("POST", "/v1/alerts/{uuid}/notes", WRITE, Anybody, NOTE),
    row("PUT", SNOOZED, WRITE, Anybody, SNOOZE),
    row("DELETE", SNOOZED, WRITE, Anybody, ""),
    row("PUT", "/v1/alerts/{uuid}/flags", WRITE, Anybody, FLAGS),
    row("PUT", CHECKLIST, WRITE, Anybody, DONE),
    row("GET", "/v1/alerts/{uuid}/related", READ, Anybody, ""),
    row("GET", "/v1/alerts/{uuid}/agent-payload", READ, Anybody, ""),
    row("POST", "/v1/alerts/bulk", WRITE, Humans, BULK),
    row("POST", UNDO, WRITE, Humans, ""),
    row("GET", SUPPRESSIONS, READ, Anybody, ""),
    row("POST", SUPPRESSIONS, WRITE, Humans, SUPPRESSION),
    row("POST", PREVIEWED, READ, Humans, SUPPRESSION_PREVIEW),
    row("GET", ONE_SUPPRESSION, READ, Anybody, ""),
    row("PATCH", ONE_SUPPRESSION, WRITE, Humans, PATCH_SUPPRESSION),
    row("DELETE", ONE_SUPPRESSION, WRITE, Humans, ""),
    row("PUT", "/v1/findings/{uuid}/review", WRITE, Humans, REVIEW),
    row("PUT", "/v1/findings/{uuid}/hidden", WRITE, Humans, HIDDEN),
    row("GET", "/v1/alerts/groups", READ, Anybody, ""),
    row("GET", "/v1/search", Needs::AnyKey, Anybody, ""),
];
