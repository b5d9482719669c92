//! Section `identities`: ProfileKey -> ordinal (or a blocked mark), one cache line a question.
//!
//! 64-byte buckets of seven (40-bit fingerprint, 32-bit value) and an overflow byte. A key's bucket is the top half of
//! the key scaled to the number of buckets; a full bucket passes the key on to the next and sets one of eight overflow
//! bits, chosen by the key, so that a stranger goes on looking only when its own bit is set. Keys are keyed SipHash
//! values: their bits are uniform, and nobody outside can choose them. Two known keys that would answer for one another
//! are resolved by a table of whole keys. Why these numbers: `docs/decisions/0003-identity-buckets.md`.

mod writer;

pub use writer::IdentitiesWriter;

use super::mmap::prefetch;
use crate::error::{Error, Result};
use crate::schema::ProfileKey;
use std::ops::Deref;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// No entry.
pub(super) const EMPTY: u32 = u32::MAX;
/// The identifier of nobody we know, who objects to everything.
pub const BLOCKED_ALL: u32 = u32::MAX - 1;
/// The identifier of nobody we know, who withdrew from profiling.
pub const BLOCKED_PROFILING: u32 = u32::MAX - 2;
/// The identifier of nobody we know, who objects to marketing.
pub const BLOCKED_MARKETING: u32 = u32::MAX - 3;
/// Ask the table of whole keys.
const AMBIGUOUS: u32 = u32::MAX - 4;
/// Values below this one are ordinals.
pub const FIRST_RESERVED: u32 = AMBIGUOUS;

