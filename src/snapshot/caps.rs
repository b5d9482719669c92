//! Section `caps`: what was shown to whom before the generation's cut, as far as a cap, a gap, a group or pressure can still
//! ask for it: by ordinal, campaign and second. Which those are is not known here.
//!
//! Eight bytes an impression, sorted: the ordinal's low byte, 24 bits of the campaign's number in the generation's
//! catalogue, 32 bits of seconds since the section's first. Blocks of 256 ordinals share a start.

use crate::error::{Error, Result};
use std::io::Write;
use std::ops::Deref;
use zerocopy::little_endian::{I64, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const MAGIC: [u8; 8] = *b"VAGLCAPS";
const HEADER_BYTES: usize = 64;
const BLOCK_BITS: u32 = 8;
const CAMPAIGN_BITS: u32 = 24;

/// A campaign's message was shown to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Impression {
    /// To whom.
    pub ordinal: u32,
    /// Whose message, by number.
    pub campaign: u32,
    /// When: seconds since the epoch.
    pub time: i64,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    impressions: U64,
    first: I64,
    blocks: U32,
    padding: [u8; 36],
}

/// Writes the section from impressions sorted by (ordinal, campaign, time).
///
/// # Errors
/// The disk's, or an internal one when they are not sorted or out of range.
pub fn write_caps(out: &mut impl Write, impressions: &[Impression]) -> Result<()> {
    if !impressions.is_sorted() {
        return Err(Error::internal("the impressions of section `caps` are not sorted"));
    }
    let first = impressions.iter().map(|impression| impression.time).min().unwrap_or(0);
    let blocks = impressions.last().map_or(0, |last| (last.ordinal >> BLOCK_BITS) + 1);
    let mut starts = Vec::with_capacity(blocks as usize + 1);
    for block in 0..=blocks {
        let start = impressions.partition_point(|impression| impression.ordinal >> BLOCK_BITS < block);
        let start = u32::try_from(start).map_err(|_| Error::internal("more than 4 billion impressions"))?;
        starts.push(U32::new(start));
    }
    let header = Header {
        magic: MAGIC,
        impressions: U64::new(impressions.len() as u64),
        first: I64::new(first),
        blocks: U32::new(blocks),
        padding: [0; 36],
    };
    // The impressions start at a multiple of eight.
    let padding: &[u8] = if starts.len() % 2 == 1 { &[0; 4] } else { &[] };
    let mut write = |bytes: &[u8]| out.write_all(bytes).map_err(|error| Error::io("write section `caps`", error));
    write(header.as_bytes())?;
    write(starts.as_bytes())?;
    write(padding)?;
    for chunk in impressions.chunks(8_192) {
        let packed = chunk.iter().map(|impression| pack(impression, first).map(U64::new));
        write(packed.collect::<Result<Vec<U64>>>()?.as_bytes())?;
    }
    Ok(())
}

fn pack(impression: &Impression, first: i64) -> Result<u64> {
    let seconds = u32::try_from(impression.time - first);
    let out_of_range = || Error::internal("impressions 136 years apart, or a campaign's number out of range");
    if impression.campaign >> CAMPAIGN_BITS != 0 {
        return Err(out_of_range());
    }
    let low = u64::from(impression.ordinal & ((1 << BLOCK_BITS) - 1));
    Ok((low << 56) | (u64::from(impression.campaign) << 32) | u64::from(seconds.map_err(|_| out_of_range())?))
}

/// The impressions, on verified bytes.
#[derive(Debug, Clone)]
pub struct Caps<B> {
    bytes: B,
    count: u64,
    blocks: usize,
    first: i64,
    packed_at: usize,
}

impl<B: Deref<Target = [u8]>> Caps<B> {
    /// Checks the header against the length.
    ///
    /// # Errors
    /// Bytes that are no such section.
    pub fn open(bytes: B) -> Result<Self> {
        let malformed = || Error::snapshot("section `caps` is malformed; rebuild with `vaglio build`");
        let (header, _) = Header::read_from_prefix(&bytes).map_err(|_| malformed())?;
        let blocks = header.blocks.get() as usize;
        let packed_at = HEADER_BYTES + ((blocks + 1) * 4).next_multiple_of(8);
        let length = header.impressions.get().checked_mul(8).and_then(|all| all.checked_add(packed_at as u64));
        if header.magic != MAGIC || length != Some(bytes.len() as u64) {
            return Err(malformed());
        }
        Ok(Caps { count: header.impressions.get(), blocks, first: header.first.get(), packed_at, bytes })
    }

    /// How many impressions there are.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What was shown to a profile, by campaign and time.
    #[inline]
    pub fn of(&self, ordinal: u32) -> impl Iterator<Item = Impression> + '_ {
        let first = self.first;
        self.packed(ordinal).iter().map(move |packed| {
            let packed = packed.get();
            Impression {
                ordinal,
                campaign: (packed >> 32) as u32 & ((1 << CAMPAIGN_BITS) - 1),
                time: first.saturating_add(i64::from(packed as u32)),
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
