//! The arithmetic of metrics: durations, rates, days. The store counts; what the counts mean is
//! decided here, so that every view rounds, fills and doubts alike.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};

use crate::Timestamp;

/// The most days that are filled: about ten years. A longer range is cut at its beginning.
pub const MAX_DAYS: usize = 3_660;

/// A range of time in which things are counted: `from` is in it, `to` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first time in it.
    pub from: Timestamp,
    /// The first time after it.
    pub to: Timestamp,
}

impl Window {
    /// How long a window is whose beginning nobody names, in days.
    pub const DEFAULT_DAYS: i64 = 30;

    /// A window of which either bound may be missing: without an end it ends now, without a
    /// beginning it begins [`Self::DEFAULT_DAYS`] before its end. `None` when it would end before
    /// it begins.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        const DAY_MS: i64 = 86_400_000;
        let to = to.unwrap_or(now);
        let from = from.unwrap_or_else(|| to.plus_millis(-Self::DEFAULT_DAYS * DAY_MS));
        (from <= to).then_some(Self { from, to })
    }
}

/// What many durations come to, in seconds. Everything is `None` when there are none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Durations {
    /// How many there are.
    pub count: usize,
    /// Their arithmetic mean.
    pub mean: Option<f64>,
    /// Half of them take longer. Between two middle ones it is their mean.
    pub median: Option<f64>,
    /// One in ten takes longer: the nearest rank.
    pub p90: Option<f64>,
}

impl Durations {
    /// From milliseconds; negative ones (a clock that was set back) count as zero.
    pub fn of_millis(millis: &[i64]) -> Self {
        let mut seconds: Vec<f64> = millis.iter().map(|ms| seconds(*ms)).collect();
        seconds.sort_by(f64::total_cmp);
        let count = seconds.len();
        Self {
            count,
            mean: mean(&seconds),
            median: median(&seconds),
            p90: quantile(&seconds, 9, 10),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a million years are exact in f64"
)]
fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn median(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted.get(sorted.len() / 2 - 1)?;
    Some(f64::midpoint(*lower, upper))
}

/// The value that `part` of every `whole` do not exceed.
fn quantile(sorted: &[f64], part: usize, whole: usize) -> Option<f64> {
    let rank = (sorted.len() * part).div_ceil(whole).max(1);
    sorted.get(rank - 1).copied()
}

/// A part of a whole, 0 to 1; 0.0 when there is no whole. A part greater than its whole is 1.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part.min(whole) as f64 / whole as f64
}

/// The UTC day that a time is in, as `2025-01-15`.
pub fn day_of(time: Timestamp) -> String {
    civil_day(time).to_string()
}

/// Every day of a window with its count, the days without any as 0; oldest first, at most
/// [`MAX_DAYS`], the latest ones. Days are UTC days, as in the API's dates.
pub fn fill_days(window: Window, counts: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    if window.from >= window.to {
        return Vec::new();
    }
    let mut day = civil_day(window.to.plus_millis(-1));
    let first = civil_day(window.from);
    let mut days = Vec::new();
    while day >= first && days.len() < MAX_DAYS {
        let name = day.to_string();
        let count = counts.get(&name).copied().unwrap_or(0);
        days.push((name, count));
        match day.checked_sub(1.day()) {
            Ok(before) => day = before,
            Err(_) => break,
        }
    }
    days.reverse();
    days
}

fn civil_day(time: Timestamp) -> Date {
    // Within the years 0 to 9999, which both can say.
    let since_epoch = SignedDuration::from_millis(time.millis());
    let at = jiff::Timestamp::from_duration(since_epoch).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn durations_come_to_mean_median_and_p90() {
        assert_eq!(Durations::of_millis(&[]), Durations::default());
        let one = Durations::of_millis(&[1_500]);
        assert_eq!(
            (one.mean, one.median, one.p90),
            (Some(1.5), Some(1.5), Some(1.5))
        );
        let ten: Vec<i64> = (1..=10).rev().map(|n| n * 1_000).collect();
        let ten = Durations::of_millis(&ten);
        assert_eq!(
            (ten.count, ten.mean, ten.median, ten.p90),
            (10, Some(5.5), Some(5.5), Some(9.0))
        );
        let back = Durations::of_millis(&[-5_000, 1_000, 2_000]);
        assert_eq!(
            (back.mean, back.median, back.p90),
            (Some(1.0), Some(1.0), Some(2.0))
        );
    }

    #[test]
    fn a_rate_of_nothing_is_zero() {
        let is = |part, whole, expected: f64| (rate(part, whole) - expected).abs() < f64::EPSILON;
        assert!(is(0, 0, 0.0) && is(1, 4, 0.25) && is(9, 4, 1.0));
    }

    #[test]
    fn either_bound_of_a_window_may_be_missing() {
        let now = at("2025-01-31T12:00:00Z");
        let window = |from: Option<&str>, to: Option<&str>| {
            let window = Window::new(from.map(at), to.map(at), now)?;
            Some((window.from.to_string(), window.to.to_string()))
        };
        let some = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(
            window(None, None),
            some("2025-01-01T12:00:00Z", "2025-01-31T12:00:00Z")
        );
        assert_eq!(
            window(Some("2024-06-01T00:00:00Z"), None),
            some("2024-06-01T00:00:00Z", "2025-01-31T12:00:00Z")
        );
        assert_eq!(
            window(None, Some("2024-12-31T00:00:00Z")),
            some("2024-12-01T00:00:00Z", "2024-12-31T00:00:00Z")
        );
        assert_eq!(window(Some("2025-02-01T00:00:00Z"), None), None);
    }

    #[test]
    fn days_without_alerts_are_there_with_zero() {
        let counts = BTreeMap::from([("2024-02-29".to_owned(), 3), ("2023-01-01".to_owned(), 9)]);
        let days = |from: &str, to: &str| {
            let window = Window {
                from: at(from),
                to: at(to),
            };
            fill_days(window, &counts)
        };
        let expected = [("2024-02-28", 0), ("2024-02-29", 3), ("2024-03-01", 0)];
        let expected: Vec<_> = expected
            .iter()
            .map(|(d, n)| ((*d).to_owned(), *n))
            .collect();
        assert_eq!(
            days("2024-02-28T23:59:59Z", "2024-03-01T00:00:00.001Z"),
            expected
        );
        assert_eq!(
            days("2024-02-28T00:00:00Z", "2024-03-01T00:00:00Z").len(),
            2,
            "the end is out"
        );
        assert!(days("2024-02-28T00:00:00Z", "2024-02-28T00:00:00Z").is_empty());
        assert_eq!(
            days("0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z").len(),
            MAX_DAYS
        );
        assert_eq!(day_of(at("2024-02-29T23:59:59.999Z")), "2024-02-29");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_rate_lies_in_0_to_1(part in 0..2_000_u64, whole in 0..2_000_u64) {
            let rate = rate(part, whole);
            prop_assert!((0.0..=1.0).contains(&rate), "{rate}");
        }

        #[test]
        fn mean_median_and_p90_lie_between_the_least_and_the_greatest(
            millis in proptest::collection::vec(0..10_000_000_000_i64, 1..40),
        ) {
            let all = Durations::of_millis(&millis);
            let least = seconds(*millis.iter().min().expect("not empty")) - 1e-6;
            let greatest = seconds(*millis.iter().max().expect("not empty")) + 1e-6;
            for value in [all.mean, all.median, all.p90] {
                let value = value.expect("not empty");
                prop_assert!(least <= value && value <= greatest);
            }
            prop_assert!(all.median <= all.p90);
        }
    }
}
