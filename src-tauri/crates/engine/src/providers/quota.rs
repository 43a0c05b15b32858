//! How much a provider may be asked: its own limits a minute and a day, kept by us, so that a burst
//! of alerts does not lock the analyst's key out.
//!
//! Counted are lookups, which is what providers count for the one-request services that have such
//! limits. The minute slides; the day is UTC's, as the providers' own.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use calseta_contract::provider::QuotaView;
use calseta_domain::Timestamp;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// What may be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// This many lookups.
    Now(u32),
    /// None before this time.
    From(Timestamp),
    /// None today.
    UsedUp,
}

/// What was asked. Shared by every version of a provider's definition.
#[derive(Debug, Default)]
pub(crate) struct Usage(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// When the lookups of the last minute were made.
    minute: VecDeque<i64>,
    day: i64,
    today: u64,
    /// The provider itself said when to come back.
    blocked_until: Option<Timestamp>,
}

/// The day of a time: days since 1970, UTC.
pub(crate) fn day(now: Timestamp) -> i64 {
    now.millis().div_euclid(DAY_MS)
}

impl Counted {
    fn forget_old(&mut self, now: Timestamp) {
        while self
            .minute
            .front()
            .is_some_and(|at| *at <= now.millis() - MINUTE_MS)
        {
            self.minute.pop_front();
        }
        if self.day != day(now) {
            self.day = day(now);
            self.today = 0;
        }
    }

    fn allowance(&mut self, quota: &QuotaView, now: Timestamp) -> Allowance {
        self.forget_old(now);
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Allowance::From(until);
        }
        let left_today = quota.per_day.map_or(u64::from(u32::MAX), |most| {
            u64::from(most).saturating_sub(self.today)
        });
        if left_today == 0 {
            return Allowance::UsedUp;
        }
        let left_now = quota.per_minute.map_or(usize::MAX, |most| {
            (most as usize).saturating_sub(self.minute.len())
        });
        match self.minute.front() {
            Some(oldest) if left_now == 0 => {
                Allowance::From(Timestamp::from_millis(oldest + MINUTE_MS))
            }
            _ => {
                let left = left_today.min(left_now as u64);
                Allowance::Now(u32::try_from(left).unwrap_or(u32::MAX))
            }
        }
    }

    fn record(&mut self, quota: &QuotaView, now: Timestamp, lookups: u32) {
        self.today += u64::from(lookups);
        if quota.per_minute.is_some() {
            self.minute
                .extend(std::iter::repeat_n(now.millis(), lookups as usize));
        }
    }
}

impl Usage {
    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Continues the day's count after a restart.
    pub(crate) fn continue_day(&self, day: i64, lookups: u64) {
        let mut counted = self.counted();
        if counted.day != day {
            counted.day = day;
            counted.today = lookups;
        }
    }

    /// Asks nothing before this time: the provider answered 429 with `Retry-After`.
    pub(crate) fn block_until(&self, until: Timestamp) {
        let mut counted = self.counted();
        counted.blocked_until = counted.blocked_until.max(Some(until));
    }

    /// What may be asked now.
    pub(crate) fn allowance(&self, quota: &QuotaView, now: Timestamp) -> Allowance {
        self.counted().allowance(quota, now)
    }

    /// Counts lookups that are about to be made.
    pub(crate) fn record(&self, quota: &QuotaView, now: Timestamp, lookups: u32) {
        self.counted().record(quota, now, lookups);
    }

    /// Counts one lookup when it is allowed.
    pub(crate) fn take(&self, quota: &QuotaView, now: Timestamp) -> Allowance {
        let mut counted = self.counted();
        let allowance = counted.allowance(quota, now);
        if matches!(allowance, Allowance::Now(_)) {
            counted.record(quota, now, 1);
        }
        allowance
    }
}

/// Why a lookup was not made, for people.
pub(crate) fn refusal(name: &str, quota: &QuotaView, allowance: Allowance) -> String {
    let most = |limit: Option<u32>| limit.unwrap_or_default();
    match allowance {
        Allowance::UsedUp => format!(
            "{name} was asked {} times today, which is its daily quota; it is asked again from 00:00 UTC",
            most(quota.per_day)
        ),
        Allowance::From(at) if quota.per_minute.is_none() => {
            format!("{name} has asked not to be asked before {at}")
        }
        Allowance::From(_) | Allowance::Now(_) => format!(
            "{name} was asked {} times within a minute, which is its quota; try again in a minute",
            most(quota.per_minute)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: QuotaView = QuotaView {
        per_minute: Some(2),
        per_day: Some(3),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn the_minute_slides_and_the_day_ends_at_midnight() {
        let usage = Usage::default();
        assert_eq!(usage.take(&QUOTA, at(10)), Allowance::Now(2));
        assert_eq!(usage.take(&QUOTA, at(40)), Allowance::Now(1));
        assert_eq!(usage.take(&QUOTA, at(69)), Allowance::From(at(70)));
        assert_eq!(usage.take(&QUOTA, at(70)), Allowance::Now(1));
        assert_eq!(usage.take(&QUOTA, at(200)), Allowance::UsedUp);
        assert_eq!(usage.take(&QUOTA, at(86_400)), Allowance::Now(2));
    }

    #[test]
    fn a_provider_that_asks_for_time_gets_it() {
        let usage = Usage::default();
        usage.block_until(at(50));
        usage.block_until(at(40));
        let free = QuotaView::default();
        assert_eq!(usage.allowance(&free, at(49)), Allowance::From(at(50)));
        assert_eq!(usage.allowance(&free, at(50)), Allowance::Now(u32::MAX));
    }

    #[test]
    fn no_quota_is_no_limit_and_a_restart_continues_the_day() {
        let free = QuotaView::default();
        let usage = Usage::default();
        usage.record(&free, at(0), 1_000);
        assert_eq!(usage.allowance(&free, at(0)), Allowance::Now(u32::MAX));
        let usage = Usage::default();
        usage.continue_day(1, 3);
        assert_eq!(usage.allowance(&QUOTA, at(86_500)), Allowance::UsedUp);
    }
}
