//! The `/v1` wire: request and response types per noun, the envelopes and the error body.
//!
//! Used by the server, which writes it, by the window, which reads it, and by the engine, because
//! an agent's payload is wire too. Objects serialise in the key order of `docs/agent-webhooks.txt`,
//! additions after. The wire depends on the domain, never the reverse.

pub mod agent;
pub mod alert;
pub mod api_key;
pub mod backup;
pub mod change;
pub mod context_document;
pub mod delivery;
pub mod detection_rule;
pub mod egress;
pub mod enrichment;
pub mod envelope;
pub mod event;
pub mod finding;
pub mod grant;
pub mod health;
pub mod indicator;
pub mod ingest;
pub mod job;
pub mod mapping;
pub mod metrics;
pub mod palette;
pub mod patch;
pub mod payload;
pub mod provider;
pub mod related;
pub mod retention;
#[cfg(feature = "openapi")]
mod schema;
pub mod search;
pub mod settings;
pub mod source;
pub mod suppression;
pub mod triage;

pub use envelope::{Envelope, ErrorBody, ErrorObject, FieldError, ListMeta, Page};
pub use patch::Patch;
