//! Who was seen in the bidstream: one bit a profile a day, in UTC days, for as many days as are remembered.
//!
//! It belongs to one index, because it speaks in ordinals: every generation of that index shares it, and what is known is
//! [`carry`]-ed to the next index by identifier. Many set bits, without a lock; one thread begins days. Whoever is deleted is
//! not carried, because their identifiers lead nowhere: their bits are gone with the index. Must not know files.

use crate::schema::{ProfileKey, Timestamp};
use parking_lot::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

#[cfg(test)]
mod tests;

const DAY_SECONDS: i64 = 86_400;
/// What a place says that holds no day.
const NO_DAY: i64 = i64::MIN;
/// Tomorrow is begun before it comes, and today's place is not taken while anybody is late: so many places more than days.
const SPARE: usize = 2;

/// The UTC day of an instant: days since 1970-01-01.
pub fn day_of(now: Timestamp) -> i64 {
    now.0.div_euclid(DAY_SECONDS)
}

/// The bits of some days. The default remembers nothing.
#[derive(Debug, Default)]
pub struct Daily {
    profiles: u32,
    /// Day `d` is at `d` modulo their number.
    places: Box<[Place]>,
    beginning: Mutex<()>,
    /// Whether what was known with the index before has come over.
    whole: AtomicBool,
}

#[derive(Debug)]
struct Place {
    day: AtomicI64,
    /// One bit a profile; allocated when its first day begins, used again by later ones.
    words: OnceLock<Box<[AtomicU64]>>,
}

impl Daily {
    /// Nobody was seen yet, of so many profiles; `days` days are remembered, 0 = nothing is.
    pub fn new(profiles: u32, days: u32) -> Self {
        let places = if days == 0 { 0 } else { days as usize + SPARE };
        let place = || Place { day: AtomicI64::new(NO_DAY), words: OnceLock::new() };
        Daily { profiles, places: (0..places).map(|_| place()).collect(), ..Daily::default() }
    }

    /// Profiles it has bits for.
    pub fn profiles(&self) -> u32 {
        self.profiles
    }

    /// For how many days it remembers.
    pub fn days(&self) -> u32 {
        self.places.len().saturating_sub(SPARE) as u32
    }

    /// Remembers that these profiles were seen. Strangers, who have no ordinal, are passed over; so is a day that nobody began.
    #[inline]
    pub fn mark(&self, matched: &[u32], now: Timestamp) {
        let Some(words) = self.words(day_of(now)) else { return };
        for &ordinal in matched.iter().filter(|ordinal| **ordinal < self.profiles) {
            let (word, bit) = (&words[ordinal as usize / 64], 1 << (ordinal % 64));
            // Most were seen before: reading shares the line with whoever else reads it.
            if word.load(Ordering::Relaxed) & bit == 0 {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// Makes room for a day. What was in its place is older than anything that is asked for.
    pub fn begin(&self, day: i64) {
        let Some(place) = self.place(day) else { return };
        let _one_at_a_time = self.beginning.lock();
        if place.day.load(Ordering::Relaxed) == day {
            return;
        }
        place.day.store(NO_DAY, Ordering::Relaxed);
        let words = place.words.get_or_init(|| (0..self.profiles.div_ceil(64)).map(|_| AtomicU64::new(0)).collect());
        words.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        place.day.store(day, Ordering::Release);
    }

    /// Adds bits of a day, as [`Daily::day`] gave them.
    pub fn add(&self, day: i64, bits: &[u64]) {
        self.begin(day);
        let words = self.words(day).unwrap_or_default();
        for (word, bits) in words.iter().zip(bits) {
            word.fetch_or(*bits, Ordering::Relaxed);
        }
    }

    /// The bits of a day: word `i` is of the ordinals from 64 `i` on. `None` = nothing is known of that day.
    pub fn day(&self, day: i64) -> Option<Vec<u64>> {
        Some(self.words(day)?.iter().map(|word| word.load(Ordering::Relaxed)).collect())
    }

    /// The days that are remembered today, the oldest first.
    pub fn remembered(&self, today: i64) -> impl Iterator<Item = i64> + '_ {
        (today - i64::from(self.days()) + 1..=today).filter(|day| self.words(*day).is_some())
    }

    /// Who was seen within so many days, today included: word `i` is of the ordinals from 64 `i` on. Never more days than
    /// are remembered.
    pub fn within(&self, today: i64, days: u32) -> Vec<u64> {
        let mut all = vec![0; self.profiles.div_ceil(64) as usize];
        for day in self.remembered(today).filter(|day| today - day < i64::from(days)) {
            let words = self.words(day).unwrap_or_default();
            all.iter_mut().zip(words).for_each(|(all, word)| *all |= word.load(Ordering::Relaxed));
        }
        all
    }

    /// How many were seen on each day that is remembered today, the oldest first.
    pub fn counts(&self, today: i64) -> Vec<(i64, u64)> {
        let count = |word: &AtomicU64| u64::from(word.load(Ordering::Relaxed).count_ones());
        self.remembered(today).map(|day| (day, self.words(day).unwrap_or_default().iter().map(count).sum())).collect()
    }

    /// Whether what was known with the index before has come over, so that nobody is missing.
    pub fn is_whole(&self) -> bool {
        self.whole.load(Ordering::Acquire)
    }

    /// Says that nobody is missing.
    pub fn set_whole(&self) {
        self.whole.store(true, Ordering::Release);
    }

    fn place(&self, day: i64) -> Option<&Place> {
        let places = self.places.len() as i64;
        if places == 0 { None } else { self.places.get(day.rem_euclid(places) as usize) }
    }

    #[inline]
    fn words(&self, day: i64) -> Option<&[AtomicU64]> {
        let place = self.place(day)?;
        if place.day.load(Ordering::Acquire) == day { place.words.get().map(|words| &**words) } else { None }
    }
}

/// Carries what is remembered today from one index to another: whoever has an identifier of somebody who was seen was seen.
/// `keys` are the identifiers of an ordinal of `from`, `find` the ordinal of `to` that one leads to, if any. Nobody may mark
/// `from` any more; `to` may be in service already.
pub fn carry<K: Iterator<Item = ProfileKey>>(
    from: &Daily,
    to: &Daily,
    today: i64,
    keys: impl Fn(u32) -> K,
    find: impl Fn(ProfileKey) -> Option<u32>,
) {
    let days: Vec<i64> = from.remembered(today).collect();
    days.iter().for_each(|day| to.begin(*day));
    let old: Vec<&[AtomicU64]> = days.iter().filter_map(|day| from.words(*day)).collect();
    let new: Vec<&[AtomicU64]> = days.iter().filter_map(|day| to.words(*day)).collect();
    for at in 0..from.profiles.div_ceil(64) {
        let seen: Vec<u64> = old.iter().map(|words| words[at as usize].load(Ordering::Relaxed)).collect();
        let mut any = seen.iter().fold(0, |any, word| any | word);
        while any != 0 {
            let bit = any.trailing_zeros();
            any &= any - 1;
            for ordinal in keys(at * 64 + bit).filter_map(&find).filter(|ordinal| *ordinal < to.profiles) {
                for (_, words) in seen.iter().zip(&new).filter(|(seen, _)| *seen >> bit & 1 == 1) {
                    words[ordinal as usize / 64].fetch_or(1 << (ordinal % 64), Ordering::Relaxed);
                }
            }
        }
    }
}
