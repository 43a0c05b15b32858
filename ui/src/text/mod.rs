//! Pure text: what people read, made from what machines and strangers wrote.

mod age;
mod defang;
mod delivery;
mod event;
mod middle;
mod visible;

pub(crate) use age::{age, ago, spoken_age, stamp};
pub(crate) use defang::defang;
pub(crate) use delivery::{attempt_outcome, delivery_state};
pub(crate) use event::{event_facts, event_title};
pub(crate) use middle::{clip, middle};
pub(crate) use visible::{visible, visible_lines};
