//! The rows of a block that pass -> the profiles they add up for: without asking, row by row, whose turn it is.
//!
//! Rows lie sorted by profile, so whoever asks "is this still the same one?" is wrong every fifth row, and a processor that guessed
//! wrong loses more time than an addition takes. Here every row is added to its profile's place in an array. Which rows pass is a
//! bit each: a window that few are in is gone through at the speed of its bits, not of the rows.

use super::bits::{self, Bitmap};
use crate::audiences::rule::Aggregate;
use crate::snapshot::columns::{BLOCK, Codes, Numbers, WORDS};
use std::ops::RangeInclusive;

/// With more bits in a word than this, all of its rows are gone through: a row that does not pass costs less than finding
/// the next that does.
const DENSE: u32 = 40;

/// What a block's rows add up to, used again from block to block.
#[derive(Debug, Default)]
pub struct Tally {
    /// By row: whether it passes.
    words: Vec<u64>,
    passed: Vec<u64>,
    passing: Vec<u32>,
    counts: Vec<u32>,
    sums: Vec<f64>,
}

impl Tally {
    /// A bit for each of so many rows, all 0, and as many that hold anything.
    pub fn rows(&mut self, count: usize) -> (&mut [u64], &mut [u64]) {
        let words = count.div_ceil(64);
        self.words.clear();
        self.words.resize(words, 0);
        self.passed.resize(words, 0);
        (&mut self.words, &mut self.passed)
    }

    /// The positions of the rows that pass.
    pub fn passing(&mut self) -> &[u32] {
        self.passing.clear();
        each_bit(&self.words, |at| self.passing.push(at as u32));
        &self.passing
    }

    /// Whoever has a row that passes.
    pub fn any(&self, lows: &[u16], bitmap: &mut Bitmap) {
        let mut marks = Marks::new(bitmap);
        for (word, lows) in self.words.iter().zip(lows.chunks(64)) {
            if word.count_ones() > DENSE {
                lows.iter().enumerate().for_each(|(at, low)| marks.or(*low, (word >> at & 1) as u8));
            } else {
                each_bit(&[*word], |at| marks.or(lows[at], 1));
            }
        }
        marks.end();
    }

    /// Whoever has so many that pass.
    pub fn times(&mut self, lows: &[u16], times: RangeInclusive<u32>, bitmap: &mut Bitmap) {
        self.counts.clear();
        self.counts.resize(BLOCK, 0);
        let counts = &mut self.counts;
        for (word, lows) in self.words.iter().zip(lows.chunks(64)) {
            if word.count_ones() > DENSE {
                lows.iter().enumerate().for_each(|(at, low)| counts[usize::from(*low)] += (word >> at & 1) as u32);
            } else {
                each_bit(&[*word], |at| counts[usize::from(lows[at])] += 1);
            }
        }
        let (least, span) = (*times.start(), times.end().wrapping_sub(*times.start()));
        if times.is_empty() {
            return bitmap.fill(0);
        }
        bits::pack_each(&self.counts, 0, bitmap, |counts, lanes| {
            lanes.iter_mut().zip(counts).for_each(|(lane, count)| *lane = u8::from(count.wrapping_sub(least) <= span));
        });
    }

    /// Whoever has a row that passes and whose number is known, if what the numbers amount to does. Added in the order of the
    /// rows, from 0, so that it rounds as adding one person's does.
    pub fn aggregate(
        &mut self,
        lows: &[u16],
        aggregate: Aggregate,
        numbers: &Numbers<'_>,
        bitmap: &mut Bitmap,
        holds: impl Fn(f64) -> bool,
    ) {
        let nothing = match aggregate {
            Aggregate::Sum | Aggregate::Avg => 0.0,
            Aggregate::Min => f64::INFINITY,
            Aggregate::Max => f64::NEG_INFINITY,
        };
        self.sums.clear();
        self.sums.resize(BLOCK, nothing);
        match aggregate {
            Aggregate::Sum => self.fold(lows, numbers, bitmap, |sum, value| sum + value),
            Aggregate::Min => self.fold(lows, numbers, bitmap, f64::min),
            Aggregate::Max => self.fold(lows, numbers, bitmap, f64::max),
            Aggregate::Avg => self.average(lows, numbers, bitmap),
        }
        let mut found = [0; WORDS];
        bits::pack_each(&self.sums, 0.0, &mut found, |sums, lanes| {
            lanes.iter_mut().zip(sums).for_each(|(lane, sum)| *lane = u8::from(holds(*sum)));
        });
        bitmap.iter_mut().zip(&found).for_each(|(known, found)| *known &= found);
    }

    /// Adds every row to its profile; marks the profiles.
    fn fold(&mut self, lows: &[u16], numbers: &Numbers<'_>, bitmap: &mut Bitmap, add: impl Fn(f64, f64) -> f64) {
        let (mut marks, sums) = (Marks::new(bitmap), &mut self.sums);
        each_known(&self.words, lows, numbers, |low, value| {
            marks.or(low, 1);
            let sum = &mut sums[usize::from(low)];
            *sum = add(*sum, value);
        });
        marks.end();
    }

