//! The identifiers of those who are exported, by key: found in a step or two, whatever their number, in 26 bytes each.

use crate::schema::ProfileKey;

/// What an identifier without a profile has for a rank.
pub(super) const NOBODY: u32 = u32::MAX;

/// Keys with what they belong to, sorted; keys are hashes, so that their first bits say where to look.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    entries: Vec<Entry>,
    /// Where the keys of each bucket start, and the end of the last.
    starts: Vec<u32>,
    shift: u32,
}

/// Packed by hand: a `u128` would round every entry up to 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Big-endian, so that bytes order as numbers do.
    key: [u8; 16],
    rank: [u8; 4],
    id_type: [u8; 2],
}

/// An identifier: whose it is and of what type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Of {
    /// The profile's place among those exported, or [`NOBODY`].
    pub(super) rank: u32,
    /// Its type's place among those of the configuration.
    pub(super) id_type: u16,
}

impl Wanted {
    /// From keys in any order; of a key that comes twice the first in order counts.
    pub(super) fn new(keys: impl Iterator<Item = (ProfileKey, Of)>) -> Self {
        let mut entries: Vec<Entry> = keys
            .map(|(key, of)| Entry {
                key: key.0.to_be_bytes(),
                rank: of.rank.to_be_bytes(),
                id_type: of.id_type.to_be_bytes(),
            })
            .collect();
        entries.sort_unstable();
        entries.dedup_by_key(|entry| entry.key);
        let bits = entries.len().next_power_of_two().ilog2().min(28);
        let shift = 128 - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        entries.iter().for_each(|entry| starts[bucket(u128::from_be_bytes(entry.key), shift) + 1] += 1);
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        Wanted { entries, starts, shift }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where a key is.
    pub(super) fn find(&self, key: ProfileKey) -> Option<usize> {
        let bucket = bucket(key.0, self.shift);
        let (start, end) = (*self.starts.get(bucket)? as usize, *self.starts.get(bucket + 1)? as usize);
        let wanted = key.0.to_be_bytes();
        let at = self.entries[start..end].iter().position(|entry| entry.key == wanted)?;
        Some(start + at)
    }

    /// The identifier at a place.
    pub(super) fn of(&self, at: usize) -> Of {
        let entry = &self.entries[at];
        Of { rank: u32::from_be_bytes(entry.rank), id_type: u16::from_be_bytes(entry.id_type) }
    }

    /// Every key, ascending.
    pub(super) fn keys(&self) -> impl Iterator<Item = ProfileKey> + '_ {
        self.entries.iter().map(|entry| ProfileKey(u128::from_be_bytes(entry.key)))
    }
}

/// `shift` is 128 where there is one bucket.
fn bucket(key: u128, shift: u32) -> usize {
    key.checked_shr(shift).unwrap_or(0) as usize
}

/// A bit for each of so many.
#[derive(Debug, Clone)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// None set.
    pub(super) fn new(len: usize) -> Self {
        Bits(vec![0; len.div_ceil(64)])
    }

    /// Sets one; whether it was not set before.
    pub(super) fn set(&mut self, at: usize) -> bool {
        let (word, bit) = (&mut self.0[at / 64], 1 << (at % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether one is set.
    pub(super) fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    /// How many are set.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn finds_what_a_map_finds(keys in prop::collection::vec(any::<u128>(), 0..300), others in prop::collection::vec(any::<u128>(), 0..50)) {
            let map: BTreeMap<u128, u32> = (0..).zip(&keys).map(|(rank, key)| (*key, rank)).collect();
            let of = |rank: u32| Of { rank, id_type: (rank % 7) as u16 };
            let wanted = Wanted::new(map.iter().map(|(key, rank)| (ProfileKey(*key), of(*rank))));
            prop_assert_eq!(wanted.len(), map.len());
            for key in keys.iter().chain(&others) {
                let found = wanted.find(ProfileKey(*key)).map(|at| wanted.of(at));
                prop_assert_eq!(found, map.get(key).map(|rank| of(*rank)));
            }
        }
    }

    #[test]
    fn of_nothing_nothing_is_found() {
        let nobody = Wanted::new(std::iter::empty());
        assert_eq!((nobody.len(), nobody.find(ProfileKey(0)), nobody.find(ProfileKey(u128::MAX))), (0, None, None));
    }
}
