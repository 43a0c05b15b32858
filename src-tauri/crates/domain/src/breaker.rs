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
        if sign == Sign::Gone && self.health != Health::Disabled {
            let reason = "the agent answered 410 Gone: it wants nothing more".to_owned();
            return self.disabled(Cause::Gone, reason, attempted.now);
        }
        match self.health {
            Health::Closed => match sign {
                Sign::Works => self.worked(attempted.now),
                Sign::RefusedUs => self.open(Cause::Credentials, credentials(attempted), attempted),
                Sign::Fails => self.failed(attempted),
                Sign::RefusedMessage | Sign::Nothing | Sign::Gone => self,
            },
            Health::HalfOpen if attempted.is_probe => self.probed(sign, attempted),
            // What was under way when it opened does not decide: the probe does.
            Health::HalfOpen | Health::Open | Health::Disabled => self,
        }
    }

    /// The probe's end. Who judges a message, for whatever it is worth, is there.
    fn probed(self, sign: Sign, attempted: &Attempted<'_>) -> Self {
        match sign {
            Sign::Works | Sign::RefusedMessage => Self::closed(),
            Sign::RefusedUs => {
                self.probe_failed(Cause::Credentials, credentials(attempted), attempted)
            }
            Sign::Fails => {
                let reason = format!("the last probe failed: {}", attempted.error);
                self.probe_failed(Cause::Failures, reason, attempted)
            }
            Sign::Nothing | Sign::Gone => Self {
                health: Health::Open,
                next_probe_at: Some(attempted.now),
                ..self
            },
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
mod tests;
