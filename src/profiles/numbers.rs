//! The numbers of identifiers: 8 bytes a slot over a plain vector of keys, asked in batches whose cache lines are fetched
//! together, so that memory is waited for once a batch and not once an identifier.

use crate::schema::ProfileKey;
use crate::snapshot::mmap::prefetch;
use zerocopy::IntoBytes;

/// Keys whose lines are fetched together.
const AHEAD: usize = 64;

/// What a slot without an identifier holds.
const FREE: u64 = 0;

/// Which number an identifier has: 0, 1, 2, ... in the order of coming. Open addressing with linear probing.
#[derive(Debug, Default)]
pub struct Numbers {
    /// By number.
    keys: Vec<ProfileKey>,
    /// Upper half: bits of the key that do not choose the slot; lower half: its number + 1. A power of two of them.
    slots: Vec<u64>,
}

impl Numbers {
    /// Appends the numbers of `keys` to `out`, in order. Those that were not known get the next ones.
    pub fn of(&mut self, keys: &[ProfileKey], out: &mut Vec<u32>) {
        for keys in keys.chunks(AHEAD) {
            self.make_room(keys.len());
            keys.iter().for_each(|&key| prefetch(self.slots.as_bytes(), self.home(key) * size_of::<u64>()));
            for &key in keys {
                if let Some(number) = self.candidate(key) {
                    prefetch(self.keys.as_bytes(), number as usize * size_of::<ProfileKey>());
                }
            }
            out.extend(keys.iter().map(|&key| self.number(key)));
        }
    }

    /// The keys, by number.
    pub fn keys(&self) -> &[ProfileKey] {
        &self.keys
    }

    /// The keys, by number, and nothing else.
    pub fn into_keys(self) -> Vec<ProfileKey> {
        self.keys
    }

    fn number(&mut self, key: ProfileKey) -> u32 {
        let mut at = self.home(key);
        while self.slots[at] != FREE {
            let number = number(self.slots[at]);
            if tag(self.slots[at]) == tag(key.0 as u64) && self.keys[number as usize] == key {
                return number;
            }
            at = self.after(at);
        }
        let fresh = self.keys.len() as u32;
        self.keys.push(key);
        self.slots[at] = slot(key, fresh);
        fresh
    }

    /// The first on the key's path that may be it.
    fn candidate(&self, key: ProfileKey) -> Option<u32> {
        let mut at = self.home(key);
        while self.slots[at] != FREE {
            if tag(self.slots[at]) == tag(key.0 as u64) {
                return Some(number(self.slots[at]));
            }
            at = self.after(at);
        }
        None
    }

    fn home(&self, key: ProfileKey) -> usize {
        key.0 as usize & (self.slots.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// At most seven in eight slots are taken.
    fn make_room(&mut self, more: usize) {
        let wanted = (self.keys.len() + more) * 8 / 7 + 1;
        if wanted <= self.slots.len() {
            return;
        }
        self.slots = vec![FREE; wanted.next_power_of_two()];
        for (first, keys) in (0..).step_by(AHEAD).zip(self.keys.chunks(AHEAD)) {
            keys.iter().for_each(|&key| prefetch(self.slots.as_bytes(), self.home(key) * size_of::<u64>()));
            for (number, &key) in (first..).zip(keys) {
                let mut at = self.home(key);
                while self.slots[at] != FREE {
                    at = self.after(at);
                }
                self.slots[at] = slot(key, number);
            }
        }
    }
}

/// A [`ProfileKey`] is a keyed hash already: its lowest bits choose the slot, the 32 above them are in it.
fn slot(key: ProfileKey, number: u32) -> u64 {
    (key.0 as u64 & !u64::from(u32::MAX)) | u64::from(number + 1)
}

fn tag(slot: u64) -> u64 {
    slot >> 32
}

fn number(slot: u64) -> u32 {
    slot as u32 - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// Few homes and few tags, so that paths are long and tags alike; the last homes, so that paths go on at the beginning.
    fn key() -> impl Strategy<Value = ProfileKey> {
        let home = prop::sample::select(vec![0, 1, u128::from(u32::MAX) - 1, u128::from(u32::MAX)]);
        (home, 0u128..3, 0u128..40).prop_map(|(home, tag, rest)| ProfileKey(rest << 64 | tag << 32 | home))
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_a_map(batches in prop::collection::vec(prop::collection::vec(key(), 0..150), 0..12)) {
            let (mut numbers, mut map) = (Numbers::default(), HashMap::new());
            let (mut found, mut obvious) = (Vec::new(), Vec::new());
            for batch in &batches {
                numbers.of(batch, &mut found);
                for key in batch {
                    let next = map.len() as u32;
                    obvious.push(*map.entry(*key).or_insert(next));
                }
            }
            prop_assert_eq!(&found, &obvious);
            prop_assert!(map.iter().all(|(key, &number)| numbers.keys()[number as usize] == *key));
            prop_assert_eq!(numbers.into_keys().len(), map.len());
        }
    }

    #[test]
    fn many_are_told_apart_while_the_table_grows() {
        let keys: Vec<ProfileKey> =
            (1..=50_000u128).map(|n| ProfileKey(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c29))).collect();
        let (mut numbers, mut found) = (Numbers::default(), Vec::new());
        numbers.of(&keys, &mut found);
        numbers.of(&keys, &mut found);
        assert!(found.iter().copied().eq((0..50_000).chain(0..50_000)));
    }
}
