//! Points in time: UTC milliseconds inside, RFC 3339 with `Z` on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z.
///
/// On the wire it is RFC 3339 in UTC with `Z`; milliseconds are written only when not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time; write it like 2025-01-15T10:28:00Z")]
pub struct InvalidTimestamp(pub String);

/// 0000-01-01 and 9999-12-31T23:59:59.999Z: what RFC 3339's four-digit year can say.
const RANGE_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

impl Timestamp {
    /// From milliseconds; clamped to the years 0 to 9999, which the wire can write.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(*RANGE_MS.start(), *RANGE_MS.end()))
    }

    /// From Unix seconds with a fraction, as SIEMs send them; `None` when not finite or out of range.
    pub fn from_unix_seconds(seconds: f64) -> Option<Self> {
        let millis = (seconds * 1000.0).round();
        // Compared as floats first: a cast of a huge float would saturate silently.
        #[expect(
            clippy::cast_precision_loss,
            reason = "the bounds are exact in f64 to the second"
        )]
        let (low, high) = (*RANGE_MS.start() as f64, *RANGE_MS.end() as f64);
        if !millis.is_finite() || millis < low || millis > high {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be within i64 above"
        )]
        Some(Self(millis as i64))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This time plus a number of milliseconds, which may be negative.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        if self.0.rem_euclid(1000) == 0 {
            write!(f, "{time:.0}")
        } else {
            write!(f, "{time:.3}")
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time: jiff::Timestamp = text
            .trim()
            .parse()
            .map_err(|_| InvalidTimestamp(text.to_owned()))?;
        Ok(Self::from_millis(time.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_written_only_when_not_zero() {
        assert_eq!(
            Timestamp::from_millis(1_736_936_880_000).to_string(),
            "2025-01-15T10:28:00Z"
        );
        assert_eq!(
            Timestamp::from_millis(1_736_936_880_120).to_string(),
            "2025-01-15T10:28:00.120Z"
        );
    }

    #[test]
    fn offsets_are_read_and_written_as_utc() {
        let time: Timestamp = "2025-01-15T12:28:00.5+02:00".parse().expect("valid");
        assert_eq!(time.to_string(), "2025-01-15T10:28:00.500Z");
    }

    #[test]
    fn seconds_out_of_range_are_refused() {
        assert_eq!(Timestamp::from_unix_seconds(f64::NAN), None);
        assert_eq!(Timestamp::from_unix_seconds(1e300), None);
        assert!(Timestamp::from_unix_seconds(1_736_936_880.25).is_some());
    }
}
