//! The rows of a block that pass -> the profiles they add up for: without asking, row by row, whose turn it is.
//!
//! Rows lie sorted by profile, so whoever asks "is this still the same one?" is wrong every fifth row, and a processor that guessed
//! wrong loses more time than an addition takes. Here every row is added to its profile's place in an array.

use super::bits::{self, Bitmap};
use crate::audiences::rule::Aggregate;
use crate::snapshot::columns::{BLOCK, Codes, Numbers, WORDS};
use std::ops::RangeInclusive;

/// Rows whose positions are noted before they are gone through.
const AT_ONCE: usize = 4_096;

/// What a block's rows add up to, used again from block to block.
#[derive(Debug, Default)]
pub struct Tally {
    /// By row: 1 if it passes, otherwise 0.
    pub bytes: Vec<u8>,
    passing: Vec<u32>,
    counts: Vec<u32>,
    sums: Vec<f64>,
}

impl Tally {
    /// The positions of the rows that pass.
    pub fn passing(&mut self) -> &[u32] {
        // One place more takes what is written after the last that passes.
        self.passing.resize(self.bytes.len() + 1, 0);
        let mut count = 0;
        for (at, byte) in (0..).zip(&self.bytes) {
            self.passing[count] = at;
            count += usize::from(*byte);
        }
        self.passing.truncate(count);
        &self.passing
    }

    /// Whoever has a row that passes.
    pub fn any(&self, lows: &[u16], bitmap: &mut Bitmap) {
        let mut marks = Marks::new(bitmap);
        lows.iter().zip(&self.bytes).for_each(|(low, byte)| marks.or(*low, *byte));
        marks.end();
    }

    /// Whoever has so many that pass.
    pub fn times(&mut self, lows: &[u16], times: RangeInclusive<u32>, bitmap: &mut Bitmap) {
        self.counts.clear();
        self.counts.resize(BLOCK, 0);
        for (low, byte) in lows.iter().zip(&self.bytes) {
            self.counts[usize::from(*low)] += u32::from(*byte);
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
        each_known(&self.bytes, lows, numbers, |low, value| {
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
        each_known(&self.bytes, lows, numbers, |low, value| {
            marks.or(low, 1);
            sums[usize::from(low)] += value;
            counts[usize::from(low)] += 1;
        });
        marks.end();
        self.sums.iter_mut().zip(&self.counts).for_each(|(sum, count)| *sum /= f64::from(*count));
    }
}

/// Calls with whose it is and the number, for every row that passes and whose number is known.
fn each_known(bytes: &[u8], lows: &[u16], numbers: &Numbers<'_>, mut each: impl FnMut(u16, f64)) {
    match numbers {
        Numbers::Raw(values) => each_of(bytes, lows, values, |value| (!value.is_nan()).then_some(value), &mut each),
        Numbers::Frame(codes, frame) => {
            let decode = |code: u32| (code != 0).then(|| frame.decode(code));
            match codes {
                Codes::U8(codes) => each_of(bytes, lows, codes, |code| decode(code.into()), &mut each),
                Codes::U16(codes) => each_of(bytes, lows, codes, |code| decode(code.into()), &mut each),
                Codes::U32(codes) => each_of(bytes, lows, codes, decode, &mut each),
            }
        }
    }
}

fn each_of<T: Copy>(
    bytes: &[u8],
    lows: &[u16],
    values: &[T],
    known: impl Fn(T) -> Option<f64>,
    each: &mut impl FnMut(u16, f64),
) {
    let mut passing = [0u16; AT_ONCE + 1];
    for ((bytes, lows), values) in bytes.chunks(AT_ONCE).zip(lows.chunks(AT_ONCE)).zip(values.chunks(AT_ONCE)) {
        let mut count = 0;
        for (at, byte) in (0..).zip(bytes) {
            passing[count] = at;
            count += usize::from(*byte);
        }
        for at in passing[..count].iter().map(|at| usize::from(*at)) {
            if let Some(value) = known(values[at]) {
                each(lows[at], value);
            }
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
