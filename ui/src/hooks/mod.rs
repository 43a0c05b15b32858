//! Behaviour that several views share.

mod use_action;
mod use_grid_window;
mod use_shortcuts;
mod use_title;

pub(crate) use use_action::{Action, use_action};
pub(crate) use use_grid_window::{scroll_to, window_of};
pub(crate) use use_shortcuts::{spelled, use_shortcuts};
pub(crate) use use_title::use_title;
