//! What the whole-product tests share: the real backend, recording servers, and a browser and a
//! window driven alike.

pub mod backend;
pub mod recorder;
pub mod webdriver;
