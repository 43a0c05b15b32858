//! Control builds of the fault tests. Compiled only with the `faults` feature, which no shipped
//! binary has. A test of loss proves nothing unless a build that loses makes it fail.

use std::sync::OnceLock;
use std::time::Duration;

/// How long the control build waits between answering and committing: the window in which a kill
/// must lose what was acknowledged.
const EARLY_ACK_WINDOW: Duration = Duration::from_millis(5);

/// Whether `CALSETA_FAULT=early-ack` asks for answers before the commit.
#[expect(
    clippy::disallowed_methods,
    reason = "the control build's only setting"
)]
pub(crate) fn early_ack() -> bool {
    static ASKED: OnceLock<bool> = OnceLock::new();
    *ASKED.get_or_init(|| std::env::var("CALSETA_FAULT").is_ok_and(|v| v == "early-ack"))
}

/// Blocks the writer thread for the window.
pub(crate) fn early_ack_window() {
    std::thread::sleep(EARLY_ACK_WINDOW);
}
