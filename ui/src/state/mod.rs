//! What more than one view cares about. Each thing has a name; nothing is a bare signal in context.

pub(crate) mod alert_actions;
pub(crate) mod alert_list;
pub(crate) mod clock;
pub(crate) mod commands;
pub(crate) mod live;
pub(crate) mod places;
pub(crate) mod queue;
pub(crate) mod session;
pub(crate) mod theme;
pub(crate) mod toasts;
