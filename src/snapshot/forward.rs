//! Section `forward`: ordinal -> flags and audience numbers, in about 43 bytes a profile.
//!
//! A record is a flags byte, a 128-bit mask of the most frequent audiences when it pays, and the gaps between the other
//! numbers as Rice codes, whose parameter is chosen by record. Records have no length of their own: groups of 24 ordinals
//! share a 32-byte line with the start of the first and the length of each.

mod writer;

pub use writer::ForwardWriter;

use super::mmap::prefetch;
use crate::error::{Error, Result};
use std::ops::{Deref, Range};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What a record's first byte says of the profile: the bits of [`consents`](super::consents), and our own.
pub mod flags {
    pub use crate::snapshot::consents::{OBJECTS_TO_MARKETING, OBJECTS_TO_PROFILING, REFUSED};
    /// Has flips.
    pub const FLIPS: u8 = 8;
    /// What a record that cannot be read says: the safe side.
    pub const UNREADABLE: u8 = OBJECTS_TO_MARKETING | OBJECTS_TO_PROFILING | REFUSED;
    /// The flags that callers give and get.
    pub(super) const PUBLIC: u8 = 0x0f;
    /// The record has a mask.
    pub(super) const MASKED: u8 = 0x80;
    /// The position of the record's Rice parameter in [`super::RICE`].
    pub(super) const RICE_SHIFT: u32 = 4;
}

const MAGIC: [u8; 8] = *b"VAGFORWD";
const FOOTER_BYTES: usize = 64;
/// Ordinals in a group.
const GROUP: usize = 24;
/// Audiences in the mask.
const MASK: usize = 128;
const MASK_BYTES: usize = MASK / 8;

/// A gap `g` is coded as `g >> k` zeros, a one, and the low `k` bits of `g`; these are the `k` to choose from.
const RICE: [u32; 8] = [1, 3, 5, 6, 7, 8, 10, 20];
/// The most zeros of a code, so that any code fits a 64-bit word at any bit of its first byte.
const RICE_ZEROS: u32 = 31;
/// More audiences than this need gaps that no code has.
const MAX_AUDIENCES: usize = 1 << 24;

