//! Fault points and control builds of the fault tests.
//!
//! Every commit of a stage has two points: `NAME.before`, when nothing of it is stored, and
//! `NAME.after`, when all of it is and nobody was told. Without the `faults` feature, which no shipped
//! binary has, they are nothing. With it, `FAILPOINTS` says what happens there, in the words of the
//! `fail` crate: `return(abort)` ends the process as a crash does, `return(err)` fails the write,
//! `panic` and `sleep(ms)` are the crate's own; `2*off->1*return(abort)` chooses the third time.
//! `CALSETA_FAULT_CLOCK` names a file with the milliseconds that the wall clock is off, read again and
//! again. `CALSETA_FAULT_HITS` names a file that gets the name of every point that was reached, once.

use crate::StoreError;

/// Every point's name, without its side.
pub const POINTS: &[&str] = &[
    "clock.back",
    "deliver.claim",
    "deliver.settle",
    "dispatch",
    "enrich.claim",
    "enrich.finish",
    "enrich.retry",
    "finding",
    "ingest",
    "lease",
    "match.claim",
    "match.finish",
    "match.retry",
    "migration",
    "quarantine",
    "recover",
    "suspect.claim",
];
/// The two sides of a commit.
pub const SIDES: [&str; 2] = ["before", "after"];

/// Reached before the commit `point`.
pub(crate) fn before(point: &'static str) -> Result<(), StoreError> {
    reach(point, SIDES[0])
}

/// Reached after it.
pub(crate) fn after(point: &'static str) -> Result<(), StoreError> {
    reach(point, SIDES[1])
}

#[cfg(not(feature = "faults"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "a build with fault points can fail here"
)]
const fn reach(_point: &'static str, _side: &str) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(feature = "faults")]
use control::reach;
/// How far the wall clock is off, in milliseconds: what a machine that slept or was set looks like.
#[cfg(not(feature = "faults"))]
pub const fn clock_offset_ms() -> i64 {
    0
}

#[cfg(feature = "faults")]
pub use control::clock_offset_ms;
#[cfg(feature = "faults")]
pub(crate) use control::{early_ack, early_ack_window, loosen, torn};

#[cfg(feature = "faults")]
mod control {
    use std::collections::BTreeSet;
    use std::io::Write as _;
    use std::path::PathBuf;
    use std::sync::{Mutex, Once, OnceLock, PoisonError};
    use std::time::Duration;

    use crate::StoreError;

    /// How long the control build waits between answering and committing: the window in which a
    /// kill must lose what was acknowledged.
    const EARLY_ACK_WINDOW: Duration = Duration::from_millis(5);

    #[expect(
        clippy::disallowed_methods,
        reason = "the control build is told by its environment alone"
    )]
    fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// The mistake that `CALSETA_FAULT` asks for.
    fn asked() -> &'static str {
        static ASKED: OnceLock<String> = OnceLock::new();
        ASKED.get_or_init(|| variable("CALSETA_FAULT").unwrap_or_default())
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

    /// A migration's step without its transaction when `torn-upgrade` asks for it: a kill in the
    /// middle must then leave a file between two versions.
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

    /// The number in the file that `CALSETA_FAULT_CLOCK` names; 0 without one.
    pub fn clock_offset_ms() -> i64 {
        static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
        let file = FILE.get_or_init(|| variable("CALSETA_FAULT_CLOCK").map(PathBuf::from));
        let text = file
            .as_ref()
            .and_then(|file| std::fs::read_to_string(file).ok());
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// Notes that a point was reached and does what was asked for there.
    pub(super) fn reach(point: &'static str, side: &str) -> Result<(), StoreError> {
        static SETUP: Once = Once::new();
        // Kept for good: dropping it would take every action back.
        SETUP.call_once(|| std::mem::forget(fail::FailScenario::setup()));
        let name = format!("{point}.{side}");
        note(&name);
        let action = |argument: Option<String>| {
            if argument.as_deref() == Some("abort") {
                std::process::abort();
            }
            Err(StoreError::Busy)
        };
        fail::fail_point!(name.as_str(), action);
        Ok(())
    }

    /// Appends a point to the file of those that were reached, the first time.
    fn note(name: &str) {
        static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
        static NOTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let file = FILE.get_or_init(|| variable("CALSETA_FAULT_HITS").map(PathBuf::from));
        let Some(path) = file else { return };
        let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
        if !noted.insert(name.to_owned()) {
            return;
        }
        let opened = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        let written = opened.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
        if let Err(error) = written {
            tracing::error!(error = %error, "a fault point could not be noted");
        }
    }
}
