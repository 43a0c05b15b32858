//! Tests of times: written relative to now or absolute, resolved to a half-open range.

use std::fmt;

use jiff::civil::Date;

use crate::{Timestamp, words};

const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 86_400 * SECOND_MS;
/// The units of an age, the longest first.
const UNITS: &[(char, u64)] = &[
    ('w', 7 * 86_400),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];
/// The greatest age, in seconds: a hundred years and a bit.
pub const MAX_AGE_SECONDS: u64 = 36_600 * 86_400;

words! {
    /// Which time of an alert.
    TimeField, "time" {
        Occurred => "occurred",
        Ingested => "ingested",
        Updated => "updated",
        Closed => "closed",
    }
}

/// A test of one of an alert's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeTest {
    /// `occurred:today`: within the day, or within the second of an instant written without a
    /// fraction.
    Within(TimeField, TimeValue),
    /// `>=`: from its beginning on.
    AtLeast(TimeField, TimeValue),
    /// `<=`: until its end.
    AtMost(TimeField, TimeValue),
    /// `>`: after its end.
    Above(TimeField, TimeValue),
    /// `<`: before its beginning.
    Below(TimeField, TimeValue),
    /// `age:<4h`: how long ago it came in, compared with a number of seconds.
    Age {
        /// Whether alerts younger than that pass, else older ones.
        is_younger: bool,
        /// Whether an alert of exactly that age passes.
        is_inclusive: bool,
        /// The age, at most [`MAX_AGE_SECONDS`].
        seconds: u64,
    },
}

/// A point or a day, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeValue {
    /// An RFC 3339 time.
    At(Timestamp),
    /// A day, 00:00 to 24:00 UTC.
    On(Day),
    /// The day that now is in.
    Today,
    /// The day before.
    Yesterday,
}

/// A calendar day, years 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

/// A half-open range of times: `from` is in it, `until` is not. `None` is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// The first time in it.
    pub from: Option<Timestamp>,
    /// The first time after it.
    pub until: Option<Timestamp>,
}

impl TimeTest {
    /// The time that is tested; an age is counted from when the alert came in.
    pub const fn field(self) -> TimeField {
        match self {
            Self::Within(field, _)
            | Self::AtLeast(field, _)
            | Self::AtMost(field, _)
            | Self::Above(field, _)
            | Self::Below(field, _) => field,
            Self::Age { .. } => TimeField::Ingested,
        }
    }

    /// The times that pass.
    pub fn range(self, now: Timestamp) -> TimeRange {
        let from = |time| TimeRange {
            from: Some(time),
            until: None,
        };
        let until = |time| TimeRange {
            from: None,
            until: Some(time),
        };
        match self {
            Self::Within(_, value) => {
                let (start, end) = value.span(now);
                TimeRange {
                    from: Some(start),
                    until: Some(end),
                }
            }
            Self::AtLeast(_, value) => from(value.span(now).0),
            Self::AtMost(_, value) => until(value.span(now).1),
            Self::Above(_, value) => from(value.span(now).1),
            Self::Below(_, value) => until(value.span(now).0),
            Self::Age {
                is_younger,
                is_inclusive,
                seconds,
            } => {
                let ms = i64::try_from(seconds).map_or(i64::MAX, |s| s.saturating_mul(SECOND_MS));
                let at = now.plus_millis(-ms);
                match (is_younger, is_inclusive) {
                    (true, true) => from(at),
                    (true, false) => from(at.plus_millis(1)),
                    (false, true) => until(at.plus_millis(1)),
                    (false, false) => until(at),
                }
            }
        }
    }
}

impl TimeValue {
    /// Its first time, and the first time after it.
    fn span(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let day = |start_ms: i64| {
            let start = Timestamp::from_millis(start_ms);
            (start, start.plus_millis(DAY_MS))
        };
        let today_ms = now.millis().div_euclid(DAY_MS) * DAY_MS;
        match self {
            Self::At(time) => {
                let is_whole = time.millis().rem_euclid(SECOND_MS) == 0;
                (time, time.plus_millis(if is_whole { SECOND_MS } else { 1 }))
            }
            Self::On(Day(date)) => {
                let midnight = jiff::tz::TimeZone::UTC
                    .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
                // Before the year 0 and after 9999 there are no dates to write.
                day(midnight.map_or(0, jiff::Timestamp::as_millisecond))
            }
            Self::Today => day(today_ms),
            Self::Yesterday => day(today_ms - DAY_MS),
        }
    }
}

