//! Reading the record of one profile. This is where a lookup spends its instructions, so nothing here branches on a single
//! audience: codes are taken four to a word, and the two halves of a record, its mask and its codes, are merged by
//! computing where each number belongs. [`slow`] says the same in the obvious way and reads what is too long for that.

mod slow;

use super::{MASK, MASK_BYTES, RICE, RICE_ZEROS, flags};
use std::ops::Range;

/// Codes taken from one word at most.
const AT_ONCE: usize = 4;
/// Coded numbers of a record that is read the fast way.
const MOST_CODED: usize = 128;
/// Bits of a word that are certainly there, wherever in its first byte a code starts.
const WORD_BITS: usize = 57;

/// By byte: how many of its bits below the i-th are set, in the i-th byte of the entry.
static BELOW: [u64; 256] = below_bits();

const fn below_bits() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            table[byte] |= count << (8 * bit);
            count += (byte as u64 >> bit) & 1;
            bit += 1;
        }
        byte += 1;
    }
    table
}

/// How records are read: what is the same for all of a section.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    audiences: u32,
    /// The numbers of the frequent audiences, ascending, then `u32::MAX`.
    frequent: Box<[u32; MASK]>,
    /// The bits of a mask that stand for one.
    known: u128,
    /// By audience: how many of the frequent ones are below it.
    ranks: Box<[u8]>,
}

/// What a record says before its codes.
struct Head {
    mask: u128,
    k: u32,
    /// The bit of the section where the codes start.
    at: usize,
}

impl Reader {
    /// For a section of so many audiences, of which these, ascending and at most as many as a mask has bits, are frequent.
    pub(super) fn new(audiences: u32, frequent: &[u32]) -> Reader {
        let mut slots = Box::new([u32::MAX; MASK]);
        slots[..frequent.len()].copy_from_slice(frequent);
        let mut ranks = Vec::with_capacity(audiences as usize);
        for (below, number) in (0u8..).zip(frequent) {
            ranks.resize(*number as usize + 1, below);
        }
        ranks.resize(audiences as usize, frequent.len() as u8);
        let known = if frequent.len() == MASK { u128::MAX } else { (1 << frequent.len()) - 1 };
        Reader { audiences, frequent: slots, known, ranks: ranks.into() }
    }

    /// Appends the audiences of the record that is there, ascending; returns its flags. `bytes` is the whole section: a word that
    /// is read past the last code lies in what follows the records, and is masked.
    #[inline]
    pub(super) fn read(&self, bytes: &[u8], record: Range<usize>, out: &mut Vec<u32>) -> u8 {
        let Some(first) = bytes.get(record.clone()).and_then(|bytes| bytes.first().copied()) else {
            return flags::UNREADABLE;
        };
        let Some(head) = self.head(bytes, first, &record) else { return flags::UNREADABLE };
        let mut coded = [0; MOST_CODED];
        match self.codes(bytes, &head, record.end * 8, &mut coded) {
            Some(count) => self.merge(head.mask, &coded[..count], out),
            None => slow::read(self, bytes, &head, record.end * 8, out),
        }
        first & flags::PUBLIC
    }

    #[inline(always)]
    fn head(&self, bytes: &[u8], first: u8, record: &Range<usize>) -> Option<Head> {
        let k = RICE[usize::from(first >> flags::RICE_SHIFT & 7)];
        let at = record.start + 1;
        if first & flags::MASKED == 0 {
            return Some(Head { mask: 0, k, at: at * 8 });
        }
        let mask = bytes.get(at..record.end)?.first_chunk::<MASK_BYTES>()?;
        Some(Head { mask: u128::from_le_bytes(*mask) & self.known, k, at: (at + MASK_BYTES) * 8 })
    }

