//! One bit a profile: whether anything changed. It stands before the maps, so that the many of whom nothing is new cost one
//! load; nothing is allocated before the first change.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bits, raised by one thread and read by all.
#[derive(Debug, Default)]
pub(super) struct Seen {
    words: OnceLock<Box<[AtomicU64]>>,
}

impl Seen {
    /// Raises a bit of `profiles`. Whoever sees it raised sees what was written before.
    pub(super) fn raise(&self, profiles: u32, at: u32) {
        let words = self.words.get_or_init(|| (0..profiles.div_ceil(64)).map(|_| AtomicU64::new(0)).collect());
        if let Some(word) = words.get(at as usize / 64) {
            word.fetch_or(1 << (at % 64), Ordering::Release);
        }
    }

    /// Whether the bit is raised.
    #[inline]
    pub(super) fn has(&self, at: u32) -> bool {
        let word = self.words.get().and_then(|words| words.get(at as usize / 64));
        word.is_some_and(|word| word.load(Ordering::Acquire) >> (at % 64) & 1 == 1)
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.words.get().map_or(0, |words| words.len() * 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_bit_is_seen_and_no_other() {
        let seen = Seen::default();
        assert!(!seen.has(0) && seen.bytes() == 0);
        seen.raise(130, 129);
        seen.raise(130, 500);
        assert_eq!((0..600).filter(|at| seen.has(*at)).collect::<Vec<_>>(), [129]);
        assert_eq!(seen.bytes(), 24);
    }
}
