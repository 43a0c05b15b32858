//! Every known fault of Calseta v1.1.0 beside the test that shows it gone, or the reason why it
//! stays or cannot occur here.
//!
//! The faults are rows: a number, the section of the description of v1.1.0 where it was noted, a
//! sentence, and what became of it. A row names a function of this room, which a section's test
//! runs against the real program, or a test elsewhere, whose existence is checked. Nothing is
//! claimed that no test runs.

mod agents;
mod alerts;
mod api;
mod documents;
mod enrichment;
mod extraction;
mod fault;
mod ingest;
mod later;
mod metrics;
mod rules;
mod security;
mod table;
