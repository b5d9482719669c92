//! Counters that workers do not share: each thread adds to its own copy, a scrape sums them up.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

thread_local! {
    static WORKER: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The calling thread's number, from 0, in the order in which threads first asked.
pub fn worker() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    WORKER.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        mine.get()
    })
}

/// How many copies things that are kept per worker come in: a power of two, at least twice the machine's cores.
pub fn copies() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (cores * 2).next_power_of_two().min(128)
}

/// Cells on both sides of a copy that nobody writes to, so that copies share no cache line.
const PADDING: usize = 16;

/// A row of counters, in as many copies as [`copies`] says.
#[derive(Debug)]
pub struct Shards {
    copies: Box<[Box<[AtomicU64]>]>,
}

impl Shards {
    /// `cells` counters at zero.
    pub fn new(cells: usize) -> Self {
        let copy = || (0..cells + 2 * PADDING).map(|_| AtomicU64::new(0)).collect();
        Shards { copies: (0..copies()).map(|_| copy()).collect() }
    }

    /// Adds to one counter.
    pub fn add(&self, cell: usize, n: u64) {
        self.copies[worker() & (self.copies.len() - 1)][PADDING + cell].fetch_add(n, Ordering::Relaxed);
    }

    /// The value of one counter over all copies.
    pub fn sum(&self, cell: usize) -> u64 {
        self.copies.iter().map(|copy| copy[PADDING + cell].load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let shards = Shards::new(3);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1_000).for_each(|n| shards.add(n % 3, 2)));
            }
        });
        assert_eq!([shards.sum(0), shards.sum(1), shards.sum(2)], [8 * 668, 8 * 666, 8 * 666]);
    }
}
