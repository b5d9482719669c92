//! Dates and times in stated formats. The common shapes are read by hand, exactly as `jiff` reads them, only faster.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// Times are kept as 32-bit seconds: 1970-01-01 to 2106-02-07.
pub(super) const LATEST_TIME: i64 = u32::MAX as i64 - 1;

const DAY: i64 = 86_400;

/// How a time column is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TimeFormat {
    Rfc3339,
    Unix,
    UnixMs,
    /// A strptime format; without an offset of its own it is read in the configuration's time zone.
    Strptime(String),
}

impl TimeFormat {
    /// From the configuration's word.
    pub(super) fn of(format: Option<&str>) -> Self {
        match format {
            None | Some("rfc3339") => TimeFormat::Rfc3339,
            Some("unix") => TimeFormat::Unix,
            Some("unix_ms") => TimeFormat::UnixMs,
            Some(other) => TimeFormat::Strptime(other.to_owned()),
        }
    }

    /// Seconds since the epoch; `None` when the text is not in this format.
    pub(super) fn parse(&self, text: &str, zone: &TimeZone) -> Option<i64> {
        match self {
            TimeFormat::Rfc3339 => instant(text),
            TimeFormat::Unix => whole_or_fraction(text),
            TimeFormat::UnixMs => text.parse::<i64>().ok().map(|ms| ms.div_euclid(1_000)),
            TimeFormat::Strptime(format) => strptime(format, text, zone),
        }
    }

    /// A bare number, as JSON and Parquet have them.
    pub(super) fn parse_number(&self, number: f64) -> Option<i64> {
        match self {
            TimeFormat::Unix => Some(number.floor() as i64),
            TimeFormat::UnixMs => Some((number / 1_000.0).floor() as i64),
            TimeFormat::Rfc3339 | TimeFormat::Strptime(_) => None,
        }
    }
}

/// A local wall-clock time (seconds as if it were UTC) in the zone.
pub(super) fn in_zone(civil_seconds: i64, zone: &TimeZone) -> Option<i64> {
    let civil = jiff::Timestamp::from_second(civil_seconds).ok()?.to_zoned(TimeZone::UTC).datetime();
    resolve(civil, zone)
}

/// Seconds since the epoch, from RFC 3339.
pub fn instant(text: &str) -> Option<i64> {
    utc_by_hand(text.as_bytes()).or_else(|| rfc3339(text))
}

/// Days since 1970-01-01. Without a format: `%Y-%m-%d`.
pub fn date(format: Option<&str>, text: &str) -> Option<i32> {
    match format {
        None | Some("%Y-%m-%d") => days_by_hand(text.as_bytes()),
        Some(format) => Date::strptime(format, text).ok().map(days_of),
    }
}

fn rfc3339(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|instant| instant.as_nanosecond().div_euclid(1_000_000_000) as i64)
}

fn whole_or_fraction(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().or_else(|| super::values::number(text, b'.').map(|seconds| seconds.floor() as i64))
}

fn strptime(format: &str, text: &str, zone: &TimeZone) -> Option<i64> {
    let parsed = strtime::parse(format, text).ok()?;
    if let Ok(instant) = parsed.to_timestamp() {
        return Some(instant.as_second());
    }
    let civil = parsed
        .to_datetime()
        .ok()
        .or_else(|| parsed.to_date().ok().map(|day| day.to_datetime(jiff::civil::Time::midnight())))?;
    resolve(civil, zone)
}

/// A time that the clock's change repeats is the earlier one; one that it skips moves on by the gap.
fn resolve(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    zone.to_ambiguous_timestamp(civil).compatible().ok().map(jiff::Timestamp::as_second)
}

fn days_of(date: Date) -> i32 {
    days_from_civil(i64::from(date.year()), i64::from(date.month()), i64::from(date.day())) as i32
}