impl Day {
    /// Reads `2025-01-15`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_date = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if !is_date {
            return None;
        }
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads an age: whole seconds, minutes, hours, days or weeks, as `90s`, `30m`, `4h`, `2d`, `1w`.
pub(super) fn parse_age(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?.to_ascii_lowercase();
    let (_, seconds) = UNITS.iter().find(|(letter, _)| *letter == unit)?;
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let age = digits.parse::<u64>().ok()?.checked_mul(*seconds)?;
    (age <= MAX_AGE_SECONDS).then_some(age)
}

/// An age in its longest unit that leaves no rest.
pub(super) fn print_age(seconds: u64) -> String {
    let whole = |(_, unit): &&(char, u64)| seconds > 0 && seconds.is_multiple_of(*unit);
    let (letter, unit) = UNITS.iter().find(whole).unwrap_or(&('s', 1));
    format!("{}{letter}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn range(test: TimeTest) -> (Option<String>, Option<String>) {
        let range = test.range(at("2025-01-15T10:28:00Z"));
        let text = |time: Option<Timestamp>| time.map(|t| t.to_string());
        (text(range.from), text(range.until))
    }

    #[test]
    fn days_and_instants_become_half_open_ranges() {
        use TimeField::Occurred;
        let some = |text: &str| Some(text.to_owned());
        let day = TimeValue::On(Day::parse("2024-12-31").expect("a day"));
        assert_eq!(
            range(TimeTest::Within(Occurred, day)),
            (some("2024-12-31T00:00:00Z"), some("2025-01-01T00:00:00Z"))
        );
        assert_eq!(
            range(TimeTest::Above(Occurred, day)),
            (some("2025-01-01T00:00:00Z"), None)
        );
        assert_eq!(
            range(TimeTest::AtMost(Occurred, day)),
            (None, some("2025-01-01T00:00:00Z"))
        );
        assert_eq!(
            range(TimeTest::Below(Occurred, day)),
            (None, some("2024-12-31T00:00:00Z"))
        );
        assert_eq!(
            range(TimeTest::Within(Occurred, TimeValue::Yesterday)),
            (some("2025-01-14T00:00:00Z"), some("2025-01-15T00:00:00Z"))
        );
        let instant = TimeValue::At(at("2025-01-15T10:00:00Z"));
        assert_eq!(
            range(TimeTest::Within(Occurred, instant)),
            (some("2025-01-15T10:00:00Z"), some("2025-01-15T10:00:01Z"))
        );
    }

    #[test]
    fn an_age_is_counted_back_from_now() {
        let age = |is_younger, is_inclusive| TimeTest::Age {
            is_younger,
            is_inclusive,
            seconds: 4 * 3_600,
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(range(age(true, true)), (some("2025-01-15T06:28:00Z"), None));
        assert_eq!(
            range(age(true, false)),
            (some("2025-01-15T06:28:00.001Z"), None)
        );
        assert_eq!(
            range(age(false, false)),
            (None, some("2025-01-15T06:28:00Z"))
        );
        assert_eq!(age(true, true).field(), TimeField::Ingested);
    }

    #[test]
    fn ages_are_read_and_written_in_their_units() {
        for (text, seconds, printed) in [
            ("90s", 90, "90s"),
            ("60m", 3_600, "1h"),
            ("14D", 1_209_600, "2w"),
            ("0h", 0, "0s"),
        ] {
            assert_eq!(parse_age(text), Some(seconds), "{text}");
            assert_eq!(print_age(seconds), printed);
        }
        for text in [
            "",
            "h",
            "4",
            "-4h",
            "4 h",
            "1.5h",
            "4y",
            "99999999999999999999w",
            "5300w",
            "é",
        ] {
            assert_eq!(parse_age(text), None, "{text}");
        }
    }
}
