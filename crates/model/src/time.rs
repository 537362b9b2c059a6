//! Time, passed in: nothing below `tidegate` reads a clock.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z. Printed as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

/// A length of time in whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// From seconds since the epoch (JWT `exp`, `nbf`, `iat`).
    pub const fn from_seconds(s: i64) -> Self {
        Self(s.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment and so much later.
    #[must_use]
    pub const fn plus(self, by: Seconds) -> Self {
        Self(self.0.saturating_add(by.0.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to this moment; negative if it is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The first moment of the day that it is in UTC.
    #[must_use]
    pub const fn day(self) -> Self {
        Self(self.0.div_euclid(86_400_000).saturating_mul(86_400_000))
    }

    /// Which day it is in UTC: of the week, Monday 1 to Sunday 7, and of the month, from 1. None: no year that has days.
    pub fn day_of_week_and_month(self) -> Option<(i8, i8)> {
        let date = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(self.0).ok()?).date();
        Some((date.weekday().to_monday_one_offset(), date.day()))
    }

    /// Reads RFC 3339, with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) if self.0.rem_euclid(1000) == 0 => write!(f, "{t:.0}"),
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

impl Seconds {
    /// So many minutes.
    pub const fn minutes(n: i64) -> Self {
        Self(n * 60)
    }

    /// So many hours.
    pub const fn hours(n: i64) -> Self {
        Self(n * 3600)
    }

    /// So many days.
    pub const fn days(n: i64) -> Self {
        Self(n * 86_400)
    }

    /// Reads `90`, `90s`, `15m`, `12h`, `90d`: what people type after `--expires-in`.
    pub fn parse(text: &str) -> Option<Self> {
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at_checked(split)?;
        let factor = match unit {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        digits.parse::<i64>().ok()?.checked_mul(factor).map(Self)
    }
}

/// Where the time comes from. The system's clock is opened by the program alone; tests hold it still.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is moved: for tests.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that shows `at`.
    pub const fn at(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.0))
    }

    /// Moves the clock on (or back, with negative seconds).
    pub fn advance(&self, by: Seconds) {
        self.0.fetch_add(by.0.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339_and_reads_it_back() {
        for (ms, text) in [(0, "1970-01-01T00:00:00Z"), (1_700_000_000_123, "2023-11-14T22:13:20.123Z")] {
            assert_eq!(Timestamp(ms).to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(Timestamp(ms)));
        }
        assert_eq!(Timestamp::parse("2023-11-15T00:13:20.123+02:00"), Some(Timestamp(1_700_000_000_123)));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn tells_the_day() {
        let at = Timestamp(1_700_000_000_123);
        assert_eq!(at.day().to_string(), "2023-11-14T00:00:00Z");
        assert_eq!(at.day_of_week_and_month(), Some((2, 14)));
        assert_eq!(Timestamp(-1).day_of_week_and_month(), Some((3, 31)));
        assert_eq!(Timestamp(i64::MAX).day_of_week_and_month(), None);
    }

    #[test]
    fn reads_lengths_as_people_type_them() {
        for (text, want) in [
            ("90d", Some(7_776_000)),
            ("1h", Some(3600)),
            ("15m", Some(900)),
            ("7", Some(7)),
            ("h", None),
            ("1w", None),
            ("", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(Seconds::parse(text).map(|s| s.0), want, "{text}");
        }
    }
}
