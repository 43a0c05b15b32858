//! Agents: who is told about alerts, and how that went.

mod backlog;
mod deliveries;
mod detail;
mod list;
mod new;
mod secrets;
mod settings;

pub(crate) use detail::AgentPage;
pub(crate) use list::AgentsPage;
pub(crate) use new::NewAgentPage;
