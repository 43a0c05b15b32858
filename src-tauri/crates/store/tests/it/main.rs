//! The store as its callers see it, on real files.

mod activity;
mod alerts;
mod chain;
mod changes;
mod commit;
mod configuration;
mod copies;
mod lists;
mod metrics;
mod orphans;
mod plans;
mod readers;
mod related;
mod search;
mod storage;
mod triage;
mod world;
