//! Pure text: what people read, made from what machines and strangers wrote.

mod age;
mod defang;
mod delivery;
mod event;
pub(crate) mod export;
mod fuzzy;
pub(crate) mod markdown;
mod middle;
mod rules;
mod visible;

pub(crate) use age::{age, ago, moment, spoken_age, stamp};
pub(crate) use defang::defang;
pub(crate) use delivery::{attempt_outcome, delivery_state, delivery_wait};
pub(crate) use event::{event_facts, event_title};
pub(crate) use fuzzy::fuzzy;
pub(crate) use middle::{capital, clip, middle};
pub(crate) use rules::rules_in_words;
pub(crate) use visible::{visible, visible_lines};
