//! Checks of the API by programs that others wrote, against the program under test.
//!
//! They see the API as a stranger does: only through its OpenAPI document. A linter reads the
//! document, a fuzzer asks whether the program keeps to it, and stock generators make clients of it
//! that have to work. What they need is in `tests/clients`.

mod backend;
mod clients;
mod document;
mod fuzz;

pub(crate) use self::clients::check as check_clients;
pub(crate) use self::document::check as check_document;
pub(crate) use self::fuzz::{Extent, check as fuzz};
