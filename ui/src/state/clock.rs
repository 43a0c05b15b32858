//! The page's clock: one tick for every age on the screen.

use calseta_domain::Timestamp;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// How often ages are looked at again. They change by the minute for anything that matters.
const TICK: std::time::Duration = std::time::Duration::from_secs(5);

/// The time now, for ages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(RwSignal<i64>);

impl Clock {
    /// Starts ticking and provides itself.
    pub(crate) fn provide() {
        let clock = Self(RwSignal::new(now_ms()));
        let ticking = set_interval_with_handle(move || clock.0.set(now_ms()), TICK);
        if let Ok(handle) = ticking {
            on_cleanup(move || handle.clear());
        }
        provide_context(clock);
    }

    /// The provided clock.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// Milliseconds since 1970, as of the last tick; a reader is run again at the next.
    pub(crate) fn now(self) -> i64 {
        self.0.get()
    }
}

/// Milliseconds since 1970, now.
pub(crate) fn now_ms() -> i64 {
    // Whole milliseconds within 285,616 years of 1970: exact in a float and in an i64.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    let millis = js_sys::Date::now() as i64;
    millis
}

/// The desktop's offset from UTC at a point in time, in minutes; local minus UTC.
pub(crate) fn offset_minutes(at: Timestamp) -> i32 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "whole milliseconds of this era are exact"
    )]
    let date = js_sys::Date::new(&JsValue::from_f64(at.millis() as f64));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 14 hours of minutes"
    )]
    let behind = date.get_timezone_offset() as i32;
    -behind
}
