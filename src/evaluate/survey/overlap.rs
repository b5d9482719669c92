//! How some sets meet: every intersection at once, exact.
//!
//! By block, every ordinal gets a word in which bit `i` says that it is in set `i`; how often each word occurs is all that
//! there is to know, whatever the number of sets.

use super::aside;
use crate::snapshot::columns::{BLOCK, blocks};
use rayon::prelude::*;
use roaring::RoaringBitmap;

/// The most sets that are looked at together.
pub const MOST_SETS: usize = 12;
/// Members that are taken out of a bitmap at a time.
const AT_ONCE: usize = 1_024;
/// Ordinals next to each other often have the same word: counted in turns, so that one count need not wait for the other.
const TURNS: usize = 4;

/// How some sets meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// By set: how many are in it.
    pub sizes: Vec<u64>,
    /// By set and set: how many are in both.
    pub pairs: Vec<Vec<u64>>,
    /// How many are in exactly the sets of a mask (bit `i` = set `i`), for every mask but 0 that somebody has, ascending.
    pub exclusive: Vec<(u16, u64)>,
}

/// Of the first [`MOST_SETS`] sets.
pub fn overlap(sets: &[RoaringBitmap]) -> Overlap {
    let sets = &sets[..sets.len().min(MOST_SETS)];
    let masks = 1usize << sets.len();
    let last = sets.iter().filter_map(RoaringBitmap::max).max();
    let blocks = last.map_or(0, |last| blocks(last.saturating_add(1)));
    let none = || vec![0u64; masks];
    let counts = aside(|| {
        let begin = || (vec![0u16; BLOCK], vec![0u32; AT_ONCE], none());
        let parts = (0..blocks).into_par_iter().fold(begin, |(mut words, mut some, mut counts), block| {
            if mark(sets, block, &mut words, &mut some) {
                count(&words, &mut counts);
                words.fill(0);
            }
            (words, some, counts)
        });
        parts.map(|(.., counts)| counts).reduce(none, |mut sum, more| {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            sum
        })
    });
    of_counts(sets.len(), &counts)
}

/// Sets every ordinal's bits; whether there was anybody.
fn mark(sets: &[RoaringBitmap], block: usize, words: &mut [u16], some: &mut [u32]) -> bool {
    let first = (block * BLOCK) as u32;
    let mut anybody = false;
    for (at, set) in sets.iter().enumerate() {
        let mut members = set.range(first..=first | 0xffff);
        loop {
            let taken = members.next_many(some);
            taken.iter().for_each(|ordinal| words[usize::from(*ordinal as u16)] |= 1 << at);
            anybody |= !taken.is_empty();
            if taken.len() < AT_ONCE {
                break;
            }
        }
    }
    anybody
}

fn count(words: &[u16], counts: &mut [u64]) {
    let mut turns = vec![0u32; counts.len() * TURNS];
    for words in words.as_chunks::<TURNS>().0 {
        for (turn, word) in words.iter().enumerate() {
            turns[usize::from(*word) * TURNS + turn] += 1;
        }
    }
    for (count, turns) in counts.iter_mut().zip(turns.as_chunks::<TURNS>().0) {
        *count += turns.iter().map(|turn| u64::from(*turn)).sum::<u64>();
    }
}

fn of_counts(sets: usize, counts: &[u64]) -> Overlap {
    let exclusive: Vec<(u16, u64)> =
        (0u16..).zip(counts).skip(1).filter(|(_, count)| **count > 0).map(|(mask, count)| (mask, *count)).collect();
    let having = |wanted: u16| exclusive.iter().filter(|(mask, _)| mask & wanted == wanted).map(|(_, n)| n).sum();
    let bit = |set: usize| 1u16 << set;
    Overlap {
        sizes: (0..sets).map(|set| having(bit(set))).collect(),
        pairs: (0..sets).map(|a| (0..sets).map(|b| having(bit(a) | bit(b))).collect()).collect(),
        exclusive,
    }
}
