//! The window in a real browser against the real backend.
//!
//! Every test starts its own `calseta serve --ui` with an empty data directory and its own
//! browser, does with the keyboard what an analyst does, and keeps screenshots to be looked at.

mod agents;
mod every_view;
mod hostile;
mod looks;
mod payloads;
mod queue;
mod recorder;
mod setup;
mod views;
mod world;
