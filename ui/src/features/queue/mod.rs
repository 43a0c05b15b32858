//! The queue: a dense list that updates under the reader's eyes without moving.

mod empty;
mod filters;
mod grid;
mod page;
mod row;
mod shortcuts;

pub(crate) use page::QueuePage;
