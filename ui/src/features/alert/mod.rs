//! One alert: everything that decides, in the order of its weight, on one page without tabs.

mod context;
mod deliveries;
mod findings;
mod glance;
mod header;
mod indicators;
mod open_alert;
mod page;
mod raw;
mod timeline;

pub(crate) use page::AlertPage;
