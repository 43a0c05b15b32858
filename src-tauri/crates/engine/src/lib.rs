//! The engine: what happens to an alert, from its ingest to the findings about it.
//!
//! Callers (the HTTP server, the window, the command line) hand in a request and who asks for it
//! and get a view back; rules come from `calseta-domain`, rows from `calseta-store`, the outside
//! world through `calseta-egress`. The stages under `stage` are driven by rows, so they may die
//! anywhere and be run twice. Read `ingest`, then `stage`, then `payload`.

mod activity;
mod activity_words;
mod agent_auth;
mod agent_changes;
mod agent_checks;
mod agent_payload;
mod agents;
mod alerts;
mod anchors;
mod api_key_changes;
mod api_keys;
mod attack_names;
mod backups;
mod bulk;
mod catalog;
mod changes;
mod clock;
mod convert;
mod deliveries;
mod delivery_verbs;
mod dispatch;
mod dispatch_explanation;
mod document_versions;
mod documents;
mod egress_log;
mod enrichments;
mod events;
mod extractions;
mod failed_auth;
mod findings;
mod grants;
mod groups;
mod health;
mod idempotency;
mod indicators;
mod ingest;
mod key_cache;
mod mappings;
mod metrics;
mod outbound;
mod palette;
mod payload;
mod principal;
mod problem;
mod providers;
mod quarantine;
mod rejects;
mod related;
mod retention;
mod rules;
mod saved_views;
mod search;
mod settings;
mod signed;
mod sources;
mod stage;
mod start;
mod suppressions;
#[cfg(test)]
mod tests;
mod tokens;
mod triage;
mod vault;
mod verify;
mod views;

pub use activity::ActivityQuery;
pub use agents::AGENT_NAME_MAX;
pub use alerts::AlertListQuery;
pub use backups::{
    BackupError, BackupKind, Recovered, RestoreReport, RestoreRequest, backup_directory,
    recover_directory, restore_directory,
};
pub use calseta_domain::query::Query;
pub use calseta_store::tables::Direction;
pub use calseta_store::tables::alert_list::{AlertFilter, AlertSort, Counting, Keyset, Paging};
pub use calseta_store::tables::detection_rule::{RuleFilter, RuleSort};
pub use calseta_store::tables::document::{DocumentFilter, DocumentSort};
pub use calseta_store::tables::egress_log::EgressFilter;
pub use calseta_store::tables::extraction::ExtractionFilter;
pub use calseta_store::tables::indicator::{IndicatorFilter, IndicatorSort};
pub use calseta_store::tables::mapping::MappingFilter;
pub use calseta_store::{CopyError, OpenError, SalvagedTable};
pub use clock::{Clock, Ids, random_bytes};
pub use convert::{Format, MAX_FILE_BYTES, Upload};
pub use deliveries::DeliveryListQuery;
pub use delivery_verbs::{Backlog, Waits};
pub use document_versions::DocumentForm;
pub use events::EventRange;
pub use failed_auth::FailedAuth;
pub use findings::PostedWith;
pub use idempotency::RequestKey;
pub use indicators::MAX_SIBLINGS;
pub use principal::{Principal, PrincipalKind};
pub use problem::Problem;
pub use providers::ProviderListQuery;
pub use related::MAX_RELATED;
pub use retention::WhatIf;
pub use settings::Settings;
pub use start::{Engine, EngineConfig, FirstKey, StartError};
pub use triage::Undoable;
pub use vault::{KeyStore, KeyStoreView};
pub use verify::{Verified, verify_directory};

/// The rows of a page and what was counted; the server makes the envelope.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many there are in all, when counted.
    pub total: Option<u64>,
    /// Whether counting stopped at the cap.
    pub total_is_capped: bool,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

impl<T> Listed<T> {
    /// A fully counted page.
    pub fn counted(rows: Vec<T>, total: u64) -> Self {
        Self {
            rows,
            total: Some(total),
            total_is_capped: false,
            next_cursor: None,
        }
    }
}

/// A page by number: v1.1.0's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNumber {
    /// From 1.
    pub page: u64,
    /// 1..=500.
    pub page_size: u64,
}

impl PageNumber {
    /// Rows before this page.
    pub fn offset(self) -> u64 {
        self.page.saturating_sub(1).saturating_mul(self.page_size)
    }
}
