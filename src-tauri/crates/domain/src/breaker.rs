//! An agent's breaker: when it is no longer bothered with every message, when it is tried again,
//! and when it is given up.
//!
//! A message's own schedule cannot bring an agent's backlog home soon after it returns: a message
//! that failed half an hour ago waits for hours. So failures of the agent open its breaker, messages
//! are parked, and one real message is the probe; when it is taken, everything parked follows. What
//! an agent says about one message (400, 413, 415, 422) says nothing about the agent.
//!
//! Only time in which the machine was awake counts against an agent: a laptop that slept for nine
//! days has not waited for anybody.

use serde::{Deserialize, Serialize};

use crate::{Outcome, Timestamp, words};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Failures in a row that open the breaker.
pub const FAILURES_IN_A_ROW: u32 = 5;
/// Attempts within [`WINDOW_MINUTES`] from which their failing part is looked at.
pub const WINDOW_ATTEMPTS: u32 = 10;
/// Minutes that are looked back, from the first failure in them.
pub const WINDOW_MINUTES: i64 = 5;
/// So many of a hundred attempts within the window open the breaker.
pub const WINDOW_FAILED_PERCENT: u32 = 70;
/// The wait before the first probe; every further one waits twice as long, up to the cap.
pub const FIRST_PROBE_MS: i64 = 5 * SECOND_MS;
/// The longest wait between probes of an agent on this machine or network.
pub const NEAR_PROBE_MS: i64 = MINUTE_MS;
/// The longest wait between probes of an agent elsewhere.
pub const FAR_PROBE_MS: i64 = 5 * MINUTE_MS;
/// The longest wait that a `Retry-After` asks for between probes.
pub const MAX_ASKED_MS: i64 = HOUR_MS;
/// Awake time without an answer after which an agent is given up.
pub const SILENT_AWAKE_MS: i64 = 24 * HOUR_MS;
/// Probes that must have failed, besides.
pub const SILENT_PROBES: u32 = 20;

words! {
    /// How an agent stands with its breaker.
    Health, "health" {
        /// Messages are sent.
        Closed => "closed",
        /// Messages are parked until a probe is taken.
        Open => "open",
        /// The probe is under way.
        HalfOpen => "half_open",
        /// Given up; a person switches it on again.
        Disabled => "disabled",
    }
}

words! {
    /// Why a breaker is not closed.
    Cause, "cause" {
        /// Too many attempts failed.
        Failures => "failures",
        /// The agent refused our credentials (401, 403).
        Credentials => "credentials",
        /// The agent said that it is gone (410).
        Gone => "gone",
        /// It did not answer for [`SILENT_AWAKE_MS`].
        Silent => "silent",
    }
}

/// How far away an agent is, which bounds how rarely it is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// On this machine or network: asking costs nothing.
    Near,
    /// Elsewhere.
    Far,
}

/// Attempts of the last minutes, a slot a minute: its number, attempts, failed ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window(Vec<(i64, u32, u32)>);

impl Window {
    fn add(&mut self, now: Timestamp, failed: bool) {
        let minute = now.millis().div_euclid(MINUTE_MS);
        // A clock that was set back leaves slots of the future behind: they are nobody's.
        self.0
            .retain(|(at, ..)| (minute - WINDOW_MINUTES + 1..=minute).contains(at));
        match self.0.last_mut() {
            Some((at, all, bad)) if *at == minute => {
                *all = all.saturating_add(1);
                *bad = bad.saturating_add(u32::from(failed));
            }
            _ => self.0.push((minute, 1, u32::from(failed))),
        }
    }

    fn is_bad(&self) -> bool {
        let all: u64 = self.0.iter().map(|slot| u64::from(slot.1)).sum();
        let bad: u64 = self.0.iter().map(|slot| u64::from(slot.2)).sum();
        all >= u64::from(WINDOW_ATTEMPTS) && bad * 100 >= all * u64::from(WINDOW_FAILED_PERCENT)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An attempt that ended, as the breaker sees it.
#[derive(Debug, Clone, Copy)]
pub struct Attempted<'a> {
    /// How it ended.
    pub outcome: &'a Outcome,
    /// In words, for the reason that people read.
    pub error: &'a str,
    /// Whether it was the probe.
    pub is_probe: bool,
    /// How far the agent is.
    pub reach: Reach,
    /// Awake milliseconds since the last probe, or since the breaker opened.
    pub awake_ms: i64,
    /// When it ended.
    pub now: Timestamp,
}

/// A breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// How it stands.
    pub health: Health,
    /// Failures in a row while closed.
    pub failures: u32,
    /// The last minutes while closed.
    pub window: Window,
    /// Since when it is not closed.
    pub opened_at: Option<Timestamp>,
    /// When the next probe is due; while open.
    pub next_probe_at: Option<Timestamp>,
    /// Probes that failed since it opened.
    pub probes: u32,
    /// Awake milliseconds since it opened, as far as probes saw them.
    pub failing_awake_ms: i64,
    /// Why it is not closed.
    pub cause: Option<Cause>,
    /// The same in words.
    pub reason: Option<String>,
}

