//! What planners ask of everybody: how many, who, of which values, and how groups overlap. Exact, in parallel, and to be
//! watched and broken off.
//!
//! `breakdown` counts by the values of a trait, `overlap` how sets meet. What must not live here: who may be told.

mod breakdown;
mod overlap;

pub use breakdown::Value;
pub use overlap::{MOST_SETS, Overlap, overlap};

use super::block::Scratch;
use super::plan::Plan;
use crate::snapshot::columns::{BLOCK, WORDS, blocks};
use crate::snapshot::keys::Keys;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use roaring::RoaringBitmap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use zerocopy::IntoBytes;

/// How far a question is, and the wish that it be broken off. Looked at once a block.
#[derive(Debug, Default)]
pub struct Watch {
    cancelled: AtomicBool,
    done: AtomicUsize,
    of: AtomicUsize,
}

impl Watch {
    /// Breaks the question off: what is asked with this watch answers `None`.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was broken off.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// The share that is done, 0 to 1, of what is known to be asked.
    pub fn progress(&self) -> f64 {
        let (done, of) = (self.done.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed));
        if of == 0 { 0.0 } else { done.min(of) as f64 / of as f64 }
    }

    /// So many steps more will be taken.
    pub fn expect(&self, steps: usize) {
        self.of.fetch_add(steps, Ordering::Relaxed);
    }

    /// Takes a step.
    pub fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// How many profiles a rule holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Of all.
    pub total: u64,
    /// By mask: of those in it.
    pub within: Vec<u64>,
}

impl Plan<'_> {
    /// By rule, how many profiles it holds for: of all, and of those in each of some masks (word `i` stands for ordinals
    /// from `64 * i`; words that are missing are empty). `None` if it was broken off.
    pub fn survey(&self, masks: &[&[u64]], watch: &Watch) -> Option<Vec<Counted>> {
        let none = || vec![Counted { total: 0, within: vec![0; masks.len()] }; self.len()];
        let add = |sum: &mut Vec<Counted>, block: usize, scratch: &Scratch| {
            for (rule, sum) in sum.iter_mut().enumerate() {
                let bitmap = scratch.bitmap(self, rule);
                sum.total += super::bits::count(bitmap);
                for (within, mask) in sum.within.iter_mut().zip(masks) {
                    let mask = mask.get(block * WORDS..).unwrap_or(&[]);
                    *within += bitmap.iter().zip(mask).map(|(a, b)| u64::from((a & b).count_ones())).sum::<u64>();
                }
            }
        };
        let merge = |mut sum: Vec<Counted>, more: Vec<Counted>| {
            for (sum, more) in sum.iter_mut().zip(more) {
                sum.total += more.total;
                sum.within.iter_mut().zip(more.within).for_each(|(sum, more)| *sum += more);
            }
            sum
        };
        self.every_block(watch, none, add, merge)
    }

    /// By rule, whom it holds for. `None` if it was broken off.
    pub fn members(&self, watch: &Watch) -> Option<Vec<RoaringBitmap>> {
        let none = || vec![RoaringBitmap::new(); self.len()];
        let add = |sum: &mut Vec<RoaringBitmap>, block: usize, scratch: &Scratch| {
            for (rule, sum) in sum.iter_mut().enumerate() {
                let bitmap = scratch.bitmap(self, rule);
                if bitmap.iter().any(|word| *word != 0) {
                    *sum |= RoaringBitmap::from_lsb0_bytes((block * BLOCK) as u32, bitmap.as_bytes());
                }
            }
        };
        let merge = |mut sum: Vec<RoaringBitmap>, more: Vec<RoaringBitmap>| {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum |= more);
            sum
        };
        self.every_block(watch, none, add, merge)
    }

    /// Evaluates every block in parallel, and sums up what is found.
    fn every_block<T: Send>(
        &self,
        watch: &Watch,
        none: impl Fn() -> T + Send + Sync,
        add: impl Fn(&mut T, usize, &Scratch) + Send + Sync,
        merge: impl Fn(T, T) -> T + Send + Sync,
    ) -> Option<T> {
        let blocks = self.columns.blocks();
        watch.expect(blocks);
        let sum = aside(|| {
            let begin = || (Scratch::default(), none());
            let parts = (0..blocks).into_par_iter().fold(begin, |(mut scratch, mut sum), block| {
                if !watch.is_cancelled() {
                    self.block(block, &mut scratch);
                    add(&mut sum, block, &scratch);
                    watch.step();
                }
                (scratch, sum)
            });
            parts.map(|(_, sum)| sum).reduce(&none, &merge)
        });
        (!watch.is_cancelled()).then_some(sum)
    }
}

/// By identifier type, as the manifest numbers them: a mask of the profiles that have one, in whole blocks.
pub fn id_masks(keys: &Keys<'_>, types: usize) -> Vec<Vec<u64>> {
    let blocks = blocks(keys.profiles());
    let mut masks = vec![vec![0u64; blocks * WORDS]; types];
    let by_block: Vec<Vec<Vec<u64>>> = aside(|| {
        let of_block = |block: usize| {
            let mut masks = vec![vec![0u64; WORDS]; types];
            let first = block * BLOCK;
            for low in 0..BLOCK.min(keys.profiles() as usize - first) {
                for (_, id_type) in keys.of((first + low) as u32) {
                    if let Some(mask) = masks.get_mut(usize::from(id_type)) {
                        mask[low / 64] |= 1 << (low % 64);
                    }
                }
            }
            masks
        };
        (0..blocks).into_par_iter().map(of_block).collect()
    });
    for (block, of_block) in by_block.into_iter().enumerate() {
        for (mask, words) in masks.iter_mut().zip(of_block) {
            mask[block * WORDS..(block + 1) * WORDS].copy_from_slice(&words);
        }
    }
    masks
}

/// Runs what counts on threads that let bids go first: a planner can wait, a bid cannot.
pub fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        let builder = ThreadPoolBuilder::new().thread_name(|at| format!("survey-{at}"));
        // Where the machine refuses, counting and bids share evenly.
        let behind = |_| rustix::process::setpriority_process(None, NICENESS).unwrap_or_default();
        builder.start_handler(behind).build().ok()
    });
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// That of everything behind the bids.
const NICENESS: i32 = 10;
