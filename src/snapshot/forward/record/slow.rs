//! Reading a record number by number: what is too long for the fast way, and what the fast way is measured against in tests.

use super::{Head, Reader};
use crate::snapshot::forward::RICE_ZEROS;

/// Appends the audiences of a record that ends before the bit `end`, ascending.
pub(super) fn read(reader: &Reader, bytes: &[u8], head: &Head, end: usize, out: &mut Vec<u32>) {
    let mut mask = head.mask;
    let mut others = Gaps { bytes, at: head.at, end, k: head.k, next: 0, audiences: reader.audiences };
    let mut other = others.next();
    while mask != 0 {
        let frequent = reader.frequent[mask.trailing_zeros() as usize];
        while let Some(number) = other
            && number < frequent
        {
            out.push(number);
            other = others.next();
        }
        out.push(frequent);
        mask &= mask - 1;
    }
    while let Some(number) = other {
        out.push(number);
        other = others.next();
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