/// What an outcome says about the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Works,
    RefusedMessage,
    Fails,
    RefusedUs,
    Gone,
    Nothing,
}

fn sign(outcome: &Outcome) -> Sign {
    match *outcome {
        Outcome::Ok => Sign::Works,
        Outcome::Http { status, .. } => match status {
            200..=299 => Sign::Works,
            400 | 413 | 415 | 422 => Sign::RefusedMessage,
            401 | 403 => Sign::RefusedUs,
            410 => Sign::Gone,
            _ => Sign::Fails,
        },
        Outcome::Timeout
        | Outcome::Connect
        | Outcome::Tls
        | Outcome::Blocked
        | Outcome::TooLarge => Sign::Fails,
        Outcome::Unknown => Sign::Nothing,
    }
}

/// Whether an outcome is the agent's judgement of the one message: then it counts against the
/// message, whoever's turn it was.
pub fn refuses_message(outcome: &Outcome) -> bool {
    sign(outcome) == Sign::RefusedMessage
}

/// The wait before a probe, after this many have failed.
pub fn probe_wait_ms(failed: u32, reach: Reach) -> i64 {
    let cap = match reach {
        Reach::Near => NEAR_PROBE_MS,
        Reach::Far => FAR_PROBE_MS,
    };
    // 5 s · 2⁶ is beyond both caps.
    (FIRST_PROBE_MS << failed.min(6)).min(cap)
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            health: Health::Closed,
            failures: 0,
            window: Window::default(),
            opened_at: None,
            next_probe_at: None,
            probes: 0,
            failing_awake_ms: 0,
            cause: None,
            reason: None,
        }
    }
}

impl Breaker {
    /// Closed, as if nothing had ever failed: by a probe that was taken, or by a person.
    #[must_use]
    pub fn closed() -> Self {
        Self::default()
    }

    /// The probe goes out. Only an open breaker has one.
    #[must_use]
    pub fn probing(self) -> Self {
        if self.health != Health::Open {
            return self;
        }
        Self {
            health: Health::HalfOpen,
            next_probe_at: None,
            ..self
        }
    }

    /// The next probe is due now: a person asked for it.
    #[must_use]
    pub fn probe_now(self, now: Timestamp) -> Self {
        if self.health != Health::Open {
            return self;
        }
        Self {
            next_probe_at: Some(now),
            ..self
        }
    }

    /// What an attempt's end makes of it.
    #[must_use]
    pub fn after(self, attempted: &Attempted<'_>) -> Self {
        let sign = sign(attempted.outcome);
        match (self.health, sign) {
            (Health::Disabled, _) => self,
            (_, Sign::Gone) => self.disabled(
                Cause::Gone,
                "the agent answered 410 Gone: it wants nothing more".to_owned(),
                attempted.now,
            ),
            (Health::Closed, Sign::RefusedMessage | Sign::Nothing) => self,
            (Health::Closed, Sign::Works) => self.worked(attempted.now),
            (Health::Closed, Sign::RefusedUs) => {
                self.open(Cause::Credentials, credentials(attempted), attempted)
            }
            (Health::Closed, Sign::Fails) => self.failed(attempted),
            // What was under way when it opened does not decide: the probe does.
            (Health::Open, _) => self,
            (Health::HalfOpen, _) if !attempted.is_probe => self,
            (Health::HalfOpen, Sign::Works | Sign::RefusedMessage) => Self::closed(),
            (Health::HalfOpen, Sign::Nothing) => Self {
                health: Health::Open,
                next_probe_at: Some(attempted.now),
                ..self
            },
            (Health::HalfOpen, Sign::RefusedUs) => {
                self.probe_failed(Cause::Credentials, credentials(attempted), attempted)
            }
            (Health::HalfOpen, Sign::Fails) => {
                let reason = format!("the last probe failed: {}", attempted.error);
                self.probe_failed(Cause::Failures, reason, attempted)
            }
        }
    }

    /// Only what follows a failure is counted, so that a healthy agent's breaker never changes.
    fn worked(mut self, now: Timestamp) -> Self {
        self.failures = 0;
        if !self.window.is_empty() {
            self.window.add(now, false);
        }
        if self.window.0.iter().all(|slot| slot.2 == 0) {
            self.window = Window::default();
        }
        self
    }

