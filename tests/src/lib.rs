//! What the whole-product tests share: a browser and a window driven alike.

pub mod webdriver;
