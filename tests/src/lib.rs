//! What the whole-product tests share: the real backend, recording servers, and a browser and a
//! window driven alike.

#![expect(
    clippy::missing_panics_doc,
    reason = "a panic here is a failed test, which says why"
)]

pub mod backend;
pub mod bench;
pub mod canary;
pub mod caseload;
pub mod dice;
pub mod forgetful;
pub mod goals;
pub mod namespace;
pub mod page;
pub mod raw;
pub mod recorder;
pub mod webdriver;
pub mod world;