    fn average(&mut self, lows: &[u16], numbers: &Numbers<'_>, bitmap: &mut Bitmap) {
        self.counts.clear();
        self.counts.resize(BLOCK, 0);
        let (mut marks, sums, counts) = (Marks::new(bitmap), &mut self.sums, &mut self.counts);
        each_known(&self.words, lows, numbers, |low, value| {
            marks.or(low, 1);
            sums[usize::from(low)] += value;
            counts[usize::from(low)] += 1;
        });
        marks.end();
        self.sums.iter_mut().zip(&self.counts).for_each(|(sum, count)| *sum /= f64::from(*count));
    }
}

/// Calls with whose it is and the number, for every row that passes and whose number is known.
fn each_known(words: &[u64], lows: &[u16], numbers: &Numbers<'_>, mut each: impl FnMut(u16, f64)) {
    match numbers {
        Numbers::Raw(values) => each_of(words, lows, values, |value| (!value.is_nan()).then_some(value), &mut each),
        Numbers::Frame(codes, frame) => {
            let decode = |code: u32| (code != 0).then(|| frame.decode(code));
            match codes {
                Codes::U8(codes) => each_of(words, lows, codes, |code| decode(code.into()), &mut each),
                Codes::U16(codes) => each_of(words, lows, codes, |code| decode(code.into()), &mut each),
                Codes::U32(codes) => each_of(words, lows, codes, decode, &mut each),
            }
        }
    }
}

fn each_of<T: Copy>(
    words: &[u64],
    lows: &[u16],
    values: &[T],
    known: impl Fn(T) -> Option<f64>,
    each: &mut impl FnMut(u16, f64),
) {
    for ((word, lows), values) in words.iter().zip(lows.chunks(64)).zip(values.chunks(64)) {
        each_bit(&[*word], |at| {
            if let Some(value) = known(values[at]) {
                each(lows[at], value);
            }
        });
    }
}

/// The positions of the bits that are set, rising.
fn each_bit(words: &[u64], mut found: impl FnMut(usize)) {
    for (at, word) in words.iter().enumerate() {
        let mut word = *word;
        while word != 0 {
            found(at * 64 + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}

/// Sets bits that come in rising order: 64 of them are gathered before memory is touched.
struct Marks<'b> {
    bitmap: &'b mut Bitmap,
    at: usize,
    word: u64,
}

impl<'b> Marks<'b> {
    fn new(bitmap: &'b mut Bitmap) -> Self {
        Marks { bitmap, at: 0, word: 0 }
    }

    fn or(&mut self, low: u16, bit: u8) {
        let at = usize::from(low) / 64;
        if at != self.at {
            self.bitmap[self.at] |= self.word;
            (self.at, self.word) = (at, 0);
        }
        self.word |= u64::from(bit) << (low % 64);
    }

    fn end(self) {
        self.bitmap[self.at] |= self.word;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Rows of which one in `rarity` passes, added up by their profile the slow way and by the tally.
    fn compare(rarity: u64) {
        let mix =
            |at: u64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20;
        let count = 5_000 + 13;
        let passes: Vec<bool> = (0..count).map(|row| mix(row).is_multiple_of(rarity)).collect();
        let lows: Vec<u16> = (0..count).map(|row| (row / 3 * 13) as u16).collect();
        let codes: Vec<u16> = (0..count).map(|row| (mix(row ^ 99) % 7) as u16).collect();
        let mut tally = Tally::default();
        let (words, _) = tally.rows(count as usize);
        (0..count as usize).filter(|row| passes[*row]).for_each(|row| words[row / 64] |= 1 << (row % 64));
        let mut times: BTreeMap<u16, u32> = BTreeMap::new();
        let rows: Vec<usize> = (0..count as usize).filter(|row| passes[*row]).collect();
        rows.iter().for_each(|row| *times.entry(lows[*row]).or_default() += 1);
        let members = |bitmap: &Bitmap| -> Vec<u16> {
            (0..=u16::MAX).filter(|low| bitmap[usize::from(*low) / 64] >> (low % 64) & 1 == 1).collect()
        };
        let numbers_of: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
        assert_eq!(tally.passing(), numbers_of);
        let mut bitmap = [0; WORDS];
        tally.any(&lows, &mut bitmap);
        assert_eq!(members(&bitmap), times.keys().copied().collect::<Vec<_>>(), "any, 1 in {rarity}");
        tally.times(&lows, 2..=u32::MAX, &mut bitmap);
        let twice: Vec<u16> = times.iter().filter(|(_, times)| **times >= 2).map(|(low, _)| *low).collect();
        assert_eq!(members(&bitmap), twice, "twice, 1 in {rarity}");
        bitmap.fill(0);
        let known = rows.iter().filter(|row| codes[**row] != 0);
        let mut greatest: BTreeMap<u16, u16> = BTreeMap::new();
        known.for_each(|row| {
            let code = greatest.entry(lows[*row]).or_default();
            *code = codes[*row].max(*code);
        });
        let numbers: Vec<f64> = codes.iter().map(|code| if *code == 0 { f64::NAN } else { f64::from(*code) }).collect();
        tally.aggregate(&lows, Aggregate::Max, &Numbers::Raw(&numbers), &mut bitmap, |max| max >= 5.0);
        let high: Vec<u16> = greatest.iter().filter(|(_, code)| **code >= 5).map(|(low, _)| *low).collect();
        assert_eq!(members(&bitmap), high, "max, 1 in {rarity}");
    }

    #[test]
    fn bits_add_up_as_rows_do_however_many_pass() {
        [1, 2, 5, 40, 1_000].into_iter().for_each(compare);
    }
}
