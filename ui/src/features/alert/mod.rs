//! One alert: everything that decides, in the order of its weight, on one page without tabs.

mod context;
mod findings;
mod glance;
mod graph;
mod header;
mod header_menu;
mod indicator_add;
mod indicator_evidence;
mod indicator_verdict;
mod indicators;
mod known;
mod map_path;
mod open_alert;
mod page;
mod raw;
mod related;
mod timeline;
mod told;
mod workflows;

pub(crate) use page::{AlertPage, commands};
