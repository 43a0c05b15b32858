//! What more than one view cares about. Each thing has a name; nothing is a bare signal in context.

pub(crate) mod agent_times;
pub(crate) mod alert_action;
pub(crate) mod alert_actions;
pub(crate) mod alert_list;
pub(crate) mod clock;
pub(crate) mod columns;
pub(crate) mod commands;
pub(crate) mod groups;
pub(crate) mod layout;
pub(crate) mod list_order;
pub(crate) mod live;
pub(crate) mod places;
pub(crate) mod preferences;
pub(crate) mod prompts;
pub(crate) mod queue;
pub(crate) mod recents;
pub(crate) mod selection;
pub(crate) mod session;
pub(crate) mod snippets;
pub(crate) mod theme;
pub(crate) mod toasts;
pub(crate) mod views;
