//! The main job, end to end against the real binary: an alert comes in, is read, enriched, matched
//! and delivered; an agent answers. Every test has a backend and a data directory of its own.

mod command_line;
mod contract;
mod dedup;
mod enrichment;
mod enrichment_failures;
mod events;
mod filters;
mod findings;
mod own_sources;
mod page;
mod samples;
mod status;
