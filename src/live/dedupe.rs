//! Which events were taken already: an exact set of their 128-bit ids over the last `dedupe_hours`, in front of it a Bloom
//! filter that knows most new ones from the start.
//!
//! Ids are kept by the hour of their receipt: the newest hour as a hash set, earlier ones as sorted arrays, so that a whole
//! hour is forgotten at once. An id takes 16 bytes in an earlier hour, 17 to 40 in the newest, and 1.2 to 2.4 in the filter.
//!
//! Hours are those that were seen to pass: a clock that is set back makes none of them younger or older.

use super::bloom::Growing;
use crate::schema::Timestamp;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

const HOUR: i64 = 3_600;

/// The ids of the events that were received within so many hours, and of some that are at most an hour older.
#[derive(Debug)]
pub struct Dedupe {
    hours: i64,
    passed: Passed,
    /// The ids of the newest hour.
    newest: HashSet<u128, BuildHasherDefault<Identity>>,
    /// Which it is.
    hour: i64,
    /// Earlier hours that have any, the oldest first.
    earlier: VecDeque<Earlier>,
    filter: Growing,
}

#[derive(Debug)]
struct Earlier {
    hour: i64,
    ids: Vec<u128>,
}

impl Dedupe {
    /// Remembers nothing yet, and then each id for so many hours.
    pub fn new(hours: u32) -> Self {
        Dedupe {
            hours: i64::from(hours),
            passed: Passed::default(),
            newest: HashSet::default(),
            hour: 0,
            earlier: VecDeque::new(),
            filter: Growing::default(),
        }
    }

    /// Lets time pass up to `now`, by the machine's clock: what is too old is forgotten.
    pub fn advance(&mut self, now: Timestamp) {
        let hour = self.passed.until(now) / HOUR;
        if hour == self.hour {
            return;
        }
        if !self.newest.is_empty() {
            // The new hour's events will be about as many: the set keeps its memory.
            let mut ids: Vec<u128> = self.newest.drain().collect();
            ids.sort_unstable();
            self.earlier.push_back(Earlier { hour: self.hour, ids });
        }
        self.hour = hour;
        let oldest = hour - self.hours;
        while self.earlier.front().is_some_and(|earlier| earlier.hour < oldest) {
            self.earlier.pop_front();
        }
        self.filter.forget_before(oldest);
    }

    /// Remembers an id that is received now; `false` if it was known.
    pub fn insert(&mut self, id: u128) -> bool {
        if self.contains(id) {
            return false;
        }
        self.filter.set(id, self.hour);
        self.newest.insert(id)
    }

    /// Forgets an id that was remembered in the present hour: its event was not taken after all.
    pub fn withdraw(&mut self, id: u128) {
        self.newest.remove(&id);
    }

    /// Whether an id is known.
    pub fn contains(&self, id: u128) -> bool {
        self.filter.check(id) && self.holds(id)
    }

    fn holds(&self, id: u128) -> bool {
        self.newest.contains(&id) || self.earlier.iter().rev().any(|earlier| earlier.ids.binary_search(&id).is_ok())
    }

    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.newest.len() + self.earlier.iter().map(|earlier| earlier.ids.len()).sum::<usize>()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that are allocated for it, about.
    pub fn bytes(&self) -> usize {
        let earlier: usize = self.earlier.iter().map(|earlier| earlier.ids.capacity() * size_of::<u128>()).sum();
        earlier + self.newest.capacity() * (size_of::<u128>() + 1) + self.filter.bytes()
    }
}

/// The seconds that were seen to pass, by a clock that may be set forward and back.
#[derive(Debug, Default)]
struct Passed {
    seconds: i64,
    /// The latest time that was seen.
    last: Option<i64>,
}

impl Passed {
    fn until(&mut self, now: Timestamp) -> i64 {
        let last = *self.last.get_or_insert(now.0);
        if now.0 > last {
            self.seconds = self.seconds.saturating_add(now.0.saturating_sub(last));
            self.last = Some(now.0);
        } else if now.0 < last - HOUR {
            // Set back. A little backwards is not: then time would pass at every step to and fro.
            self.last = Some(now.0);
        }
        self.seconds
    }
}

/// The ids are keyed hashes already.
#[derive(Debug, Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, id: u128) {
        self.0 = id as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
