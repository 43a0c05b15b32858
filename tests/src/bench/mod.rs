//! The benchmark: what the product does on this machine, in figures.
//!
//! It is no test: it never fails on time. It starts the release binary with the rate limits off, on
//! a fresh data directory a section, and drives it over raw keep-alive connections, so that the
//! generator takes as little as possible of the processors that both share.

pub mod corpus;
pub mod delivery;
pub mod load;
pub mod machine;
pub mod peer;
pub mod queries;
pub mod report;
pub mod sections;
pub mod soak;
pub mod window;

use std::time::Duration;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// How long each ingest run takes.
    pub ingest: Duration,
    /// Alerts of the latency run.
    pub latency_alerts: usize,
    /// Alerts of the burst.
    pub burst_alerts: usize,
    /// How long the backend is left alone before its memory is read.
    pub rest: Duration,
}

impl Extent {
    /// What the figures in the documentation come from.
    pub const FULL: Self = Self {
        ingest: Duration::from_secs(6),
        latency_alerts: 200,
        burst_alerts: 1000,
        rest: Duration::from_secs(5),
    };
    /// A look while working.
    pub const QUICK: Self = Self {
        ingest: Duration::from_secs(2),
        latency_alerts: 60,
        burst_alerts: 300,
        rest: Duration::from_secs(1),
    };
}
