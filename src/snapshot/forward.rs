//! Section `forward`: ordinal -> flags and audience numbers, in about 43 bytes a profile.
//!
//! A record is a flags byte, a 128-bit mask of the most frequent audiences when it pays, and the gaps between the other
//! numbers as Rice codes, whose parameter is chosen by record. Records have no length of their own: groups of 24 ordinals
//! share a 32-byte line with the start of the first and the length of each.

mod record;
mod writer;

pub use writer::ForwardWriter;

use self::record::Reader;
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
/// Bytes of a cache line.
const LINE: usize = 64;
/// Lines asked for where a record is guessed to be.
const GUESSED: usize = 3;
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

impl Group {
    /// Where its records start.
    #[inline(always)]
    fn start(&self) -> usize {
        (self.start_and_shift.get() << 8 >> 8) as usize
    }

    /// By how many bits its lengths are shifted.
    #[inline(always)]
    fn shift(&self) -> u32 {
        (self.start_and_shift.get() >> 56) as u32 & 31
    }

    /// The sum of the lengths before that of a member: eight at a time, whichever it is.
    #[inline(always)]
    fn before(&self, member: usize) -> usize {
        const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
        let mut sums = 0;
        for (first, lengths) in (0..).step_by(8).zip(self.lengths.chunks_exact(8)) {
            let word = lengths.try_into().map_or(0, u64::from_le_bytes);
            // Those from the member on are shifted out, all eight of them in two steps.
            let gone = 8 * (8 - member.saturating_sub(first).min(8)) as u32;
            let word = word << (gone / 2) << (gone / 2);
            sums += (word & EVEN) + (word >> 8 & EVEN);
        }
        (sums.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize
    }
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
    reader: Reader,
    /// The lines where the records of each group start, and an end: near enough to ask for a record before its group is there.
    starts: Box<[u32]>,
}

impl<B: Deref<Target = [u8]>> Forward<B> {
    /// Checks the footer against the length and the most audiences there can be.
    pub fn open(bytes: B) -> Result<Self> {
        let malformed = || Error::snapshot("section `forward` is malformed; rebuild with `vaglio build`");
        let (_, footer) = Footer::read_from_suffix(&bytes).map_err(|_| malformed())?;
        let (ordinals, audiences) = (footer.ordinals.get(), footer.audiences.get());
        let groups = u64::from(ordinals).div_ceil(GROUP as u64) * size_of::<Group>() as u64;
        let count = (footer.frequent.get() as usize).min(MASK + 1);
        let frequent_end = footer.frequent_at.get().checked_add(count as u64 * 4);
        let sound = footer.magic == MAGIC
            // It decides how much memory is asked for below.
            && audiences as usize <= MAX_AUDIENCES
            && footer.records.get() <= footer.groups.get()
            && footer.groups.get().checked_add(groups) == Some(footer.frequent_at.get())
            && frequent_end.is_some_and(|end| end <= (bytes.len() - FOOTER_BYTES) as u64)
            && count <= MASK;
        if !sound {
            return Err(malformed());
        }
        let at = footer.frequent_at.get() as usize;
        let numbers = <[U32]>::ref_from_bytes(&bytes[at..at + count * 4]).map_err(|_| malformed())?;
        let frequent: Vec<u32> = numbers.iter().map(|number| number.get()).collect();
        if !frequent.is_sorted_by(|a, b| a < b) || frequent.last().is_some_and(|last| *last >= audiences) {
            return Err(malformed());
        }
        Ok(Forward {
            records: footer.records.get() as usize,
            groups: footer.groups.get() as usize,
            starts: starts(&bytes[footer.groups.get() as usize..footer.frequent_at.get() as usize]),
            ordinals,
            audiences,
            reader: Reader::new(audiences, &frequent),
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
        let shift = group.shift();
        let before = group.before(member);
        let from = group.start().checked_add(before << shift)?;
        let to = from.checked_add(usize::from(group.lengths[member]) << shift)?;
        (to <= self.records).then_some(from..to)
    }

    /// [`read`](Forward::read) of a located record.
    #[inline]
    pub fn read_at(&self, record: Range<usize>, out: &mut Vec<u32>) -> u8 {
        self.reader.read(&self.bytes, record, out)
    }

    /// Starts loading what [`locate`](Forward::locate) will read.
    #[inline(always)]
    pub fn prefetch_group(&self, ordinal: u32) {
        prefetch(&self.bytes, self.groups + ordinal as usize / GROUP * size_of::<Group>());
    }

    /// Starts loading what [`locate`](Forward::locate) and, as far as can be guessed, [`read_at`](Forward::read_at) will read: a
    /// profile's group and the lines where its record is if the records of the group are about equally long.
    #[inline(always)]
    pub fn prefetch_profile(&self, ordinal: u32) {
        self.prefetch_group(ordinal);
        let (group, member) = (ordinal as usize / GROUP, ordinal as usize % GROUP);
        if let Some([start, next]) = self.starts.get(group..).and_then(|starts| starts.first_chunk::<2>()) {
            let bytes = next.saturating_sub(*start) as usize * LINE;
            let from = *start as usize * LINE + LINE / 2 + bytes * member / GROUP;
            for line in 0..GUESSED {
                prefetch(&self.bytes, from.saturating_sub(LINE / 2) + line * LINE);
            }
        }
    }

    /// Starts loading a located record.
    #[inline(always)]
    pub fn prefetch_record(&self, record: &Range<usize>) {
        prefetch(&self.bytes, record.start);
        prefetch(&self.bytes, record.end.saturating_sub(1));
    }
}

fn starts(groups: &[u8]) -> Box<[u32]> {
    let groups = <[Group]>::ref_from_bytes(groups).unwrap_or(&[]);
    let line = |at: usize| u32::try_from(at / LINE).unwrap_or(u32::MAX);
    let last = groups.last().map_or(0, |group| group.start() + (group.before(GROUP) << group.shift()));
    groups.iter().map(|group| line(group.start())).chain([line(last)]).collect()
}

#[cfg(test)]
mod tests;
