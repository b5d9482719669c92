//! A Bloom filter that grows: a chain of filters, each twice the one before. Whoever passes it may be known; whoever does not
//! is new for sure.

use bloomfilter::Bloom;
use std::fmt;

/// The ids that the first filter is for.
const FIRST: usize = 1 << 16;
/// The ids that none is for more of: a filter is dropped when its newest id is too old.
const LARGEST: usize = 1 << 24;
/// How often one takes a new id for a known one, once it is full.
const FALSE_POSITIVES: f64 = 0.01;
/// The two halves key two hash functions: were they equal, a filter would be wrong four times as often.
const SEED: [u8; 32] = *b"vaglio: the ids of events, twice";

/// The chain; the last filter takes what is new.
#[derive(Default)]
pub(super) struct Growing {
    filters: Vec<Filter>,
}

struct Filter {
    bloom: Bloom<u128>,
    /// The ids it is for, and those it has.
    room: usize,
    taken: usize,
    /// The hour of its newest id.
    newest: i64,
}

impl Growing {
    /// Whether an id may be known.
    pub fn check(&self, id: u128) -> bool {
        self.filters.iter().rev().any(|filter| filter.bloom.check(&id))
    }

    /// From now on the id may be known, also when an older filter let it pass by chance: that one is dropped earlier.
    pub fn set(&mut self, id: u128, hour: i64) {
        let filter = self.last();
        filter.bloom.set(&id);
        filter.taken += 1;
        filter.newest = hour;
    }

    fn last(&mut self) -> &mut Filter {
        let room = match self.filters.last() {
            Some(last) if last.taken < last.room => None,
            Some(last) => Some((last.room * 2).min(LARGEST)),
            None => Some(FIRST),
        };
        if let Some(room) = room {
            self.filters.push(Filter::of(room));
        }
        let at = self.filters.len() - 1;
        &mut self.filters[at]
    }

    /// Drops what has ids of earlier hours alone.
    pub fn forget_before(&mut self, hour: i64) {
        self.filters.retain(|filter| filter.newest >= hour);
    }

    /// The bytes of its bits.
    pub fn bytes(&self) -> usize {
        self.filters.iter().map(|filter| filter.bloom.as_slice().len()).sum()
    }
}

impl Filter {
    fn of(room: usize) -> Self {
        let bloom = Bloom::new_for_fp_rate_with_seed(room, FALSE_POSITIVES, &SEED);
        Filter { bloom: bloom.expect("the sizes are constants that it takes"), room, taken: 0, newest: 0 }
    }
}

impl fmt::Debug for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<(usize, usize)> = self.filters.iter().map(|filter| (filter.taken, filter.room)).collect();
        write!(f, "Growing({sizes:?})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_of_the_seed_differ() {
        assert_ne!(SEED[..16], SEED[16..]);
    }

    #[test]
    fn it_forgets_nobody_and_errs_about_as_often_as_it_says() {
        let mut growing = Growing::default();
        let ids =
            |from: u128, n: u128| (from..from + n).map(|id| id.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        for id in ids(1, 300_000) {
            growing.set(id, 1);
        }
        assert!(ids(1, 300_000).all(|id| growing.check(id)));
        let wrong = ids(1 << 40, 100_000).filter(|id| growing.check(*id)).count();
        assert!(wrong < 100_000 * 3 / 100, "{wrong} of 100,000 strangers pass {growing:?}");
        growing.forget_before(2);
        assert_eq!(growing.bytes(), 0);
    }
}
