//! Rate limits per key: they stop a runaway client, not an analyst.
//!
//! They are settings and change while the program runs. Changing them starts counting anew.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use calseta_domain::ErrorCode;
use calseta_engine::Problem;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue};

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
    /// No limits, whatever the settings say: for benchmarks and fault runs.
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

type PerKey =
    RateLimiter<i64, DefaultKeyedStateStore<i64>, DefaultClock, StateInformationMiddleware>;

/// The counters of one set of limits.
#[derive(Debug)]
struct Counters {
    limits: Limits,
    ingest: Option<PerKey>,
    other: Option<PerKey>,
    enrichment: Option<PerKey>,
    failed_auth: Option<DefaultDirectRateLimiter>,
}

fn quota(per_minute: u32, burst: u32) -> Option<Quota> {
    let rate = NonZeroU32::new(per_minute)?;
    Some(Quota::per_minute(rate).allow_burst(NonZeroU32::new(burst).unwrap_or(rate)))
}

impl Counters {
    fn new(limits: Limits) -> Self {
        let per_key = |per_minute, burst| {
            quota(per_minute, burst).map(|quota| RateLimiter::keyed(quota).with_middleware())
        };
        Self {
            limits,
            ingest: per_key(limits.ingest_per_minute, limits.ingest_burst),
            other: per_key(limits.other_per_minute, limits.other_per_minute),
            enrichment: per_key(limits.enrichment_per_minute, limits.enrichment_per_minute),
            failed_auth: quota(limits.failed_auth_per_minute, limits.failed_auth_per_minute)
                .map(RateLimiter::direct),
        }
    }
}

/// Where a key stands with its limit, for the headers of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    limit: u32,
    remaining: u32,
    reset_secs: u64,
}

impl Standing {
    fn new(quota: Quota, remaining: u32) -> Self {
        let limit = quota.burst_size().get();
        let used = limit.saturating_sub(remaining);
        let reset = quota.replenish_interval().saturating_mul(used);
        Self {
            limit,
            remaining,
            reset_secs: reset.as_secs() + u64::from(reset.subsec_nanos() > 0),
        }
    }
}

/// Carried with a request, so that whoever counts it can say so in the answer's headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct StandingSlot(Arc<OnceLock<Standing>>);

impl StandingSlot {
    fn set(&self, standing: Standing) {
        self.0.get_or_init(|| standing);
    }

    /// Writes the headers, when the request was counted.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Some(standing) = self.0.get() else {
            return;
        };
        let all = [
            ("x-ratelimit-limit", u64::from(standing.limit)),
            ("x-ratelimit-remaining", u64::from(standing.remaining)),
            ("x-ratelimit-reset", standing.reset_secs),
        ];
        for (name, value) in all {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
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

/// The counters that are in force.
#[derive(Debug)]
pub(crate) struct Limiters(RwLock<Arc<Counters>>);

impl Limiters {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(RwLock::new(Arc::new(Counters::new(limits))))
    }

    fn now(&self) -> Arc<Counters> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other limits in force; the same ones change nothing.
    pub(crate) fn apply(&self, limits: Limits) {
        if self.now().limits != limits {
            let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
            *place = Arc::new(Counters::new(limits));
        }
    }

    /// Counts a request of a key.
    pub(crate) fn count(
        &self,
        key: i64,
        class: Class,
        slot: Option<&StandingSlot>,
    ) -> Result<(), Problem> {
        let counters = self.now();
        let limiter = match class {
            Class::Ingest => &counters.ingest,
            Class::Other => &counters.other,
            Class::Enrichment => &counters.enrichment,
        };
        let Some(limiter) = limiter else {
            return Ok(());
        };
        let say = |quota, remaining| {
            if let Some(slot) = slot {
                slot.set(Standing::new(quota, remaining));
            }
        };
        match limiter.check_key(&key) {
            Ok(snapshot) => {
                let snapshot: StateSnapshot = snapshot;
                say(snapshot.quota(), snapshot.remaining_burst_capacity());
                Ok(())
            }
            Err(until) => {
                say(until.quota(), 0);
                Err(limited(until.wait_time_from(DefaultClock::default().now())))
            }
        }
    }

    /// Counts a bad key; the answer to it, which is the given one until there were too many.
    pub(crate) fn failed(&self, problem: Problem) -> Problem {
        let counters = self.now();
        let Some(limiter) = &counters.failed_auth else {
            return problem;
        };
        match limiter.check() {
            Ok(()) => problem,
            Err(until) => limited(until.wait_time_from(DefaultClock::default().now())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_a_minute() -> Limits {
        Limits {
            other_per_minute: 2,
            ..Limits::OFF
        }
    }

    #[test]
    fn a_key_over_its_limit_is_told_when_to_come_back_and_others_are_not_touched() {
        let limiters = Limiters::new(two_a_minute());
        assert!(limiters.count(1, Class::Other, None).is_ok());
        assert!(limiters.count(1, Class::Other, None).is_ok());
        let problem = limiters.count(1, Class::Other, None).unwrap_err();
        assert_eq!(problem.code, ErrorCode::RateLimited);
        assert!(
            problem
                .retry_after
                .is_some_and(|seconds| (1..=31).contains(&seconds))
        );
        assert!(limiters.count(2, Class::Other, None).is_ok());
        assert!(limiters.count(1, Class::Ingest, None).is_ok(), "0 is off");
    }

    #[test]
    fn changed_limits_hold_at_once() {
        let limiters = Limiters::new(two_a_minute());
        for _ in 0..3 {
            drop(limiters.count(1, Class::Other, None));
        }
        assert!(limiters.count(1, Class::Other, None).is_err());
        limiters.apply(Limits::OFF);
        assert!(limiters.count(1, Class::Other, None).is_ok());
    }

    #[test]
    fn the_answer_says_where_the_key_stands() {
        let limiters = Limiters::new(two_a_minute());
        let slot = StandingSlot::default();
        limiters.count(1, Class::Other, Some(&slot)).unwrap();
        let mut headers = HeaderMap::new();
        slot.write(&mut headers);
        let value = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(value("x-ratelimit-limit"), "2");
        assert_eq!(value("x-ratelimit-remaining"), "1");
        assert_eq!(value("x-ratelimit-reset"), "30");
    }
}