/// `YYYY-MM-DDTHH:MM:SSZ`, with an optional fraction, which is cut off.
fn utc_by_hand(text: &[u8]) -> Option<i64> {
    let fraction = match text.len() {
        20 => &[][..],
        22..=30 if text[19] == b'.' => &text[20..text.len() - 1],
        _ => return None,
    };
    let separators = text[10] == b'T' && text[13] == b':' && text[16] == b':' && text[text.len() - 1] == b'Z';
    if !separators || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (hour, minute, second) = (two(text, 11)?, two(text, 14)?, two(text, 17)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(i64::from(days_by_hand(&text[..10])?) * DAY + hour * 3_600 + minute * 60 + second)
}

/// `YYYY-MM-DD`
fn days_by_hand(text: &[u8]) -> Option<i32> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) = (two(text, 0)? * 100 + two(text, 2)?, two(text, 5)?, two(text, 8)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    (1..=days).contains(&day).then(|| days_from_civil(year, month, day) as i32)
}

fn two(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens * 10 + ones))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar: years are counted from March, so that the leap day ends one.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rome() -> TimeZone {
        TimeZone::get("Europe/Rome").unwrap()
    }

    #[test]
    fn times_in_every_format() {
        let noon = 1_793_534_400; // 2026-11-01T12:00:00Z
        let read = |format: Option<&str>, text: &str| TimeFormat::of(format).parse(text, &rome());
        for text in
            ["2026-11-01T12:00:00Z", "2026-11-01T12:00:00.999Z", "2026-11-01T13:00:00+01:00", "2026-11-01 12:00:00Z"]
        {
            assert_eq!(read(None, text), Some(noon), "{text}");
        }
        assert_eq!(read(Some("unix"), "1793534400"), Some(noon));
        assert_eq!(read(Some("unix"), "1793534400.7"), Some(noon));
        assert_eq!(read(Some("unix_ms"), "1793534400999"), Some(noon));
        assert_eq!(read(Some("%d/%m/%Y %H:%M"), "01/11/2026 13:00"), Some(noon), "in the configured zone");
        assert_eq!(read(Some("%d/%m/%Y %H:%M %z"), "01/11/2026 12:00 +0000"), Some(noon), "its own offset wins");
        assert_eq!(read(Some("%Y-%m-%d"), "2026-11-01"), Some(noon - 13 * 3_600), "a day starts at local midnight");
        for text in
            ["", "2026-11-01", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "yesterday", "2026-11-01T12:00:00"]
        {
            assert_eq!(read(None, text), None, "{text}");
        }
        assert_eq!(read(Some("unix"), "soon"), None);
    }

    #[test]
    fn dates_in_every_format() {
        assert_eq!(date(None, "1970-01-01"), Some(0));
        assert_eq!(date(None, "2000-02-29"), Some(11_016));
        assert_eq!(date(Some("%d.%m.%Y"), "29.02.2000"), Some(11_016));
        for text in ["1900-02-29", "2026-04-31", "2026-00-10", "2026-1-1", "20260101", "", "2026-01-0x"] {
            assert_eq!(date(None, text), None, "{text}");
        }
    }

    #[test]
    fn wall_clock_times_meet_the_change_of_the_clock() {
        let skipped = TimeFormat::of(Some("%Y-%m-%d %H:%M")).parse("2026-03-29 02:30", &rome());
        assert_eq!(skipped, TimeFormat::Rfc3339.parse("2026-03-29T01:30:00Z", &rome()));
        let as_if_utc = TimeFormat::Rfc3339.parse("2026-07-01T12:00:00Z", &rome()).unwrap();
        assert_eq!(in_zone(as_if_utc, &rome()), Some(as_if_utc - 2 * 3_600));
    }

    proptest! {
        #[test]
        fn by_hand_is_what_jiff_reads(second in 0i64..4_294_967_000, day in -700_000i32..2_900_000) {
            let instant = jiff::Timestamp::from_second(second).unwrap();
            prop_assert_eq!(utc_by_hand(instant.to_string().as_bytes()), Some(second));
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
            prop_assert_eq!(days_of(date), day);
            prop_assert_eq!(days_by_hand(date.to_string().as_bytes()), Some(day));
        }

        #[test]
        fn by_hand_accepts_nothing_that_jiff_refuses(text in "[0-3][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z") {
            prop_assert_eq!(utc_by_hand(text.as_bytes()), rfc3339(&text));
        }
    }
}
