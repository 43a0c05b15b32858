//! One typed function per call. Nothing outside this folder knows an address or a transport.

mod agents;
mod alerts;
mod changes;
mod events;
mod failure;
mod findings;
mod keys;
mod mappings;
mod palette;
mod providers;
mod request;
mod search;
mod sources;
mod suppressions;
mod system;
mod transport;
mod triage;

pub(crate) use agents::{
    AgentDraft, Redelivery, count_deliveries, create_agent, delete_agent, deliveries,
    delivery_body, enable_agent, get_agent, list_agents, patch_agent, recover_agent, redeliver,
    retry_now, test_agent,
};
pub(crate) use alerts::{
    AlertDetail, activity, alert_deliveries, count_alerts, get_alert, ingest_generic, list_alerts,
    send_test_alert,
};
pub(crate) use changes::{Changed, bulk, patch_alert, reopen_alert, undo};
pub(crate) use events::{latest_event, wait_for_events};
pub(crate) use failure::Failure;
pub(crate) use findings::{
    add_indicators, hide_finding, indicator, review_finding, set_indicator_malice,
};
pub(crate) use keys::{create_agent_key, grant_address, list_keys};
pub(crate) use mappings::create_mapping;
pub(crate) use palette::{enrich_now, search};
pub(crate) use providers::list_providers;
pub(crate) use request::encoded;
pub(crate) use search::{
    complete, create_view, delete_view, facets, groups, list_views, view_counts,
};
pub(crate) use sources::list_sources;
pub(crate) use suppressions::{
    create_suppression, delete_suppression, list_suppressions, patch_suppression,
    preview_suppression,
};
pub(crate) use system::{boot, is_air_gapped, quarantined_jobs, release_job, take_first_key};
pub(crate) use transport::{Admission, admission, forget_session};
pub(crate) use triage::{
    add_note, agent_payload, dispatch_agent, dispatch_explanation, enrich_alert, related,
    set_checklist, set_flags, snooze, trigger_agents, wake,
};
