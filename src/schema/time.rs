//! Instants, durations and the clock. Windows are exact to the minute.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The start of this instant's minute: the instants at which rules are evaluated.
    #[must_use]
    pub fn floor_minute(self) -> Timestamp {
        Timestamp(self.0.div_euclid(60) * 60)
    }

    /// Whole minutes since the epoch.
    pub fn minute(self) -> i64 {
        self.0.div_euclid(60)
    }

    /// Reads RFC 3339 (`2026-11-01T10:00:00Z`, any offset).
    pub fn parse(text: &str) -> Option<Timestamp> {
        text.parse::<jiff::Timestamp>().ok().map(|instant| Timestamp(instant.as_second()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{} s", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is not a time; expected RFC 3339 such as 2026-11-01T10:00:00Z"))
        })
    }
}

/// A length of time in seconds, written `30 days`, `24h`, `20m`, `2 weeks`. A day is 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

impl Span {
    /// Reads a whole number and a unit: s, m/min, h, d, w and their long forms; the space is optional.
    pub fn parse(text: &str) -> Option<Span> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let seconds = Span::unit_seconds(unit.trim())?;
        number.parse::<i64>().ok()?.checked_mul(seconds).map(Span)
    }

    /// The seconds in a unit's name, singular, plural or short.
    pub fn unit_seconds(unit: &str) -> Option<i64> {
        Some(match unit.to_ascii_lowercase().as_str() {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 7 * 86_400,
            _ => return None,
        })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            s if s != 0 && s % 86_400 == 0 => (s / 86_400, "day"),
            s if s != 0 && s % 3_600 == 0 => (s / 3_600, "hour"),
            s if s != 0 && s % 60 == 0 => (s / 60, "minute"),
            s => (s, "second"),
        };
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is not a length of time; expected such as `30 days`, `24h`, `20m`"
            ))
        })
    }
}

/// Where "now" comes from: the machine, a frozen `as_of`, or a test's hand.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Always the same instant (a configuration with `as_of`).
    Frozen(Timestamp),
    /// Set by a test.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The present instant. A machine clock before 1970 counts as 1970.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(since.as_secs() as i64 + moved())
            }
            Clock::Frozen(at) => *at,
            Clock::Manual(seconds) => Timestamp(seconds.load(Ordering::Relaxed)),
        }
    }
}

/// By how many seconds a test has moved the machine's clock: what the file that `FAULTS_CLOCK` names says at this moment.
#[cfg(feature = "faults")]
fn moved() -> i64 {
    static FILE: std::sync::LazyLock<Option<std::ffi::OsString>> =
        std::sync::LazyLock::new(|| std::env::var_os("FAULTS_CLOCK"));
    let text = FILE.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

#[cfg(not(feature = "faults"))]
#[inline(always)]
fn moved() -> i64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back_as_written() {
        for (text, seconds) in
            [("30 days", 2_592_000), ("24h", 86_400), ("20m", 1_200), ("1 week", 604_800), ("90 s", 90)]
        {
            assert_eq!(Span::parse(text), Some(Span(seconds)), "{text}");
            assert_eq!(Span::parse(&Span(seconds).to_string()), Some(Span(seconds)), "{text}");
        }
        for wrong in ["", "days", "7", "7 fortnights", "-1 day", "99999999999999999999 days"] {
            assert_eq!(Span::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn minutes_floor_also_before_1970() {
        assert_eq!(Timestamp(-1).floor_minute(), Timestamp(-60));
        assert_eq!(Timestamp(119).floor_minute(), Timestamp(60));
    }
}
