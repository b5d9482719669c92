//! Writing the forward index: one record an ordinal, in order; groups, frequent audiences and footer at the end.

use super::{FOOTER_BYTES, Footer, GROUP, Group, MAGIC, MASK, MASK_BYTES, MAX_AUDIENCES, RICE, RICE_ZEROS, flags};
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
        if order.len() > MAX_AUDIENCES {
            return Err(Error::usage(format!("more than {MAX_AUDIENCES} audiences are defined; archive some")));
        }
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
        let (plain, plain_rice) = cheapest(gaps(audiences.iter().copied()));
        let bits = &self.bits;
        let others = audiences.iter().copied().filter(|audience| bits[*audience as usize] == NOT_FREQUENT);
        let (others_bits, others_rice) = cheapest(gaps(others.clone()));
        if others_bits + 8 * MASK_BYTES < plain {
            let frequent = audiences.iter().map(|audience| bits[*audience as usize]).filter(|bit| *bit != NOT_FREQUENT);
            let mask = frequent.fold(0u128, |mask, bit| mask | (1 << bit));
            self.pending.push(flags | flags::MASKED | (others_rice << flags::RICE_SHIFT));
            self.pending.extend_from_slice(&mask.to_le_bytes());
            put_gaps(&mut self.pending, gaps(others), RICE[usize::from(others_rice)]);
        } else {
            self.pending.push(flags | (plain_rice << flags::RICE_SHIFT));
            put_gaps(&mut self.pending, gaps(audiences.iter().copied()), RICE[usize::from(plain_rice)]);
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

/// How many numbers lie between each and the one before.
fn gaps(audiences: impl Iterator<Item = u32> + Clone) -> impl Iterator<Item = u32> + Clone {
    let mut next = 0;
    audiences.map(move |audience| {
        let gap = audience - next;
        next = audience + 1;
        gap
    })
}

/// The length in bits of the shortest Rice coding, and the position of its parameter.
fn cheapest(gaps: impl Iterator<Item = u32>) -> (usize, u8) {
    let (mut lengths, mut greatest) = ([0; RICE.len()], 0);
    for gap in gaps {
        greatest = greatest.max(gap);
        for (length, k) in lengths.iter_mut().zip(RICE) {
            *length += ((gap >> k) + 1 + k) as usize;
        }
    }
    let possible = (0..RICE.len()).filter(|at| greatest >> RICE[*at] <= RICE_ZEROS);
    // The last is always possible: there are at most MAX_AUDIENCES.
    let best = possible.min_by_key(|at| lengths[*at]).unwrap_or(RICE.len() - 1);
    (lengths[best], best as u8)
}

fn put_gaps(out: &mut Vec<u8>, gaps: impl Iterator<Item = u32>, k: u32) {
    let (mut word, mut used) = (0u64, 0);
    for gap in gaps {
        let zeros = gap >> k;
        let code = ((u64::from(gap) & ((1 << k) - 1)) << 1 | 1) << zeros;
        word |= code << used;
        used += zeros + 1 + k;
        while used >= 8 {
            out.push(word as u8);
            word >>= 8;
            used -= 8;
        }
    }
    if used > 0 {
        out.push(word as u8);
    }
}

fn out_of_range(audience: u32, audiences: usize) -> Error {
    Error::internal(format!("audience number {audience} is given to the forward index of {audiences} audiences"))
}