/// The start of a group's records (56 bits) under the shift of its lengths (8 bits).
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Group {
    start_and_shift: U64,
    lengths: [u8; GROUP],
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Footer {
    magic: [u8; 8],
    ordinals: U32,
    audiences: U32,
    frequent: U32,
    reserved: U32,
    /// Bytes of the records.
    records: U64,
    /// Where the groups start.
    groups: U64,
    /// Where the numbers of the frequent audiences start.
    frequent_at: U64,
    padding: [u8; 16],
}

/// The forward index, on verified bytes.
#[derive(Debug, Clone)]
pub struct Forward<B> {
    bytes: B,
    records: usize,
    groups: usize,
    ordinals: u32,
    audiences: u32,
    /// The numbers of the frequent audiences, ascending, then `u32::MAX`.
    frequent: Box<[u32; MASK]>,
}

impl<B: Deref<Target = [u8]>> Forward<B> {
    /// Checks the footer against the length.
    pub fn open(bytes: B) -> Result<Self> {
        let malformed = || Error::snapshot("section `forward` is malformed; rebuild with `vaglio build`");
        let (_, footer) = Footer::read_from_suffix(&bytes).map_err(|_| malformed())?;
        let (ordinals, audiences) = (footer.ordinals.get(), footer.audiences.get());
        let groups = u64::from(ordinals).div_ceil(GROUP as u64) * size_of::<Group>() as u64;
        let count = (footer.frequent.get() as usize).min(MASK + 1);
        let frequent_end = footer.frequent_at.get().checked_add(count as u64 * 4);
        let sound = footer.magic == MAGIC
            && footer.records.get() <= footer.groups.get()
            && footer.groups.get().checked_add(groups) == Some(footer.frequent_at.get())
            && frequent_end.is_some_and(|end| end <= (bytes.len() - FOOTER_BYTES) as u64)
            && count <= MASK;
        if !sound {
            return Err(malformed());
        }
        let at = footer.frequent_at.get() as usize;
        let numbers = <[U32]>::ref_from_bytes(&bytes[at..at + count * 4]).map_err(|_| malformed())?;
        let mut frequent = Box::new([u32::MAX; MASK]);
        for (slot, number) in frequent.iter_mut().zip(numbers) {
            *slot = number.get();
        }
        if !frequent[..count].is_sorted_by(|a, b| a < b)
            || frequent[..count].last().is_some_and(|last| *last >= audiences)
        {
            return Err(malformed());
        }
        Ok(Forward {
            records: footer.records.get() as usize,
            groups: footer.groups.get() as usize,
            ordinals,
            audiences,
            frequent,
            bytes,
        })
    }

    /// Profiles.
    pub fn ordinals(&self) -> u32 {
        self.ordinals
    }

    /// Audiences: every number read is below.
    pub fn audiences(&self) -> u32 {
        self.audiences
    }

    /// Appends the audience numbers of a profile, ascending, and returns its [`flags`]. A record that is not there or
    /// cannot be read answers [`flags::UNREADABLE`]: the safe side.
    #[inline]
    pub fn read(&self, ordinal: u32, out: &mut Vec<u32>) -> u8 {
        let Some(record) = self.locate(ordinal) else { return flags::UNREADABLE };
        // Two records in three lie across two lines: both are waited for at once.
        self.prefetch_record(&record);
        self.read_at(record, out)
    }

    /// Where a profile's record is.
    #[inline]
    pub fn locate(&self, ordinal: u32) -> Option<Range<usize>> {
        if ordinal >= self.ordinals {
            return None;
        }
        let (group, member) = (ordinal as usize / GROUP, ordinal as usize % GROUP);
        let at = self.groups + group * size_of::<Group>();
        let group = Group::ref_from_bytes(self.bytes.get(at..at + size_of::<Group>())?).ok()?;
        let packed = group.start_and_shift.get();
        let (start, shift) = ((packed << 8 >> 8) as usize, (packed >> 56) as u32 & 31);
        let before: usize = group.lengths[..member].iter().map(|length| usize::from(*length)).sum();
        let from = start.checked_add(before << shift)?;
        let to = from.checked_add(usize::from(group.lengths[member]) << shift)?;
        (to <= self.records).then_some(from..to)
    }

    /// [`read`](Forward::read) of a located record.
    #[inline]
    pub fn read_at(&self, record: Range<usize>, out: &mut Vec<u32>) -> u8 {
        let Some((&first, rest)) = self.bytes.get(record.clone()).and_then(|bytes| bytes.split_first()) else {
            return flags::UNREADABLE;
        };
        let (mut mask, mut at) = (0u128, record.start + 1);
        if first & flags::MASKED != 0 {
            let Some(bytes) = rest.first_chunk::<MASK_BYTES>() else { return flags::UNREADABLE };
            (mask, at) = (u128::from_le_bytes(*bytes), at + MASK_BYTES);
        }
        out.reserve(mask.count_ones() as usize);
        let k = RICE[usize::from(first >> flags::RICE_SHIFT & 7)];
        let mut others =
            Gaps { bytes: &self.bytes, at: at * 8, end: record.end * 8, k, next: 0, audiences: self.audiences };
        let mut other = others.next();
        while mask != 0 {
            let frequent = self.frequent[mask.trailing_zeros() as usize];
            while let Some(number) = other
                && number < frequent
            {
                out.push(number);
                other = others.next();
            }
            if frequent < self.audiences {
                out.push(frequent);
            }
            mask &= mask - 1;
        }
        while let Some(number) = other {
            out.push(number);
            other = others.next();
        }
        first & flags::PUBLIC
    }

    /// Starts loading what [`locate`](Forward::locate) will read.
    #[inline(always)]
    pub fn prefetch_group(&self, ordinal: u32) {
        prefetch(&self.bytes, self.groups + ordinal as usize / GROUP * size_of::<Group>());
    }

    /// Starts loading a located record.
    #[inline(always)]
    pub fn prefetch_record(&self, record: &Range<usize>) {
        prefetch(&self.bytes, record.start);
        prefetch(&self.bytes, record.end.saturating_sub(1));
    }
}

/// Ascending numbers as Rice codes of the gaps between them. Zeros to the end end them.
struct Gaps<'a> {
    /// The whole section: a word that is read past the last code lies in what follows the records, and is masked.
    bytes: &'a [u8],
    /// The bit that comes next, and the one after the last.
    at: usize,
    end: usize,
    k: u32,
    /// The least number that can come next.
    next: u32,
    audiences: u32,
}

impl Gaps<'_> {
    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        let left = self.end.checked_sub(self.at)?;
        let bytes = self.bytes.get(self.at / 8..)?.first_chunk::<8>()?;
        let mut word = u64::from_le_bytes(*bytes) >> (self.at % 8);
        if left < 64 {
            word &= (1 << left) - 1;
        }
        let zeros = word.trailing_zeros();
        if zeros > RICE_ZEROS {
            return None;
        }
        let low = (word >> (zeros + 1)) as u32 & ((1 << self.k) - 1);
        self.at += (zeros + 1 + self.k) as usize;
        let number = self.next.checked_add((zeros << self.k) | low)?;
        self.next = number.checked_add(1)?;
        (number < self.audiences).then_some(number)
    }
}

#[cfg(test)]
mod tests;