const MAGIC: [u8; 8] = *b"VAGIDENT";
const SLOTS: usize = 7;
const BUCKET_BYTES: usize = 64;
const HEADER_BYTES: usize = 64;

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Bucket {
    low: [U32; SLOTS],
    value: [U32; SLOTS],
    high: [u8; SLOTS],
    overflow: u8,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    buckets: U64,
    entries: U64,
    exceptions: U64,
    /// Entries whose fingerprint a stranger's is compared with, on average, in millionths.
    compared_millionths: U64,
    /// Buckets looked at for any key, at most.
    longest: U32,
    /// One more than the greatest ordinal.
    ordinals: U32,
    reserved: [u8; 16],
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Exception {
    key: [u8; 16],
    value: U32,
}

/// Where a key is looked for, and what is compared.
#[derive(Clone, Copy)]
struct Probe {
    bucket: u64,
    low: u32,
    high: u8,
    overflow: u8,
}

impl Probe {
    #[inline(always)]
    fn new(key: ProfileKey, buckets: u64) -> Probe {
        let (top, bottom) = ((key.0 >> 64) as u64, key.0 as u64);
        Probe {
            bucket: ((u128::from(top) * u128::from(buckets)) >> 64) as u64,
            low: bottom as u32,
            high: (bottom >> 32) as u8,
            overflow: 1 << ((bottom >> 40) & 7),
        }
    }

    #[inline(always)]
    fn advance(&mut self, buckets: u64) {
        self.bucket += 1;
        if self.bucket == buckets {
            self.bucket = 0;
        }
    }
}

impl Bucket {
    const NEW: Bucket =
        Bucket { low: [U32::ZERO; SLOTS], value: [U32::new(EMPTY); SLOTS], high: [0; SLOTS], overflow: 0 };

    /// The first slot with the probe's fingerprint. The comparison has no branch until one of 32 bits agrees.
    #[inline(always)]
    fn slot(&self, probe: Probe) -> Option<usize> {
        let mut same = 0u32;
        for slot in 0..SLOTS {
            same |= u32::from(self.low[slot].get() == probe.low) << slot;
        }
        while same != 0 {
            let slot = same.trailing_zeros() as usize;
            if self.high[slot] == probe.high && self.value[slot].get() != EMPTY {
                return Some(slot);
            }
            same &= same - 1;
        }
        None
    }

    fn used(&self) -> usize {
        self.value.iter().filter(|value| value.get() != EMPTY).count()
    }
}

/// The identity index, on verified bytes.
#[derive(Debug, Clone)]
pub struct Identities<B> {
    bytes: B,
    buckets: u64,
    entries: u64,
    exceptions: usize,
    compared_millionths: u64,
    longest: u32,
    ordinals: u32,
}

impl<B: Deref<Target = [u8]>> Identities<B> {
    /// Checks the header against the length.
    pub fn open(bytes: B) -> Result<Self> {
        let malformed = || Error::snapshot("section `identities` is malformed; rebuild with `vaglio build`");
        let (header, _) = Header::read_from_prefix(&bytes).map_err(|_| malformed())?;
        let (buckets, exceptions) = (header.buckets.get(), header.exceptions.get());
        let length = buckets
            .checked_mul(BUCKET_BYTES as u64)
            .and_then(|table| exceptions.checked_mul(size_of::<Exception>() as u64)?.checked_add(table))
            .and_then(|rest| rest.checked_add(HEADER_BYTES as u64));
        if header.magic != MAGIC || buckets == 0 || length != Some(bytes.len() as u64) {
            return Err(malformed());
        }
        Ok(Identities {
            buckets,
            entries: header.entries.get(),
            exceptions: exceptions as usize,
            compared_millionths: header.compared_millionths.get(),
            longest: header.longest.get(),
            ordinals: header.ordinals.get(),
            bytes,
        })
    }

    /// The value of a key: an ordinal, or one of the `BLOCKED_*`. A key that was never written answers `None`, but for
    /// one in 1 / [`false_match_probability`](Identities::false_match_probability).
    #[inline]
    pub fn find(&self, key: ProfileKey) -> Option<u32> {
        let mut probe = Probe::new(key, self.buckets);
        for _ in 0..self.longest {
            let bucket = self.bucket(probe.bucket)?;
            if let Some(slot) = bucket.slot(probe) {
                let value = bucket.value[slot].get();
                return if value == AMBIGUOUS { self.exception(key) } else { Some(value) };
            }
            if bucket.overflow & probe.overflow == 0 {
                return None;
            }
            probe.advance(self.buckets);
        }
        None
    }

    /// Starts loading the line that [`find`](Identities::find) will read.
    #[inline(always)]
    pub fn prefetch(&self, key: ProfileKey) {
        prefetch(&self.bytes, HEADER_BYTES + Probe::new(key, self.buckets).bucket as usize * BUCKET_BYTES);
    }

    /// Identifiers written.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// One more than the greatest ordinal.
    pub fn ordinals(&self) -> u32 {
        self.ordinals
    }

    /// Known keys that needed the table of whole keys.
    pub fn exceptions(&self) -> usize {
        self.exceptions
    }

    /// The share of slots in use.
    pub fn load(&self) -> f64 {
        self.entries as f64 / (self.buckets as f64 * SLOTS as f64)
    }

    /// The probability that an unknown identifier is taken for a known one.
    pub fn false_match_probability(&self) -> f64 {
        self.compared_millionths as f64 / 1e6 / (1u64 << 40) as f64
    }

    #[inline(always)]
    fn bucket(&self, at: u64) -> Option<&Bucket> {
        let start = HEADER_BYTES + at as usize * BUCKET_BYTES;
        Bucket::ref_from_bytes(self.bytes.get(start..start + BUCKET_BYTES)?).ok()
    }

    #[cold]
    fn exception(&self, key: ProfileKey) -> Option<u32> {
        let start = self.bytes.len() - self.exceptions * size_of::<Exception>();
        let table = <[Exception]>::ref_from_bytes(self.bytes.get(start..)?).ok()?;
        let at = table.binary_search_by_key(&key, |exception| ProfileKey::from_bytes(exception.key)).ok()?;
        Some(table[at].value.get())
    }
}

#[cfg(test)]
mod tests;
