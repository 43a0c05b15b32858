//! When a delivery is tried again, and when it is given up.
//!
//! The schedule is reliability's (§3.4): about 75 hours, as Standard Webhooks suggests. An
//! agent's own `retry_count` has no effect on it. What becomes of the agent is `breaker`'s.

use crate::Timestamp;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The wait before each attempt, in milliseconds: the first goes out at once.
pub const SCHEDULE_MS: [i64; 12] = [
    0,
    5 * SECOND_MS,
    30 * SECOND_MS,
    2 * MINUTE_MS,
    10 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];
/// How much the jitter may move a wait, as a part of it.
pub const JITTER_PART: f64 = 0.2;
/// The longest wait there is: a day, and the jitter.
pub const LONGEST_WAIT_MS: i64 = 24 * HOUR_MS + 24 * HOUR_MS / 5;
/// The shortest wait after a sign of overload: timeout, 429, 502, 504.
pub const OVERLOAD_WAIT_MS: i64 = MINUTE_MS;
/// The longest wait that a `Retry-After` can ask for.
pub const MAX_RETRY_AFTER_MS: i64 = HOUR_MS;
/// Attempts at a message that the agent itself refuses (400, 413, 415, 422).
pub const REFUSED_ATTEMPTS: u32 = 3;

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A 2xx answer.
    Ok,
    /// Another status. `retry_after_ms` is the parsed `Retry-After` header.
    Http {
        /// The status code.
        status: u16,
        /// Milliseconds from now, when the agent named a time.
        retry_after_ms: Option<i64>,
    },
    /// The attempt's total deadline passed.
    Timeout,
    /// No connection, or it broke.
    Connect,
    /// TLS could not be set up.
    Tls,
    /// The egress policy refused the address.
    Blocked,
    /// The answer was larger than is read.
    TooLarge,
    /// The process ended while the attempt was under way.
    Unknown,
}

impl Outcome {
    /// The word on the wire and in the store.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Http { .. } => "http",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Blocked => "blocked",
            Self::TooLarge => "too_large",
            Self::Unknown => "unknown",
        }
    }

    const fn is_overload(&self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::Http {
                    status: 429 | 502 | 504,
                    ..
                }
        )
    }
}

/// What happens to the delivery now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Done.
    Delivered,
    /// Try again, not before this time.
    RetryAt(Timestamp),
    /// Give up.
    Dead {
        /// Why, for the analyst.
        reason: String,
    },
}

/// Decides after an attempt.
///
/// `attempt` is the number of the attempt just made, from 1; `jitter` a random number in -1..=1
/// (anything else is clamped, NaN counts as 0).
pub fn next(attempt: u32, outcome: &Outcome, now: Timestamp, jitter: f64) -> Decision {
    let retry_after_ms = match *outcome {
        Outcome::Ok
        | Outcome::Http {
            status: 200..=299, ..
        } => return Decision::Delivered,
        Outcome::Http { status: 410, .. } => {
            return Decision::Dead {
                reason: "the agent answered 410 Gone".to_owned(),
            };
        }
        Outcome::Http {
            status: status @ (400 | 413 | 415 | 422),
            ..
        } if attempt >= REFUSED_ATTEMPTS => {
            return Decision::Dead {
                reason: format!("the agent refused the message {attempt} times (HTTP {status})"),
            };
        }
        Outcome::Http { retry_after_ms, .. } => retry_after_ms,
        Outcome::Timeout
        | Outcome::Connect
        | Outcome::Tls
        | Outcome::Blocked
        | Outcome::TooLarge
        | Outcome::Unknown => None,
    };
    let Some(&scheduled_ms) = SCHEDULE_MS.get(attempt.max(1) as usize) else {
        return Decision::Dead {
            reason: format!("all {} attempts failed", SCHEDULE_MS.len()),
        };
    };
    let floor_ms = if outcome.is_overload() {
        OVERLOAD_WAIT_MS
    } else {
        0
    };
    let base_ms = jittered(scheduled_ms.max(floor_ms), jitter).max(floor_ms);
    let asked_ms = retry_after_ms.unwrap_or(0).min(MAX_RETRY_AFTER_MS);
    Decision::RetryAt(now.plus_millis(base_ms.max(asked_ms)))
}

fn jittered(wait_ms: i64, jitter: f64) -> i64 {
    let jitter = if jitter.is_nan() {
        0.0
    } else {
        jitter.clamp(-1.0, 1.0)
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a day in milliseconds is exact in f64"
    )]
    let moved = wait_ms as f64 * (1.0 + JITTER_PART * jitter);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 1.2 days in milliseconds"
    )]
    let moved_ms = moved.round() as i64;
    moved_ms
}

/// Reads a `Retry-After` header: seconds, or one of the three HTTP dates of RFC 9110 §5.6.7.
/// The answer is in milliseconds from `now`, never negative; `None` when it is neither.
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<i64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than an i64 holds still mean "very long", which `next` caps.
        return Some(
            value
                .parse::<i64>()
                .unwrap_or(i64::MAX)
                .saturating_mul(SECOND_MS),
        );
    }
    let at_ms = http_date(value)?;
    Some(at_ms.saturating_sub(now.millis()).max(0))
}