    /// Takes the numbers that are coded, ascending, and says how many. `None`: too many, or not as a writer writes them.
    #[inline(always)]
    fn codes(&self, bytes: &[u8], head: &Head, end: usize, coded: &mut [u32; MOST_CODED]) -> Option<usize> {
        let (mut at, mut least, mut count, k) = (head.at, 0, 0, head.k);
        let low_bits = (1u64 << k) - 1;
        while at < end {
            let slots = coded.get_mut(count..)?.first_chunk_mut::<AT_ONCE>()?;
            let (left, window) = (end - at, bytes.get(at / 8..)?.first_chunk::<8>()?);
            let here = left.min(WORD_BITS) as u32;
            let word = u64::from_le_bytes(*window) >> (at % 8) & (u64::MAX >> (64 - here));
            // Beyond what is there is a one, so that something is always found; what it ends is not `here`.
            let word = word | 1 << 63;
            let (mut rest, mut used, mut zeros_seen, mut next) = (word, 0, 0, least);
            for number in slots.iter_mut() {
                let zeros = rest.trailing_zeros();
                rest = (rest >> 1).wrapping_shr(zeros);
                *number = next + (zeros << k) + (rest & low_bits) as u32;
                next = *number + 1;
                rest >>= k;
                used += zeros + 1 + k;
                zeros_seen |= zeros;
            }
            if used <= here && zeros_seen <= RICE_ZEROS && next <= self.audiences {
                (count, at, least) = (count + AT_ONCE, at + used as usize, next);
                continue;
            }
            // Not all of them are there: one by one.
            (rest, used) = (word, 0);
            for number in slots {
                let zeros = rest.trailing_zeros();
                let end = used + zeros + 1 + k;
                rest = (rest >> 1).wrapping_shr(zeros);
                next = least + (zeros << k) + (rest & low_bits) as u32;
                if end > here || zeros > RICE_ZEROS || next >= self.audiences {
                    break;
                }
                rest >>= k;
                (*number, used, least, count) = (next, end, next + 1, count + 1);
            }
            at += used as usize;
            let zeros = (word >> used).trailing_zeros().min(here - used);
            if zeros > RICE_ZEROS || left <= WORD_BITS && zeros == here - used {
                break;
            }
            if used == 0 {
                return None;
            }
        }
        Some(count)
    }

    /// Appends both halves of a record. A coded number belongs after the coded ones before it and the frequent ones below it; the
    /// frequent ones get the places that are left.
    #[inline(always)]
    fn merge(&self, mask: u128, coded: &[u32], out: &mut Vec<u32>) {
        if mask == 0 {
            out.extend_from_slice(coded);
            return;
        }
        let below = below(mask);
        let (start, total) = (out.len(), coded.len() + usize::from(below[MASK]));
        out.resize(start + total, 0);
        let out = &mut out[start..];
        if total <= 64 { self.place::<1>(mask, &below, coded, out) } else { self.place::<4>(mask, &below, coded, out) }
    }

    #[inline(always)]
    fn place<const WORDS: usize>(&self, mask: u128, below: &[u8; 256], coded: &[u32], out: &mut [u32]) {
        let mut taken = [0u64; WORDS];
        for (before, number) in coded.iter().enumerate() {
            let at = before + usize::from(below[usize::from(self.ranks[*number as usize])]);
            out[at] = *number;
            taken[at / 64 % WORDS] |= 1 << (at % 64);
        }
        let (mut word, mut free) = (0, !taken[0]);
        for (first, mut half) in [(0, mask as u64), (64, (mask >> 64) as u64)] {
            while half != 0 {
                while WORDS > 1 && free == 0 {
                    word += 1;
                    free = !taken[word % WORDS];
                }
                let at = word * 64 + free.trailing_zeros() as usize;
                out[at] = self.frequent[first + half.trailing_zeros() as usize];
                half &= half - 1;
                free &= free.wrapping_sub(1);
            }
        }
    }
}

/// How many bits of the mask are set below each; of all, below the one after the last.
#[inline(always)]
fn below(mask: u128) -> [u8; 256] {
    let (mut below, mut total) = ([0; 256], 0u64);
    for (byte, below) in mask.to_le_bytes().into_iter().zip(below.chunks_exact_mut(8)) {
        let counts = BELOW[usize::from(byte)] + total * 0x0101_0101_0101_0101;
        below.copy_from_slice(&counts.to_le_bytes());
        total = (counts >> 56) + u64::from(byte >> 7);
    }
    below[MASK] = total as u8;
    below
}

#[cfg(test)]
mod tests;
