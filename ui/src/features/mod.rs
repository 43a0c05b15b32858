//! One folder a noun. Features fetch and compose components; they never import one another.

pub(crate) mod agents;
pub(crate) mod alert;
#[cfg(debug_assertions)]
pub(crate) mod gallery;
pub(crate) mod queue;
pub(crate) mod setup;
