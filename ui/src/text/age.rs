//! Ages and points in time, as people say them.

use calseta_domain::Timestamp;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
const YEAR_MS: i64 = 365 * DAY_MS;
/// Younger than this is "now": a number that changes every second only distracts.
const NOW_MS: i64 = 5 * SECOND_MS;

/// How long ago, in at most four characters: `now`, `45s`, `4m`, `3h`, `2d`, `6w`, `1y`.
/// A time ahead of the clock reads `now`: clocks of other machines are never exact.
pub(crate) fn age(now: i64, then: Timestamp) -> String {
    let (n, unit) = parts(now, then);
    if unit.is_empty() {
        "now".to_owned()
    } else {
        format!("{n}{}", &unit[..1])
    }
}

/// The same for a sentence: `just now`, `4 m ago`.
pub(crate) fn ago(now: i64, then: Timestamp) -> String {
    let (n, unit) = parts(now, then);
    if unit.is_empty() {
        "just now".to_owned()
    } else {
        format!("{n} {} ago", &unit[..1])
    }
}

/// The same for a screen reader: `4 minutes ago`.
pub(crate) fn spoken_age(now: i64, then: Timestamp) -> String {
    let (n, unit) = parts(now, then);
    match n {
        _ if unit.is_empty() => "just now".to_owned(),
        1 => format!("1 {unit} ago"),
        _ => format!("{n} {unit}s ago"),
    }
}

fn parts(now: i64, then: Timestamp) -> (i64, &'static str) {
    let past = now.saturating_sub(then.millis());
    match past {
        ..NOW_MS => (0, ""),
        NOW_MS..MINUTE_MS => (past / SECOND_MS, "second"),
        MINUTE_MS..HOUR_MS => (past / MINUTE_MS, "minute"),
        HOUR_MS..DAY_MS => (past / HOUR_MS, "hour"),
        DAY_MS..WEEK_MS => (past / DAY_MS, "day"),
        WEEK_MS..YEAR_MS => (past / WEEK_MS, "week"),
        YEAR_MS.. => (past / YEAR_MS, "year"),
    }
}

/// A point in time in both zones: `2025-01-15 10:28:00 UTC · 11:28:00 local (+01:00)`. The local
/// date is written only where it differs. `offset` is local minus UTC, in minutes.
pub(crate) fn stamp(at: Timestamp, offset: i32) -> String {
    let utc = spelled(at);
    let local = spelled(at.plus_millis(i64::from(offset) * MINUTE_MS));
    let same_day = utc.get(..10) == local.get(..10);
    let shown = if same_day {
        local.get(11..).unwrap_or(&local)
    } else {
        &local
    };
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    format!("{utc} UTC · {shown} local ({sign}{hours:02}:{minutes:02})")
}

/// A point in time for a column: `2025-01-15 10:28` in the zone that is so many minutes from UTC.
pub(crate) fn moment(at: Timestamp, offset: i32) -> String {
    let spelled = spelled(at.plus_millis(i64::from(offset) * MINUTE_MS));
    spelled.get(..16).unwrap_or(&spelled).to_owned()
}

/// `2025-01-15 10:28:00`, without a fraction.
fn spelled(at: Timestamp) -> String {
    let whole = Timestamp::from_millis(at.millis().div_euclid(SECOND_MS) * SECOND_MS);
    whole
        .to_string()
        .replace('T', " ")
        .trim_end_matches('Z')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        Timestamp::from_millis(1_736_936_880_120)
    }

    #[test]
    fn ages_grow_through_the_units() {
        let after = |ms: i64| age(at().millis() + ms, at());
        assert_eq!(
            after(-60_000),
            "now",
            "another machine's clock may be ahead"
        );
        assert_eq!(after(4_999), "now");
        assert_eq!(after(5_000), "5s");
        assert_eq!(after(59_999), "59s");
        assert_eq!(after(60_000), "1m");
        assert_eq!(after(2 * HOUR_MS), "2h");
        assert_eq!(after(6 * DAY_MS), "6d");
        assert_eq!(after(8 * DAY_MS), "1w");
        assert_eq!(after(800 * DAY_MS), "2y");
    }

    #[test]
    fn spoken_ages_agree_in_number() {
        assert_eq!(spoken_age(at().millis() + MINUTE_MS, at()), "1 minute ago");
        assert_eq!(
            spoken_age(at().millis() + 4 * MINUTE_MS, at()),
            "4 minutes ago"
        );
        assert_eq!(ago(at().millis(), at()), "just now");
    }

    #[test]
    fn a_stamp_names_both_zones() {
        assert_eq!(
            stamp(at(), 60),
            "2025-01-15 10:28:00 UTC · 11:28:00 local (+01:00)"
        );
        assert_eq!(
            stamp(at(), -690),
            "2025-01-15 10:28:00 UTC · 2025-01-14 22:58:00 local (-11:30)"
        );
    }
}
