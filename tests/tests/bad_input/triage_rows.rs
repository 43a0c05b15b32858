//! The rows of the routes of triage, for the list of routes.

use crate::routes::Who::Anybody;
use crate::routes::{Needs, Route, row};

const READ: Needs = Needs::Scope("alerts:read");

/// All of them.
pub(crate) const ROUTES: &[Route] = &[row(
    "GET",
    "/v1/alerts/{uuid}/agent-payload",
    READ,
    Anybody,
    "",
)];
