//! Local days of one time zone: the zone's offsets are read once, so that a day costs a bisection and no calendar.

use crate::schema::Timestamp;
use jiff::Timestamp as Instant;
use jiff::civil;
use jiff::tz::TimeZone;

const DAY: i64 = 86_400;

/// A time zone's days. Event times are 32-bit seconds, so offsets from 1970 to 2106 are kept.
#[derive(Debug, Clone)]
pub struct LocalTime {
    zone: TimeZone,
    /// From when (seconds since the epoch) which offset (seconds) holds, ascending; the first holds for all before.
    offsets: Vec<(i64, i64)>,
}

impl LocalTime {
    /// Reads the zone's offsets.
    pub fn new(zone: &TimeZone) -> Self {
        let start = Instant::UNIX_EPOCH;
        let mut offsets = vec![(0, i64::from(zone.to_offset(start).seconds()))];
        let transitions = zone.following(start);
        let until_end = transitions.take_while(|transition| transition.timestamp().as_second() <= i64::from(u32::MAX));
        offsets.extend(until_end.map(|change| (change.timestamp().as_second(), i64::from(change.offset().seconds()))));
        LocalTime { zone: zone.clone(), offsets }
    }

    /// The local day of an instant from 1970 to 2106: days since 1970-01-01.
    pub fn day(&self, time: u32) -> i32 {
        let time = i64::from(time);
        let at = self.offsets.partition_point(|(from, _)| *from <= time).max(1);
        (time + self.offsets[at - 1].1).div_euclid(DAY) as i32
    }

    /// The first instant of a local day. Days beyond the calendar count as in UTC.
    pub fn midnight(&self, day: i64) -> i64 {
        let epoch = civil::date(1970, 1, 1);
        let date = jiff::Span::new().try_days(day).ok().and_then(|days| epoch.checked_add(days).ok());
        let start = date.and_then(|date| date.to_zoned(self.zone.clone()).ok());
        start.map_or(day.saturating_mul(DAY), |start| start.timestamp().as_second())
    }

    /// An instant after `time`, no later than the first that is on another local day.
    pub fn next_day(&self, time: i64) -> i64 {
        let at = self.offsets.partition_point(|(from, _)| *from <= time);
        let offset = self.offsets[at.max(1) - 1].1;
        let midnight = ((time + offset).div_euclid(DAY) + 1) * DAY - offset;
        self.offsets.get(at).map_or(midnight, |(change, _)| midnight.min(*change))
    }

    /// The first day that starts at `time` or later.
    pub fn first_day_from(&self, time: i64) -> i64 {
        let mut day = time.div_euclid(DAY) - 2;
        while self.midnight(day) < time {
            day += 1;
        }
        day
    }

    /// The first instant of the local day that `now` is in.
    pub fn today(&self, now: Timestamp) -> i64 {
        match Instant::from_second(now.0) {
            Ok(instant) => {
                let date = instant.to_zoned(self.zone.clone()).date();
                date.to_zoned(self.zone.clone()).map_or(now.0, |start| start.timestamp().as_second())
            }
            Err(_) => now.0.div_euclid(DAY) * DAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_agree_with_the_calendar_around_every_change_of_offset() {
        let epoch = civil::date(1970, 1, 1);
        for name in ["UTC", "Europe/Rome", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"] {
            let zone = TimeZone::get(name).unwrap();
            let local = LocalTime::new(&zone);
            let changes: Vec<i64> = local.offsets.iter().map(|(from, _)| *from).collect();
            let around =
                changes.iter().flat_map(|change| [-86_400, -3_600, -1, 0, 1, 3_600, 86_400].map(|by| change + by));
            for time in
                around.chain((0..400).map(|at| at * 10_737_418)).filter(|time| (0..=u32::MAX.into()).contains(time))
            {
                let zoned = Instant::from_second(time).unwrap().to_zoned(zone.clone());
                let day = zoned.date().since((jiff::Unit::Day, epoch)).unwrap().get_days();
                assert_eq!(local.day(time as u32), day, "{name} {time}");
                let start = zoned.start_of_day().unwrap().timestamp().as_second();
                assert_eq!(local.today(Timestamp(time)), start, "{name} {time}");
                assert_eq!(local.midnight(day.into()), start, "{name} {time}");
                let next = local.first_day_from(time);
                assert!(local.midnight(next) >= time && local.midnight(next - 1) < time, "{name} {time}");
            }
        }
    }
}
