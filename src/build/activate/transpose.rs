//! A block's bitmaps by audience -> its audiences by ordinal, while both are in the cache.

use crate::evaluate::Bitmap;
use crate::snapshot::columns::{BLOCK, WORDS};

/// Words of a bitmap that are turned at a time: 8,192 ordinals and their lists fit into a core's own cache.
const STRIPE: usize = 128;

/// The audiences of every ordinal of a block.
#[derive(Debug, Default)]
pub struct Lists {
    /// By ordinal of the block, where its audiences start; one more at the end.
    starts: Vec<u32>,
    /// Audience numbers, ascending for each ordinal.
    audiences: Vec<u32>,
}

impl Lists {
    /// Turns bitmaps by audience number around.
    pub fn transpose<'b>(bitmaps: impl Fn(usize) -> &'b Bitmap, count: usize, length: usize) -> Lists {
        let bits: u32 =
            (0..count).map(|audience| bitmaps(audience).iter().map(|word| word.count_ones()).sum::<u32>()).sum();
        let mut lists = Lists { starts: Vec::with_capacity(BLOCK + 1), audiences: vec![0; bits as usize] };
        lists.starts.push(0);
        for first in (0..WORDS).step_by(STRIPE) {
            lists.stripe(&bitmaps, count, first);
        }
        lists.starts.truncate(length + 1);
        lists
    }

    fn stripe<'b>(&mut self, bitmaps: &impl Fn(usize) -> &'b Bitmap, count: usize, first: usize) {
        let mut next = vec![0u32; STRIPE * 64];
        for audience in 0..count {
            each_bit(&bitmaps(audience)[first..first + STRIPE], |at| next[at] += 1);
        }
        let mut start = self.starts.last().copied().unwrap_or(0);
        for next in &mut next {
            let length = std::mem::replace(next, start);
            start += length;
            self.starts.push(start);
        }
        for audience in 0..count {
            each_bit(&bitmaps(audience)[first..first + STRIPE], |at| {
                self.audiences[next[at] as usize] = audience as u32;
                next[at] += 1;
            });
        }
    }

    /// By ordinal of the block, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|ends| &self.audiences[ends[0] as usize..ends[1] as usize])
    }
}

fn each_bit(words: &[u64], mut found: impl FnMut(usize)) {
    for (at, word) in words.iter().enumerate() {
        let mut word = *word;
        while word != 0 {
            found(at * 64 + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_found_once_at_its_ordinal() {
        let mut bitmaps = vec![[0u64; WORDS]; 70];
        let member = |audience: usize, ordinal: usize| (ordinal * 31 + audience * 17).is_multiple_of(audience + 3);
        let length = 60_001;
        for (audience, bitmap) in bitmaps.iter_mut().enumerate() {
            for ordinal in (0..length).filter(|ordinal| member(audience, *ordinal)) {
                bitmap[ordinal / 64] |= 1 << (ordinal % 64);
            }
        }
        let lists = Lists::transpose(|audience| &bitmaps[audience], bitmaps.len(), length);
        assert_eq!(lists.iter().count(), length);
        for (ordinal, list) in lists.iter().enumerate() {
            let expected: Vec<u32> = (0..70u32).filter(|audience| member(*audience as usize, ordinal)).collect();
            assert_eq!(list, expected, "ordinal {ordinal}");
        }
    }
}
