//! One typed function per call. Nothing outside this folder knows an address or a transport.

mod agents;
mod alerts;
mod events;
mod failure;
mod keys;
mod request;
mod sources;
mod system;
mod transport;

pub(crate) use agents::{
    AgentDraft, Redelivery, create_agent, delete_agent, deliveries, get_agent, list_agents,
    patch_agent, redeliver, retry_now, test_agent,
};
pub(crate) use alerts::{
    AlertDetail, AlertPageQuery, activity, alert_deliveries, count_alerts, get_alert, list_alerts,
    patch_alert, reopen_alert, send_test_alert,
};
pub(crate) use events::{latest_event, wait_for_events};
pub(crate) use failure::Failure;
pub(crate) use keys::{create_agent_key, grant_address};
pub(crate) use sources::list_sources;
pub(crate) use system::{boot, take_first_key};
pub(crate) use transport::{Admission, admission, forget_session};
