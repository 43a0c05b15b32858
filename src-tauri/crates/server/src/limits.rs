//! Rate limits per key: they stop a runaway client, not an analyst.

use std::num::NonZeroU32;
use std::time::Duration;

use calseta_domain::ErrorCode;
use calseta_engine::Problem;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Requests a minute; 0 is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Ingest, per key.
    pub ingest_per_minute: u32,
    /// Ingest at once, per key.
    pub ingest_burst: u32,
    /// Everything else, per key.
    pub other_per_minute: u32,
    /// Asking providers on demand, per key.
    pub enrichment_per_minute: u32,
    /// Bad keys, in all: every caller has the same address. Never delays a good key.
    pub failed_auth_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ingest_per_minute: 60_000,
            ingest_burst: 10_000,
            other_per_minute: 6_000,
            enrichment_per_minute: 600,
            failed_auth_per_minute: 30,
        }
    }
}

impl Limits {
    /// No limits, for benchmarks and fault runs.
    pub const OFF: Self = Self {
        ingest_per_minute: 0,
        ingest_burst: 0,
        other_per_minute: 0,
        enrichment_per_minute: 0,
        failed_auth_per_minute: 0,
    };
}

/// Which limit a request counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Ingest,
    Other,
    Enrichment,
}

/// The counters.
#[derive(Debug)]
pub(crate) struct Limiters {
    ingest: Option<DefaultKeyedRateLimiter<i64>>,
    other: Option<DefaultKeyedRateLimiter<i64>>,
    enrichment: Option<DefaultKeyedRateLimiter<i64>>,
    failed_auth: Option<DefaultDirectRateLimiter>,
}

fn quota(per_minute: u32, burst: u32) -> Option<Quota> {
    let rate = NonZeroU32::new(per_minute)?;
    Some(Quota::per_minute(rate).allow_burst(NonZeroU32::new(burst).unwrap_or(rate)))
}

fn limited(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    Problem::new(
        ErrorCode::RateLimited,
        format!("too many requests; try again in {seconds} s"),
    )
    .with("retry_after_seconds", seconds)
    .after(seconds)
}

impl Limiters {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            ingest: quota(limits.ingest_per_minute, limits.ingest_burst).map(RateLimiter::keyed),
            other: quota(limits.other_per_minute, limits.other_per_minute).map(RateLimiter::keyed),
            enrichment: quota(limits.enrichment_per_minute, limits.enrichment_per_minute)
                .map(RateLimiter::keyed),
            failed_auth: quota(limits.failed_auth_per_minute, limits.failed_auth_per_minute)
                .map(RateLimiter::direct),
        }
    }

    /// Counts a request of a key.
    pub(crate) fn count(&self, key: i64, class: Class) -> Result<(), Problem> {
        let limiter = match class {
            Class::Ingest => &self.ingest,
            Class::Other => &self.other,
            Class::Enrichment => &self.enrichment,
        };
        let Some(limiter) = limiter else {
            return Ok(());
        };
        limiter
            .check_key(&key)
            .map_err(|until| limited(until.wait_time_from(DefaultClock::default().now())))
    }

    /// Counts a bad key; the answer to it, which is the given one until there were too many.
    pub(crate) fn failed(&self, problem: Problem) -> Problem {
        let Some(limiter) = &self.failed_auth else {
            return problem;
        };
        match limiter.check() {
            Ok(()) => problem,
            Err(until) => limited(until.wait_time_from(DefaultClock::default().now())),
        }
    }
}
