//! The window in a real browser against the real backend.
//!
//! Every test starts its own `calseta serve --ui` with an empty data directory and its own
//! browser, does with the keyboard what an analyst does, and keeps screenshots to be looked at.

mod adapts;
mod agents;
mod command_rows;
mod commands;
mod every_view;
mod evidence;
mod hostile;
mod looks;
mod payloads;
mod place;
mod queue;
mod reader;
mod recorder;
mod search;
mod setup;
mod shift;
mod strike;
mod suppression;
mod view_list;
mod views;
mod window_rows;
mod world;
