//! Control builds of the fault tests. Compiled only with the `faults` feature, which no shipped
//! binary has. A test of loss proves nothing unless a build that loses makes it fail.

use std::sync::OnceLock;
use std::time::Duration;

/// How long the control build waits between answering and committing: the window in which a kill
/// must lose what was acknowledged.
const EARLY_ACK_WINDOW: Duration = Duration::from_millis(5);

/// The mistake that `CALSETA_FAULT` asks for.
#[expect(
    clippy::disallowed_methods,
    reason = "the control build's only setting"
)]
fn asked() -> &'static str {
    static ASKED: OnceLock<String> = OnceLock::new();
    ASKED.get_or_init(|| std::env::var("CALSETA_FAULT").unwrap_or_default())
}

/// Whether answers are to come before the commit.
pub(crate) fn early_ack() -> bool {
    asked() == "early-ack"
}

/// Leaves commits to the kernel's good will when `synchronous-normal` asks for it: a power cut
/// must then lose what was answered as kept.
pub(crate) fn loosen(conn: &rusqlite::Connection) -> rusqlite::Result<()> {
    if asked() == "synchronous-normal" {
        conn.execute_batch("PRAGMA synchronous=NORMAL")?;
    }
    Ok(())
}

/// A migration's step without its transaction when `torn-upgrade` asks for it: a kill in the middle
/// must then leave a file between two versions.
pub(crate) fn torn(step: String) -> String {
    if asked() == "torn-upgrade" {
        return step.replace("BEGIN IMMEDIATE;", "").replace("; COMMIT", "");
    }
    step
}

/// Blocks the writer thread for the window.
pub(crate) fn early_ack_window() {
    std::thread::sleep(EARLY_ACK_WINDOW);
}