    fn failed(mut self, attempted: &Attempted<'_>) -> Self {
        self.failures = self.failures.saturating_add(1);
        self.window.add(attempted.now, true);
        let reason = if self.failures >= FAILURES_IN_A_ROW {
            format!(
                "{} attempts in a row failed; the last one: {}",
                self.failures, attempted.error
            )
        } else if self.window.is_bad() {
            format!(
                "most attempts of the last {WINDOW_MINUTES} minutes failed; the last one: {}",
                attempted.error
            )
        } else {
            return self;
        };
        self.open(Cause::Failures, reason, attempted)
    }

    fn open(self, cause: Cause, reason: String, attempted: &Attempted<'_>) -> Self {
        Self {
            health: Health::Open,
            failures: self.failures.max(1),
            window: Window::default(),
            opened_at: Some(attempted.now),
            next_probe_at: Some(next_probe(0, attempted)),
            probes: 0,
            failing_awake_ms: 0,
            cause: Some(cause),
            reason: Some(reason),
        }
    }

    fn probe_failed(self, cause: Cause, reason: String, attempted: &Attempted<'_>) -> Self {
        let probes = self.probes.saturating_add(1);
        let failing_awake_ms = self
            .failing_awake_ms
            .saturating_add(attempted.awake_ms.max(0));
        let next = Self {
            health: Health::Open,
            next_probe_at: Some(next_probe(probes, attempted)),
            probes,
            failing_awake_ms,
            cause: Some(cause),
            reason: Some(reason),
            ..self
        };
        if failing_awake_ms < SILENT_AWAKE_MS || probes < SILENT_PROBES {
            return next;
        }
        let reason = format!(
            "no probe was taken in {} hours and {probes} tries; the last one: {}",
            SILENT_AWAKE_MS / HOUR_MS,
            attempted.error
        );
        next.disabled(Cause::Silent, reason, attempted.now)
    }

    fn disabled(self, cause: Cause, reason: String, now: Timestamp) -> Self {
        Self {
            health: Health::Disabled,
            opened_at: self.opened_at.or(Some(now)),
            next_probe_at: None,
            cause: Some(cause),
            reason: Some(reason),
            ..self
        }
    }
}

fn credentials(attempted: &Attempted<'_>) -> String {
    format!(
        "the agent refuses our credentials ({}): enter its header again",
        attempted.error
    )
}

