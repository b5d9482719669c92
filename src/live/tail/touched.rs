//! Profiles to look at again, each once, however often something is said of them.

/// From so many on repetition is looked for before more memory is taken.
const MANY: usize = 1 << 20;

/// The profiles, in no order; some are there more than once.
#[derive(Debug, Default)]
pub(super) struct Touched(Vec<u32>);

impl Touched {
    /// Adds one.
    pub(super) fn push(&mut self, profile: u32) {
        if self.0.last() == Some(&profile) {
            return;
        }
        if self.0.len() == self.0.capacity() && self.0.len() >= MANY {
            self.tidy();
            // At least as many again before the next time.
            self.0.reserve(self.0.len());
        }
        self.0.push(profile);
    }

    /// Adds some.
    pub(super) fn extend(&mut self, profiles: impl IntoIterator<Item = u32>) {
        profiles.into_iter().for_each(|profile| self.push(profile));
    }

    /// All of them, ascending, each once. The memory goes with them: [`Touched::again`] brings it back.
    pub(super) fn take(&mut self) -> Vec<u32> {
        self.tidy();
        std::mem::take(&mut self.0)
    }

    /// Takes memory to be used again; what it holds is done.
    pub(super) fn again(&mut self, mut done: Vec<u32>) {
        done.clear();
        // What a replay needed is not kept for batches.
        done.shrink_to(MANY);
        self.0 = done;
    }

    fn tidy(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_again_and_again_of_the_same_takes_no_more_memory() {
        let mut touched = Touched::default();
        (0..3_000_000u32).for_each(|at| touched.push(at % 1_000));
        assert!(touched.0.capacity() <= 2 * MANY, "room for {}", touched.0.capacity());
        let all = touched.take();
        assert_eq!(all, (0..1_000).collect::<Vec<_>>());
        touched.again(all);
        assert!(touched.take().is_empty());
    }
}
