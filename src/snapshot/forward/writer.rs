//! Writing the forward index: one record an ordinal, in order; groups, frequent audiences and footer at the end.

use super::{FOOTER_BYTES, Footer, GROUP, Group, MAGIC, MASK, MASK_BYTES, flags};
use crate::error::{Error, Result};
use crate::snapshot::manifest::SectionRef;
use crate::snapshot::section::SectionWriter;
use std::io::Write;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U32, U64};

const NOT_FREQUENT: u8 = u8::MAX;

/// Writes the section. Memory: 1.4 bytes a profile.
pub struct ForwardWriter<W> {
    out: W,
    ordinals: u32,
    pushed: u32,
    /// By audience: its bit in the mask, or [`NOT_FREQUENT`].
    bits: Vec<u8>,
    frequent: Vec<u32>,
    records: u64,
    groups: Vec<Group>,
    /// The records of the group that is being filled, and where each ends.
    pending: Vec<u8>,
    ends: Vec<usize>,
}

impl<W: Write> ForwardWriter<W> {
    /// Starts the section for so many ordinals. `order` holds every audience number once, the largest audience first.
    pub fn new(out: W, ordinals: u32, order: &[u32]) -> Result<Self> {
        let mut frequent: Vec<u32> = order.iter().take(MASK).copied().collect();
        frequent.sort_unstable();
        let mut bits = vec![NOT_FREQUENT; order.len()];
        for (bit, audience) in frequent.iter().enumerate() {
            *bits.get_mut(*audience as usize).ok_or_else(|| out_of_range(*audience, order.len()))? = bit as u8;
        }
        Ok(ForwardWriter {
            out,
            ordinals,
            pushed: 0,
            bits,
            frequent,
            records: 0,
            groups: Vec::with_capacity(ordinals as usize / GROUP + 1),
            pending: Vec::new(),
            ends: Vec::with_capacity(GROUP),
        })
    }

    /// The record of the next ordinal. `audiences` ascending, without repetition.
    pub fn push(&mut self, flags: u8, audiences: &[u32]) -> Result<()> {
        debug_assert!(audiences.is_sorted_by(|a, b| a < b));
        if let Some(last) = audiences.last().filter(|last| **last as usize >= self.bits.len()) {
            return Err(out_of_range(*last, self.bits.len()));
        }
        if self.pushed == self.ordinals {
            return Err(Error::internal(format!("the forward index was given more than {} records", self.ordinals)));
        }
        self.encode(flags & flags::PUBLIC, audiences);
        self.ends.push(self.pending.len());
        self.pushed += 1;
        if self.ends.len() == GROUP { self.flush_group() } else { Ok(()) }
    }

    /// Writes the rest and returns the writer underneath.
    pub fn close(mut self) -> Result<W> {
        if self.pushed != self.ordinals {
            let message = format!("the forward index was given {} records instead of {}", self.pushed, self.ordinals);
            return Err(Error::internal(message));
        }
        self.flush_group()?;
        let groups_at = self.records.next_multiple_of(64);
        let frequent_at = groups_at + size_of_val(&self.groups[..]) as u64;
        let end = frequent_at + self.frequent.len() as u64 * 4;
        let footer = Footer {
            magic: MAGIC,
            ordinals: U32::new(self.ordinals),
            audiences: U32::new(self.bits.len() as u32),
            frequent: U32::new(self.frequent.len() as u32),
            reserved: U32::ZERO,
            records: U64::new(self.records),
            groups: U64::new(groups_at),
            frequent_at: U64::new(frequent_at),
            padding: [0; 16],
        };
        debug_assert_eq!(footer.as_bytes().len(), FOOTER_BYTES);
        let frequent: Vec<U32> = self.frequent.iter().copied().map(U32::new).collect();
        let padding = [0; 64];
        put(&mut self.out, &padding[..(groups_at - self.records) as usize])?;
        put(&mut self.out, self.groups.as_bytes())?;
        put(&mut self.out, frequent.as_bytes())?;
        put(&mut self.out, &padding[..(end.next_multiple_of(64) - end) as usize])?;
        put(&mut self.out, footer.as_bytes())?;
        Ok(self.out)
    }

    /// With the mask or without, whichever is shorter.
    fn encode(&mut self, flags: u8, audiences: &[u32]) {
        let start = self.pending.len();
        self.pending.push(flags);
        put_differences(&mut self.pending, audiences.iter().copied());
        let plain = self.pending.len() - start;
        if plain <= 1 + MASK_BYTES {
            return;
        }
        let mut mask = 0u128;
        for audience in audiences {
            let bit = self.bits[*audience as usize];
            if bit != NOT_FREQUENT {
                mask |= 1 << bit;
            }
        }
        let masked = self.pending.len();
        self.pending.push(flags | flags::MASKED);
        self.pending.extend_from_slice(&mask.to_le_bytes());
        let bits = &self.bits;
        let others = audiences.iter().copied().filter(|audience| bits[*audience as usize] == NOT_FREQUENT);
        put_differences(&mut self.pending, others);
        if self.pending.len() - masked < plain {
            self.pending.drain(start..masked);
        } else {
            self.pending.truncate(masked);
        }
    }

    /// Lengths are bytes; where a record of the group is too long for that, all are padded to a coarser unit.
    fn flush_group(&mut self) -> Result<()> {
        if self.ends.is_empty() {
            return Ok(());
        }
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let ranges: Vec<(usize, usize)> = starts.zip(self.ends.iter().copied()).collect();
        let longest = ranges.iter().map(|(start, end)| end - start).max().unwrap_or(0);
        let mut shift = 0;
        while longest.div_ceil(1 << shift) > usize::from(u8::MAX) {
            shift += 1;
        }
        let mut group = Group { start_and_shift: U64::new(self.records | (shift << 56)), lengths: [0; GROUP] };
        for (member, (start, end)) in ranges.into_iter().enumerate() {
            let units = (end - start).div_ceil(1 << shift);
            group.lengths[member] = units as u8;
            let padding = (units << shift) - (end - start);
            put(&mut self.out, &self.pending[start..end])?;
            if padding > 0 {
                put(&mut self.out, &vec![0; padding])?;
            }
            self.records += (units << shift) as u64;
        }
        self.groups.push(group);
        self.pending.clear();
        self.ends.clear();
        Ok(())
    }
}

impl ForwardWriter<SectionWriter> {
    /// Writes the rest and makes the section durable.
    pub fn finish(self) -> Result<SectionRef> {
        self.close()?.finish()
    }
}

fn put(out: &mut impl Write, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).map_err(|error| Error::io("write section `forward`", error))
}

fn put_differences(out: &mut Vec<u8>, audiences: impl Iterator<Item = u32>) {
    let mut previous = 0;
    for audience in audiences {
        let mut difference = audience + 1 - previous;
        previous = audience + 1;
        while difference >= 0x80 {
            out.push(difference as u8 | 0x80);
            difference >>= 7;
        }
        out.push(difference as u8);
    }
}

fn out_of_range(audience: u32, audiences: usize) -> Error {
    Error::internal(format!("audience number {audience} is given to the forward index of {audiences} audiences"))
}