fn http_date(value: &str) -> Option<i64> {
    const FORMS: [&str; 3] = [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ];
    FORMS.iter().find_map(|form| {
        let time = jiff::fmt::strtime::parse(form, value)
            .ok()?
            .to_datetime()
            .ok()?;
        Some(
            jiff::tz::TimeZone::UTC
                .to_timestamp(time)
                .ok()?
                .as_millisecond(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_736_936_880_000)
    }

    fn wait_ms(attempt: u32, outcome: Outcome, jitter: f64) -> Option<i64> {
        match next(attempt, &outcome, now(), jitter) {
            Decision::RetryAt(at) => Some(at.millis() - now().millis()),
            Decision::Delivered | Decision::Dead { .. } => None,
        }
    }

    const fn http(status: u16) -> Outcome {
        Outcome::Http {
            status,
            retry_after_ms: None,
        }
    }

    #[test]
    fn a_connection_that_fails_follows_the_schedule_and_then_dies() {
        let waits: Vec<_> = (1..=12)
            .map(|n| wait_ms(n, Outcome::Connect, 0.0))
            .collect();
        let mut expected: Vec<_> = SCHEDULE_MS[1..].iter().map(|ms| Some(*ms)).collect();
        expected.push(None);
        assert_eq!(waits, expected);
        let total_h = SCHEDULE_MS.iter().sum::<i64>() / HOUR_MS;
        assert_eq!(total_h, 75, "the documented span of the schedule");
        assert!(matches!(
            next(12, &Outcome::Connect, now(), 0.0),
            Decision::Dead { .. }
        ));
    }

    #[test]
    fn jitter_moves_a_wait_by_a_fifth_at_most() {
        assert_eq!(wait_ms(1, Outcome::Connect, 1.0), Some(6_000));
        assert_eq!(wait_ms(1, Outcome::Connect, -1.0), Some(4_000));
        assert_eq!(wait_ms(1, Outcome::Connect, 99.0), Some(6_000));
        assert_eq!(wait_ms(1, Outcome::Connect, f64::NAN), Some(5_000));
    }

    #[test]
    fn every_status_has_its_rule() {
        let retried_after_5s = [301, 302, 401, 403, 404, 408, 409, 500, 503];
        for status in retried_after_5s {
            assert_eq!(wait_ms(1, http(status), 0.0), Some(5_000), "{status}");
            assert!(
                wait_ms(11, http(status), 0.0).is_some(),
                "{status} keeps the schedule"
            );
        }
        for status in [429, 502, 504] {
            assert_eq!(wait_ms(1, http(status), -1.0), Some(60_000), "{status}");
            assert_eq!(wait_ms(3, http(status), 0.0), Some(120_000), "{status}");
        }
        for status in [400, 413, 415, 422] {
            assert_eq!(wait_ms(2, http(status), 0.0), Some(30_000), "{status}");
            let Decision::Dead { reason } = next(3, &http(status), now(), 0.0) else {
                panic!("{status} is given up after three attempts");
            };
            assert!(reason.contains(&status.to_string()));
        }
        assert!(matches!(
            next(1, &http(410), now(), 0.0),
            Decision::Dead { .. }
        ));
        assert_eq!(next(1, &Outcome::Ok, now(), 0.0), Decision::Delivered);
        assert_eq!(next(7, &http(204), now(), 0.0), Decision::Delivered);
        assert_eq!(wait_ms(1, Outcome::Timeout, -1.0), Some(60_000));
        for outcome in [
            Outcome::Tls,
            Outcome::Blocked,
            Outcome::TooLarge,
            Outcome::Unknown,
        ] {
            assert_eq!(wait_ms(1, outcome, 0.0), Some(5_000), "{}", outcome.word());
        }
    }

    #[test]
    fn retry_after_lies_between_the_schedule_and_an_hour() {
        let after = |attempt, ms| {
            wait_ms(
                attempt,
                Outcome::Http {
                    status: 503,
                    retry_after_ms: Some(ms),
                },
                0.0,
            )
        };
        assert_eq!(
            after(1, 1_000),
            Some(5_000),
            "never earlier than the schedule"
        );
        assert_eq!(after(1, 120_000), Some(120_000));
        assert_eq!(
            after(1, 86_400_000),
            Some(HOUR_MS),
            "never more than an hour"
        );
        assert_eq!(after(1, i64::MAX), Some(HOUR_MS));
        assert_eq!(
            after(6, 1_000),
            Some(2 * HOUR_MS),
            "a later schedule stands"
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_any_http_date() {
        let now: Timestamp = "1994-11-06T08:48:37Z".parse().expect("valid");
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse_retry_after(date, now), Some(60_000), "{date}");
        }
        assert_eq!(parse_retry_after(" 120 ", now), Some(120_000));
        assert_eq!(
            parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now),
            Some(0)
        );
        assert_eq!(parse_retry_after(&"9".repeat(40), now), Some(i64::MAX));
        for nonsense in ["", "-1", "soon", "1.5", "Sun, 06 Nov 1994"] {
            assert_eq!(parse_retry_after(nonsense, now), None, "{nonsense}");
        }
    }
}
