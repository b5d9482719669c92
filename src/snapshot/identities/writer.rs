//! Filling the buckets: every key once, its line fetched ahead, so that building runs at the speed of memory.

use super::{AMBIGUOUS, Bucket, EMPTY, Exception, FIRST_RESERVED, HEADER_BYTES, Header, MAGIC, Probe, SLOTS, prefetch};
use crate::error::{Error, Result};
use crate::schema::ProfileKey;
use std::io::Write;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U32, U64};

/// Slots in use when it is done: 11.7 bytes an identifier, 1.2 lines a stranger. At 0.85 it would be 10.8 and 1.7.
const LOAD: f64 = 0.78;

/// Keys whose lines are fetched together.
const AHEAD: usize = 64;

/// Writes the section. Memory: the section itself and nothing beside it.
pub struct IdentitiesWriter {
    table: Vec<Bucket>,
    longest: u32,
    ambiguous: bool,
}

impl IdentitiesWriter {
    /// Writes every (key, value). Keys are distinct; values are ordinals or `BLOCKED_*`. The entries are gone through
    /// twice (three times when two keys collide). The same entries in the same order give the same bytes.
    pub fn write<I>(entries: I, out: &mut impl Write) -> Result<()>
    where
        I: Iterator<Item = (ProfileKey, u32)> + Clone,
    {
        let count = entries.clone().count();
        let buckets = ((count as f64 / (SLOTS as f64 * LOAD)).ceil() as usize).max(1);
        let mut writer = IdentitiesWriter { table: vec![Bucket::NEW; buckets], longest: 1, ambiguous: false };
        let ordinals = writer.insert_all(entries.clone())?;
        let exceptions = if writer.ambiguous { writer.exceptions(entries)? } else { Vec::new() };
        let header = Header {
            magic: MAGIC,
            buckets: U64::new(buckets as u64),
            entries: U64::new(count as u64),
            exceptions: U64::new(exceptions.len() as u64),
            compared_millionths: U64::new(writer.compared_millionths()),
            longest: U32::new(writer.longest),
            ordinals: U32::new(ordinals),
            reserved: [0; 16],
        };
        debug_assert_eq!(header.as_bytes().len(), HEADER_BYTES);
        for bytes in [header.as_bytes(), writer.table.as_bytes(), exceptions.as_bytes()] {
            out.write_all(bytes).map_err(|error| Error::io("write section `identities`", error))?;
        }
        Ok(())
    }

    /// Returns one more than the greatest ordinal.
    fn insert_all(&mut self, mut entries: impl Iterator<Item = (ProfileKey, u32)>) -> Result<u32> {
        let mut block = Vec::with_capacity(AHEAD);
        let mut ordinals = 0;
        loop {
            block.clear();
            block.extend(entries.by_ref().take(AHEAD));
            if block.is_empty() {
                return Ok(ordinals);
            }
            for (key, _) in &block {
                let bucket = Probe::new(*key, self.table.len() as u64).bucket as usize;
                prefetch(self.table.as_bytes(), bucket * size_of::<Bucket>());
            }
            for &(key, value) in &block {
                if value == AMBIGUOUS || value == EMPTY {
                    return Err(Error::internal(format!("{value} is not a value of the identity index")));
                }
                if value < FIRST_RESERVED {
                    ordinals = ordinals.max(value + 1);
                }
                self.insert(key, value);
            }
        }
    }

    /// Where the key's own path meets its fingerprint, that slot becomes ambiguous; otherwise it gets the first free
    /// slot. What comes later only takes slots behind it, so it stays the first on its path.
    fn insert(&mut self, key: ProfileKey, value: u32) {
        let buckets = self.table.len() as u64;
        let mut probe = Probe::new(key, buckets);
        // There are more slots than entries, so a free one is met.
        for steps in 1.. {
            let bucket = &mut self.table[probe.bucket as usize];
            if let Some(slot) = bucket.slot(probe) {
                bucket.value[slot] = U32::new(AMBIGUOUS);
                self.ambiguous = true;
                self.longest = self.longest.max(steps);
                return;
            }
            let used = bucket.used();
            if used < SLOTS {
                bucket.low[used] = U32::new(probe.low);
                bucket.high[used] = probe.high;
                bucket.value[used] = U32::new(value);
                self.longest = self.longest.max(steps);
                return;
            }
            bucket.overflow |= probe.overflow;
            probe.advance(buckets);
        }
    }

    /// Every key that meets an ambiguous slot first, with its value.
    fn exceptions(&self, entries: impl Iterator<Item = (ProfileKey, u32)>) -> Result<Vec<Exception>> {
        let mut exceptions: Vec<(ProfileKey, u32)> =
            entries.filter(|(key, _)| self.first_value(*key) == Some(AMBIGUOUS)).collect();
        exceptions.sort_unstable();
        if exceptions.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::internal("an identifier was given to the identity index twice"));
        }
        let whole = |(key, value): (ProfileKey, u32)| Exception { key: key.to_bytes(), value: U32::new(value) };
        Ok(exceptions.into_iter().map(whole).collect())
    }

    fn first_value(&self, key: ProfileKey) -> Option<u32> {
        let buckets = self.table.len() as u64;
        let mut probe = Probe::new(key, buckets);
        for _ in 0..self.longest {
            let bucket = &self.table[probe.bucket as usize];
            if let Some(slot) = bucket.slot(probe) {
                return Some(bucket.value[slot].get());
            }
            probe.advance(buckets);
        }
        None
    }

    /// How many entries a stranger is compared with, on average over buckets and overflow bits, in millionths.
    fn compared_millionths(&self) -> u64 {
        let used: Vec<u8> = self.table.iter().map(|bucket| bucket.used() as u8).collect();
        let mut compared = 0u64;
        for home in 0..self.table.len() {
            for bit in 0..8 {
                let mut at = home;
                for _ in 0..self.longest {
                    compared += u64::from(used[at]);
                    if self.table[at].overflow & (1 << bit) == 0 {
                        break;
                    }
                    at = (at + 1) % self.table.len();
                }
            }
        }
        (compared as f64 / (self.table.len() * 8) as f64 * 1e6).ceil() as u64
    }
}
