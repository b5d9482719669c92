//! Section `flips`: the joins and leaves that windows make due after `as_of`, by ordinal and minute.
//!
//! Eight bytes a flip, sorted: the ordinal's low byte, 24 bits of minutes since the section's first, the audience number
//! and whether it joins. Blocks of 256 ordinals share a start.

use crate::error::{Error, Result};
use std::io::Write;
use std::ops::Deref;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const MAGIC: [u8; 8] = *b"VAGFLIPS";
const HEADER_BYTES: usize = 64;
const BLOCK_BITS: u32 = 8;
const MINUTE_BITS: u32 = 24;

/// A profile joins or leaves an audience at a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flip {
    /// Who.
    pub ordinal: u32,
    /// When: whole minutes since the epoch. From this minute on the audience has changed.
    pub minute: u32,
    /// Which audience, by number.
    pub audience: u32,
    /// Joins (or leaves).
    pub join: bool,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    flips: U64,
    blocks: U32,
    first_minute: U32,
    padding: [u8; 40],
}

/// Writes the section. Sorts the flips by (ordinal, minute) and drops repetitions.
pub fn write_flips(out: &mut impl Write, flips: &mut Vec<Flip>) -> Result<()> {
    flips.sort_unstable();
    flips.dedup();
    let first_minute = flips.iter().map(|flip| flip.minute).min().unwrap_or(0);
    let blocks = flips.last().map_or(0, |last| (last.ordinal >> BLOCK_BITS) + 1);
    let header = Header {
        magic: MAGIC,
        flips: U64::new(flips.len() as u64),
        blocks: U32::new(blocks),
        first_minute: U32::new(first_minute),
        padding: [0; 40],
    };
    let mut starts = Vec::with_capacity(blocks as usize + 1);
    let mut packed = Vec::with_capacity(flips.len());
    for flip in flips.iter() {
        while starts.len() <= (flip.ordinal >> BLOCK_BITS) as usize {
            starts.push(U32::new(packed.len() as u32));
        }
        packed.push(U64::new(pack(flip, first_minute)?));
    }
    let end = u32::try_from(packed.len()).map_err(|_| Error::internal("more than 4 billion flips in one section"))?;
    starts.push(U32::new(end));
    // The packed flips start at a multiple of eight.
    let padding: &[u8] = if starts.len() % 2 == 1 { &[0; 4] } else { &[] };
    for bytes in [header.as_bytes(), starts.as_bytes(), padding, packed.as_bytes()] {
        out.write_all(bytes).map_err(|error| Error::io("write section `flips`", error))?;
    }
    Ok(())
}

fn pack(flip: &Flip, first_minute: u32) -> Result<u64> {
    let minute = flip.minute - first_minute;
    if minute >> MINUTE_BITS != 0 || flip.audience > u32::MAX >> 1 {
        return Err(Error::internal("a flip is due 31 years after the first, or its audience number is out of range"));
    }
    let low = u64::from(flip.ordinal & ((1 << BLOCK_BITS) - 1));
    Ok((low << 56) | (u64::from(minute) << 32) | u64::from(flip.audience << 1) | u64::from(flip.join))
}

/// The flips, on verified bytes.
#[derive(Debug, Clone)]
pub struct Flips<B> {
    bytes: B,
    count: u64,
    blocks: usize,
    first_minute: u32,
    packed_at: usize,
}

impl<B: Deref<Target = [u8]>> Flips<B> {
    /// Checks the header against the length.
    pub fn open(bytes: B) -> Result<Self> {
        let malformed = || Error::snapshot("section `flips` is malformed; rebuild with `vaglio build`");
        let (header, _) = Header::read_from_prefix(&bytes).map_err(|_| malformed())?;
        let blocks = header.blocks.get() as usize;
        let packed_at = HEADER_BYTES + ((blocks + 1) * 4).next_multiple_of(8);
        let length = header.flips.get().checked_mul(8).and_then(|flips| flips.checked_add(packed_at as u64));
        if header.magic != MAGIC || length != Some(bytes.len() as u64) {
            return Err(malformed());
        }
        Ok(Flips { count: header.flips.get(), blocks, first_minute: header.first_minute.get(), packed_at, bytes })
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The flips of a profile by minute.
    #[inline]
    pub fn of(&self, ordinal: u32) -> impl Iterator<Item = Flip> + '_ {
        let first_minute = self.first_minute;
        self.packed(ordinal).iter().map(move |packed| {
            let packed = packed.get();
            let minute = (packed >> 32) as u32 & ((1 << MINUTE_BITS) - 1);
            Flip {
                ordinal,
                minute: first_minute.saturating_add(minute),
                audience: packed as u32 >> 1,
                join: packed & 1 == 1,
            }
        })
    }

    fn packed(&self, ordinal: u32) -> &[U64] {
        let low = u64::from(ordinal & ((1 << BLOCK_BITS) - 1));
        let block = self.block((ordinal >> BLOCK_BITS) as usize).unwrap_or(&[]);
        let from = block.partition_point(|packed| packed.get() >> 56 < low);
        let count = block[from..].partition_point(|packed| packed.get() >> 56 == low);
        &block[from..from + count]
    }

    fn block(&self, block: usize) -> Option<&[U64]> {
        if block >= self.blocks {
            return None;
        }
        let start = |block: usize| {
            let at = HEADER_BYTES + block * 4;
            U32::read_from_bytes(self.bytes.get(at..at + 4)?).ok().map(|start| start.get() as usize)
        };
        let (from, to) = (start(block)?, start(block + 1)?);
        let bytes = self.bytes.get(self.packed_at + from * 8..self.packed_at + to * 8)?;
        <[U64]>::ref_from_bytes(bytes).ok()
    }
}

#[cfg(test)]
mod tests;
