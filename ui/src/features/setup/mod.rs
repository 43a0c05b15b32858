//! Before the first view: the link, the first key, a backend that does not answer.

mod first_key;
mod pages;

pub(crate) use first_key::FirstKeyDialog;
pub(crate) use pages::{SignInPage, StartFailedPage};