fn next_probe(failed: u32, attempted: &Attempted<'_>) -> Timestamp {
    let asked = match *attempted.outcome {
        Outcome::Http { retry_after_ms, .. } => retry_after_ms.unwrap_or(0).min(MAX_ASKED_MS),
        _ => 0,
    };
    let wait = probe_wait_ms(failed, attempted.reach).max(asked);
    attempted.now.plus_millis(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + ms)
    }

    fn ended(outcome: &Outcome, ms: i64) -> Attempted<'_> {
        Attempted {
            outcome,
            error: "connection refused",
            is_probe: false,
            reach: Reach::Near,
            awake_ms: 0,
            now: at(ms),
        }
    }

    fn probe(outcome: &Outcome, ms: i64, awake_ms: i64) -> Attempted<'_> {
        Attempted {
            is_probe: true,
            awake_ms,
            ..ended(outcome, ms)
        }
    }

    const fn http(status: u16) -> Outcome {
        Outcome::Http {
            status,
            retry_after_ms: None,
        }
    }

    fn open() -> Breaker {
        (0..5).fold(Breaker::closed(), |breaker, n| {
            breaker.after(&ended(&Outcome::Connect, n))
        })
    }

    #[test]
    fn the_fifth_failure_in_a_row_opens_it_and_a_success_starts_the_count_again() {
        let four = (0..4).fold(Breaker::closed(), |breaker, n| {
            breaker.after(&ended(&http(500), n))
        });
        assert_eq!((four.health, four.failures), (Health::Closed, 4));
        let worked = four.clone().after(&ended(&Outcome::Ok, 5));
        assert_eq!((worked.health, worked.failures), (Health::Closed, 0));
        let five = four.after(&ended(&http(500), 5));
        assert_eq!(five.health, Health::Open);
        assert_eq!(five.next_probe_at, Some(at(5 + FIRST_PROBE_MS)));
        assert!(five.reason.expect("a reason").contains("5 attempts"));
    }

    #[test]
    fn seven_failures_of_ten_open_it_without_five_in_a_row() {
        let mut breaker = Breaker::closed();
        let pattern = [
            false, false, false, true, false, false, true, false, false, true,
        ];
        for (n, ok) in (0_i64..).zip(pattern) {
            assert_eq!(breaker.health, Health::Closed, "after {n}");
            let outcome = if ok { Outcome::Ok } else { Outcome::Timeout };
            breaker = breaker.after(&ended(&outcome, n * SECOND_MS));
        }
        assert_eq!(breaker.health, Health::Closed, "the tenth was a success");
        let breaker = breaker.after(&ended(&Outcome::Timeout, 20 * SECOND_MS));
        assert_eq!(breaker.health, Health::Open, "8 of 11");
        // The same failures, spread over more than the window.
        let mut breaker = Breaker::closed();
        for n in 0_i64..20 {
            let outcome = if n % 4 == 3 {
                Outcome::Ok
            } else {
                Outcome::Timeout
            };
            breaker = breaker.after(&ended(&outcome, n * MINUTE_MS));
        }
        assert_eq!(breaker.health, Health::Closed);
    }

    #[test]
    fn what_an_agent_says_of_a_message_leaves_the_breaker_as_it_is() {
        let four = (0..4).fold(Breaker::closed(), |breaker, n| {
            breaker.after(&ended(&Outcome::Connect, n))
        });
        for status in [400, 413, 415, 422] {
            assert_eq!(four.clone().after(&ended(&http(status), 9)), four);
            assert!(refuses_message(&http(status)));
        }
        for status in [404, 500, 503, 301] {
            let after = four.clone().after(&ended(&http(status), 9));
            assert_eq!(after.health, Health::Open, "{status}");
        }
        assert_eq!(four.clone().after(&ended(&Outcome::Unknown, 9)), four);
    }

    #[test]
    fn refused_credentials_open_it_at_once() {
        for status in [401, 403] {
            let breaker = Breaker::closed().after(&ended(&http(status), 0));
            assert_eq!(breaker.health, Health::Open);
            assert_eq!(breaker.cause, Some(Cause::Credentials));
        }
    }

    #[test]
    fn gone_disables_it_in_any_state() {
        for breaker in [Breaker::closed(), open(), open().probing()] {
            let gone = breaker.after(&ended(&http(410), 9));
            assert_eq!(gone.health, Health::Disabled);
            assert_eq!(gone.cause, Some(Cause::Gone));
            let later = gone.clone().after(&probe(&Outcome::Ok, 10, 0));
            assert_eq!(later, gone, "only a person takes it up again");
        }
    }

    #[test]
    fn probes_wait_longer_and_longer_up_to_the_cap() {
        let waits = |reach| (0..9).map(move |n| probe_wait_ms(n, reach) / SECOND_MS);
        assert!(waits(Reach::Near).eq([5, 10, 20, 40, 60, 60, 60, 60, 60]));
        assert!(waits(Reach::Far).eq([5, 10, 20, 40, 80, 160, 300, 300, 300]));
        let asked = Outcome::Http {
            status: 503,
            retry_after_ms: Some(i64::MAX),
        };
        let breaker = open().probing().after(&probe(&asked, 0, 0));
        assert_eq!(breaker.next_probe_at, Some(at(MAX_ASKED_MS)));
    }

    #[test]
    fn only_the_probe_closes_an_open_breaker() {
        let late = open().after(&ended(&Outcome::Ok, 9));
        assert_eq!(late, open(), "it was under way when the breaker opened");
        let half = open().probing();
        assert_eq!(half.health, Health::HalfOpen);
        assert_eq!(half.clone().after(&ended(&Outcome::Connect, 9)), half);
        let closed = half.after(&probe(&Outcome::Ok, 9, 0));
        assert_eq!(closed, Breaker::closed());
        let refused = open().probing().after(&probe(&http(422), 9, 0));
        assert_eq!(refused, Breaker::closed(), "who judges a message is there");
    }

    #[test]
    fn a_day_awake_and_twenty_probes_give_an_agent_up_and_sleep_counts_for_nothing() {
        let hour = HOUR_MS;
        let mut breaker = open();
        for n in 0_i64..23 {
            // Nine days of sleep between two probes, in which an hour was awake.
            let now = n * 9 * 24 * hour;
            breaker = breaker
                .probing()
                .after(&probe(&Outcome::Timeout, now, hour));
            assert_eq!(breaker.health, Health::Open, "{n}");
        }
        let given_up = breaker
            .probing()
            .after(&probe(&Outcome::Timeout, 24 * hour, hour));
        assert_eq!(given_up.health, Health::Disabled);
        assert_eq!(given_up.cause, Some(Cause::Silent));
        // A day awake with too few probes: Retry-After may have kept them apart.
        let breaker = open()
            .probing()
            .after(&probe(&Outcome::Timeout, 0, 48 * hour));
        assert_eq!(breaker.health, Health::Open);
    }
}
