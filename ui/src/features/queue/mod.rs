//! The queue: a dense list that updates under the reader's eyes without moving.

mod bulk_bar;
mod cells;
mod display_menu;
mod empty;
mod export;
mod facets;
mod foot;
mod grid;
mod group_row;
mod head;
mod orders;
mod page;
mod peek;
mod query_bar;
mod query_text;
mod row;
mod shortcuts;
mod views_menu;

pub(crate) use bulk_bar::commands;
pub(crate) use page::QueuePage;
